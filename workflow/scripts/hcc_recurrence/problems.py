"""What is wrong with an input, said so that the person who made the input can fix it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


# So many are told on the screen; the table has them all.
FIRST_PROBLEMS = 10
# What differs between problems of one kind: the content of a cell, numbers; and the path of a series or a mask.
_CELLS = re.compile(r"'[^']*'|\d+")
_OF_A_FILE = re.compile(r"^(\w+ (?:series|mask of \S+)) .*")


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
        return f"{where}: {self.what}. What to do: {self.remedy}{'' if self.remedy.endswith('?') else '.'}"


def alike(problems: Iterable[Problem]) -> list[tuple[Problem, list[str]]]:
    """Problems with those of the same kind, in their order: the first, and the other patients who have it.

    One cause, such as dates with the day first, is a problem of every patient, and hides all others behind itself. Two
    are of one kind where they differ in patient, path, number of the row and content of the cell alone.
    """
    groups: dict[tuple[str, ...], tuple[Problem, list[str]]] = {}
    for number, problem in enumerate(problems):
        place = _OF_A_FILE.sub(r"\1", problem.file)
        kind = tuple(_CELLS.sub("", text) for text in (problem.cohort, place, problem.what, problem.remedy))
        # Of the whole cohort, or of the run: each by itself.
        key = kind if problem.patient else (*kind, str(number))
        first, others = groups.setdefault(key, (problem, []))
        if problem.patient not in ("", first.patient, *others):
            others.append(problem.patient)
    return list(groups.values())


def listed_alike(problems: Sequence[Problem], most: int | None = None) -> list[str]:
    """Numbered lines for the screen; where there are many, those of one kind in one line.

    Args: most: lines at most, and how many more there are; None: all.
    """
    groups = alike(problems) if len(problems) > FIRST_PROBLEMS else [(problem, []) for problem in problems]
    lines = []
    for number, (first, others) in enumerate(groups[:most], 1):
        names = ", ".join(others[:FIRST_PROBLEMS]) + (", ..." if len(others) > FIRST_PROBLEMS else "")
        more = f" The same in {counted(len(others), 'more patient')}: {names}" if others else ""
        lines.append(f"  {number}. {first}{more}")
    if most is not None and len(groups) > most:
        lines.append(f"  and {len(groups) - most} more")
    return lines


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
        problems = [Problem(*row[:5]) for row in rows.fillna("").astype(str).itertuples(index=False)]
        told = listed_alike(problems, FIRST_PROBLEMS)
        count = f"{counted(len(rows), 'problem')} in the input"
        raise Refused(
            "\n".join([count, *told, f"As a table: {page}"]),
            ("fix it" if len(rows) == 1 else "fix them")
            + (", or leave those patients out with keep_going: true" if all(p.patient for p in problems) else ""),
        )
    print(counted(len(rows), "problem") + (", whose patients are left out" if len(rows) else ""))


def counted(number: int, noun: str) -> str:
    """A number with its noun: "1 patient", "2 patients"; "series" is both."""
    return f"{number} {noun}{'' if number == 1 or noun.endswith('series') else 's'}"


def problems_note(number: int, patients: int, keep_going: bool) -> str:
    """What stands above the table of problems.

    Args: patients: who have one. keep_going: they are left out, and nothing is stopped.
    """
    if not number:
        return "Nothing is wrong with the config, the sheets, the images and the masks."
    if keep_going:
        who = "who is" if patients == 1 else "who are"
        return f"{counted(number, 'problem')} of {counted(patients, 'patient')}, {who} left out (keep_going: true)."
    them = "it is" if number == 1 else "they are"
    some = f"; {counted(patients, 'patient')} {'has' if patients == 1 else 'have'} some" if patients else ""
    return f"{counted(number, 'problem')}{some}. Nothing is run until {them} fixed."


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
        super().__init__(
            f"{counted(len(self.problems), 'problem')} in the input; nothing was run.\n"
            + "\n".join(listed_alike(self.problems))
            + (f"\n{told(self.notices)}" if notices else "")
        )
