"""From rounded rates and class sizes back to whole counts: every confusion matrix that a printed row allows.

Three of the five papers print rows that fit no counts, or only under another heading (docs/methods.md 2.8, 3.8, 4.7).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from hcc_recurrence.statistics.classification import Confusion

RATES = ("accuracy", "sensitivity", "specificity", "ppv", "npv", "f1")
# How a row is read if it does not fit as it stands: printed heading -> what it would be.
READINGS = {
    "as printed": {},
    "sensitivity and specificity exchanged": {"sensitivity": "specificity", "specificity": "sensitivity"},
    "sensitivity and specificity are PPV and NPV": {"sensitivity": "ppv", "specificity": "npv"},
}


@dataclass(frozen=True)
class Printed:
    """A printed number: its value as a share, and half a unit of its last digit."""

    value: float
    half_unit: float

    @classmethod
    def parse(cls, text: str) -> Printed:
        """`0.762`, `.762` or `76.2%`.

        Raises: ValueError where the text is no number.
        """
        text = text.strip()
        percent = text.endswith("%")
        number = text.rstrip("% ")
        digits = len(number.partition(".")[2])
        scale = 0.01 if percent else 1.0
        return cls(float(number) * scale, 0.5 * 10.0**-digits * scale)


def _matches(part: np.ndarray, whole: np.ndarray, printed: Printed) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        rate = np.where(whole > 0, part / whole, np.nan)
    # 0 / 0 is printed as 0 by some software.
    rate = np.where(np.isnan(rate) & (printed.value == 0), 0.0, rate)
    # Halves may have been rounded either way, and the printed numbers are not exact in binary.
    return np.abs(rate - printed.value) <= printed.half_unit * (1 + 1e-6) + 1e-12


def solve_counts(n_pos: int, n_neg: int, printed: Mapping[str, str]) -> list[Confusion]:
    """All confusion matrices of these class sizes whose rates round to what is printed.

    Args:
        printed: rate (one of RATES) -> the number as printed (`0.762`, `.762`, `76.2%`); its digits say how it was
            rounded. Empty texts are left out.

    Raises: ValueError for an unknown rate, or a text that is no number.
    """
    unknown = set(printed) - set(RATES)
    if unknown:
        raise ValueError(f"unknown rates {sorted(unknown)}; known: {list(RATES)}")
    tp, tn = np.meshgrid(np.arange(n_pos + 1), np.arange(n_neg + 1), indexing="ij")
    fn, fp = n_pos - tp, n_neg - tn
    fractions = {
        "accuracy": (tp + tn, np.full_like(tp, n_pos + n_neg)),
        "sensitivity": (tp, tp + fn),
        "specificity": (tn, tn + fp),
        "ppv": (tp, tp + fp),
        "npv": (tn, tn + fn),
        "f1": (2 * tp, 2 * tp + fp + fn),
    }
    fits = np.ones(tp.shape, bool)
    for rate, text in printed.items():
        if str(text).strip():
            fits &= _matches(*fractions[rate], Printed.parse(str(text)))
    return [
        Confusion(tp=int(a), fn=n_pos - int(a), tn=int(b), fp=n_neg - int(b))
        for a, b in zip(tp[fits], tn[fits], strict=True)
    ]


def explain_row(n_pos: int, n_neg: int, printed: Mapping[str, str]) -> tuple[str, list[Confusion]]:
    """The first reading of a printed row under which counts exist, and those counts.

    Returns: a key of READINGS, or "no reading" with an empty list.
    """
    for reading, renamed in READINGS.items():
        found = solve_counts(n_pos, n_neg, {renamed.get(rate, rate): text for rate, text in printed.items()})
        if found:
            return reading, found
    return "no reading", []


def check_printed_table(printed: pd.DataFrame) -> pd.DataFrame:
    """Solve every row of a printed metrics table for its counts (`metrics_for_readers`).

    Args:
        printed: text columns model, protocol, patients, "n (ER)" or that of another endpoint, repeats, TP, FN, TN, FP
            (means over the repeats) and the rates, whose cells may carry an interval in brackets behind the number.

    Returns: model, protocol, patients, solutions (0 where no counts are printed); one row a printed row.

    Raises: ValueError naming every row whose rates fit no counts, or not the printed ones.
    """
    rows, wrong = [], []
    names = {"PPV": "ppv", "NPV": "npv", "F1": "f1", **{r: r for r in ("accuracy", "sensitivity", "specificity")}}
    number = next(column for column in printed.columns if column.startswith("n ("))
    for row in printed.to_dict("records"):
        total, events = (int(part) for part in str(row[number]).rstrip(")").split(" ("))
        if not str(row["TP"]).strip():
            # A model that tells nobody apart has no counts.
            rows.append((row["model"], row["protocol"], row["patients"], 0))
            continue
        rates = {names[c]: str(row[c]).split(" ")[0] for c in names if str(row[c]).strip()}
        # Means over repeats: their sums are whole numbers, and have the same rates.
        repeats = int(row["repeats"])
        found = solve_counts(repeats * events, repeats * (total - events), rates)
        counts = Confusion(*(round(repeats * float(row[c])) for c in ("TP", "FN", "TN", "FP")))
        about = f"{row['model']}, {row['protocol']}, {row['patients']}"
        if counts not in found:
            wrong.append(f"{about}: the rates fit {len(found)} confusion matrices, and not the printed {counts}")
        rows.append((row["model"], row["protocol"], row["patients"], len(found)))
    if wrong:
        raise ValueError("; ".join(wrong) + ". What to do: this is an error of the workflow, please report it.")
    return pd.DataFrame(rows, columns=["model", "protocol", "patients", "solutions"])


def main(arguments: list[str]) -> str:
    """`21 21 sensitivity=61.9% specificity=90.5%`: class sizes, then printed rates; the answer in words.

    Raises: SystemExit with the usage where the arguments are not of that form.
    """
    try:
        n_pos, n_neg = int(arguments[0]), int(arguments[1])
        printed = dict(pair.split("=", 1) for pair in arguments[2:])
        reading, found = explain_row(n_pos, n_neg, printed)
    except (IndexError, ValueError) as error:
        usage = f"usage: count_solver N_POSITIVE N_NEGATIVE RATE=PRINTED ...; rates: {', '.join(RATES)}"
        raise SystemExit(f"{usage} ({error})") from None
    lines = [f"{len(found)} confusion matrices fit ({reading})"]
    lines += [f"TP {c.tp} FN {c.fn} TN {c.tn} FP {c.fp}" for c in found[:20]]
    return "\n".join(lines)


if __name__ == "__main__":
    import sys

    print(main(sys.argv[1:]))
