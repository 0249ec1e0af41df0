"""What is wrong with an input, said so that the person who made the input can fix it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


# So many are told on the screen; the table has them all.
FIRST_PROBLEMS = 10


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong with one input.

    `cohort` and `patient` are keys (pseudonyms), empty where the problem is of the whole run;
    `file` is the path as the user wrote it; `what` and `remedy` are sentences without a full stop.
    """

    cohort: str
    patient: str
    file: str
    what: str
    remedy: str

    def __str__(self) -> str:
        where = ", ".join(
            part
            for part in (
                f"cohort {self.cohort}" if self.cohort else "",
                f"patient {self.patient}" if self.patient else "",
                self.file,
            )
            if part
        )
        return f"{where}: {self.what}. What to do: {self.remedy}."


class Notice(Problem):
    """What a person should look at, and which stops nothing: it may be as it should."""


def stopping_later(problems: Sequence[Problem]) -> list[Notice]:
    """Problems of splits for a list of problems, which needs no split: there they stop nothing yet."""
    prefix = "will stop all and every method: "
    return [Notice(p.cohort, p.patient, p.file, prefix + p.what, p.remedy) for p in problems]


# Notices that are printed; all of them stand in the table.
MOST_PRINTED = 10


def told(notices: Sequence[Notice]) -> str:
    """What is printed of notices before the first job."""
    lines = [f"  {number}. {notice}" for number, notice in enumerate(notices[:MOST_PRINTED], 1)]
    more = len(notices) - MOST_PRINTED
    end = [f"  and {more} more"] if more > 0 else []
    head = f"{len(notices)} to look at in the input; nothing is stopped (results/preflight/notices.html has all):"
    return "\n".join([head, *lines, *end])


# Names of a problem's parts in tables.
COLUMNS = ("cohort", "patient", "file", "what is wrong", "what to do")


def check_rows(rows: pd.DataFrame, keep_going: bool, table: str) -> None:
    """Raise Refused where a table of problems has rows, unless patients with problems are left out."""
    if len(rows) and not keep_going:
        page = table.replace(".csv", ".html")
        told, rows = [], rows.fillna("").astype(str)
        for number, row in enumerate(rows.itertuples(index=False), 1):
            where = ", ".join(filter(None, row[:3]))
            told.append(f"  {number}. {where}: {row[3]}. What to do: {row[4]}.")
        if len(told) > FIRST_PROBLEMS:
            told[FIRST_PROBLEMS:] = [f"  and {len(told) - FIRST_PROBLEMS} more"]
        count = f"{len(rows)} problem{'s' if len(rows) > 1 else ''} in the input"
        raise Refused(
            "\n".join([count, *told, f"As a table: {page}"]),
            "fix them" + (", or leave those patients out with keep_going: true" if all(rows.iloc[:, 1]) else ""),
        )
    print(f"{len(rows)} problems" + (", whose patients are left out" if len(rows) else ""))


def last_line(error: Exception) -> str:
    """What a library's error says in the end, after the places in its own code; empty where it says nothing."""
    return (str(error).strip().splitlines() or [""])[-1]


class Refused(ValueError):
    """An input that cannot be used. Carries (what is wrong, what to do), for a person: no traceback helps."""

    def __init__(self, what: str, remedy: str):
        super().__init__(f"{what}. What to do: {remedy}.")
        self.what = what
        self.remedy = remedy


class InputError(ValueError):
    """Raised with every problem found, never with the first one alone; and with what else a person should look at.

    `of_splits` are further problems, which stop what needs a split of the patients and nothing else.
    """

    def __init__(self, problems: Sequence[Problem], notices: Sequence[Notice] = (), of_splits: Sequence[Problem] = ()):
        self.problems = sorted(set(problems))
        self.notices = list(notices)
        self.of_splits = list(of_splits)
        count = len(self.problems)
        super().__init__(
            f"{count} problem{'s' if count != 1 else ''} in the input; nothing was run.\n"
            + "\n".join(f"  {number}. {p}" for number, p in enumerate(self.problems, 1))
            + (f"\n{told(self.notices)}" if notices else "")
        )
