"""What whole columns show and no cell does: copies, an outcome in another column, lost thousands, codes of a few.

Nothing here is sure, so it is said and stops nothing (`suspect`).
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from hcc_recurrence.cohort.dates import DATE_COLUMNS
from hcc_recurrence.cohort.labels import horizon_months, make_labels
from hcc_recurrence.cohort.numbers import exact_number, missing_test, zero_or_one
from hcc_recurrence.cohort.outcome import MONTH_COLUMNS, decimal_comma, outcome_column, own_name
from hcc_recurrence.cohort.plausible import FEWEST
from hcc_recurrence.problems import Notice

if TYPE_CHECKING:
    from hcc_recurrence.cohort.sheets import Cohort

# So many patients, and of each outcome so many, that a continuous variable tells them apart by chance in one of 7752
# cohorts (20 over 5 are 15504; either outcome may have the higher values).
LEAST_TO_TELL, LEAST_OF_EACH = 20, 5
# A number as 1.210: one and a bit, or a thousand of a program that puts points between thousands?
_THREE_DECIMALS = re.compile(r"\d{1,3}\.\d{3}", re.ASCII)
_WHOLE = re.compile(r"\d+", re.ASCII)
# Between numbers of so many digits a thousand would not be unusual.
HUNDREDS = 100
# A horizon of fewer days is one of surgery, not of recurrence: 24 for months.
SHORT_HORIZON_DAYS = 60
# Events that come later than the ends of follow-up do so by chance in fewer than one of a thousand cohorts.
LATER_P = 0.001
# Values of two units lie apart by this factor at least.
WIDE_GAP = 4.0
# 99 stands alone where no other value is within a tenth of it.
NINETY_NINE, ALONE = 99.0, 0.1


def column_notices(cohort: Cohort, frame: pd.DataFrame) -> list[Notice]:
    """What a person should look at in columns of the patients in use.

    Args: frame: their rows.
    """
    found = [*_outcome_words(cohort, frame), *_variable_words(cohort, frame), *_pair_words(cohort, frame)]
    notices = [Notice(cohort.name, "", cohort.settings["patients"], what, remedy) for what, remedy in found]
    return notices + _equal_rows(cohort, frame)


def _cells(cohort: Cohort, frame: pd.DataFrame) -> Iterator[tuple[str, Mapping[str, Any], pd.Series]]:
    """Variable, its definition and its cells that are not missing; variables without a column are problems already."""
    is_missing = missing_test(cohort.settings["missing_codes"], decimal_comma(cohort))
    for variable, definition in cohort.settings["clinical"].items():
        if definition["column"] in frame:
            cells = frame[definition["column"]]
            yield variable, definition, cells[[not is_missing(cell) for cell in cells]]


def _numbers(cohort: Cohort, cells: pd.Series) -> pd.Series:
    return cells.map(lambda cell: exact_number(cell, decimal_comma(cohort))).astype(float).dropna()


def _outcome_words(cohort: Cohort, frame: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """A horizon of days that may be months, and events that may be coded the other way round."""
    if outcome_column(cohort):
        return
    days = cohort.settings["er_days"]
    if days < SHORT_HORIZON_DAYS:
        what = f"er_days is {days}: the outcome is an event within {days} days"
        yield what, f"if these are months, set cohorts.{cohort.name}.er_days: {round(days * 365.25 / 12)}"
    if all(c in frame for c in DATE_COLUMNS) or not all(c in frame for c in MONTH_COLUMNS):
        return
    # Of all rows: among the patients in use those who were lost before the horizon lack.
    months = _numbers(cohort, cohort.patients[MONTH_COLUMNS[0]])
    events = cohort.patients[MONTH_COLUMNS[1]].map(lambda cell: zero_or_one(cell, decimal_comma(cohort)))[months.index]
    late, early = months[events == 1], months[events == 0]
    if len(late) < FEWEST or len(early) < FEWEST:
        return
    from scipy.stats import mannwhitneyu

    name = own_name(cohort, MONTH_COLUMNS[1])
    event = cohort.settings.get("endpoint", {}).get("event", "recurrence")
    remedy = f"make sure that 1 is {event} and 0 the last visit without"
    horizon = horizon_months(days, False)
    lost = int((early < horizon).sum())
    if late.median() > early.median() and mannwhitneyu(late, early, alternative="greater").pvalue < LATER_P:
        what = (
            f"column {name}: those with 1 have longer times (median {late.median():g} months) than those with 0 "
            f"({early.median():g}), as where 1 means followed without an event"
        )
        yield what, remedy
    elif 2 * lost > len(early):
        # In a cohort of short follow-up exchanged codes show in nothing else.
        what = f"column {name}: {lost} of the {len(early)} patients with 0 have less than {horizon:g} months, and are"
        yield f"{what} left out", f"{remedy}; if it is, the follow-up is short for this horizon"


def _variable_words(cohort: Cohort, frame: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """What is odd in one variable."""
    outcome = _outcome_of(cohort, frame)
    for variable, definition, cells in _cells(cohort, frame):
        name, kind = own_name(cohort, definition["column"]), definition["kind"]
        values = _values(cohort, definition, cells)
        if _tells_apart(values, outcome):
            what = (
                f"column {name}: {variable} tells all {len(values.index.intersection(outcome.index))} patients with "
                "the outcome from those without, as the outcome itself does"
            )
            yield what, "make sure that it was known before, and is not the outcome under another name"
        if kind != "continuous":
            continue
        if len(values) >= LEAST_TO_TELL and values.nunique() == 1 and len(values) == len(cells):
            what = f"column {name}: all {len(values)} patients have the same {variable}, {cells.iloc[0]}"
            yield what, "make sure that the cell was not copied down the column"
        if thousands := _lost_thousands(cells):
            shown = ", ".join(f"{cell} is taken as {float(cell):g}" for cell in thousands[:3])
            what = f"column {name}: {shown} of {variable}, and all other values are whole numbers"
            yield what, "make sure that the point does not stand between thousands; if so, write them without"
        # Of a variable that is the outcome two groups have been said.
        if (parts := _two_groups(values)) and not _tells_apart(values, outcome):
            low, high = (f"{len(part)} of {part.min():g} to {part.max():g}" for part in parts)
            factor = float(parts[1].median() / parts[0].median())
            what = f"column {name}: values of {variable} fall into two groups, {low} and {high}"
            yield f"{what}, a factor {factor:.2g} apart", "make sure that they are in one unit in all rows and centres"
        nines = values[values == NINETY_NINE]
        if len(nines) > 1 and not ((values - NINETY_NINE).abs().between(1e-9, ALONE * NINETY_NINE)).any():
            what = f"column {name}: {len(nines)} patients have 99, far from all others, which is taken as a value of "
            yield f"{what}{variable}", f"if it means missing, add '99' to cohorts.{cohort.name}.missing_codes"
        zeros = int((values == 0).sum())
        if variable == "afp" and zeros > 1:
            what = f"column {name}: {zeros} patients have an AFP of 0, which no assay gives, and it is taken as a value"
            yield what, "leave the cells empty if it was not measured; write a value below the assay as <0.5"


def _outcome_of(cohort: Cohort, frame: pd.DataFrame) -> pd.Series:
    """1 and 0 of patients whose outcome is known; empty where models are applied, or it cannot be read."""
    column = outcome_column(cohort)
    there = [column] if column else DATE_COLUMNS if DATE_COLUMNS[0] in frame else MONTH_COLUMNS
    if not cohort.settings.get("outcome_needed", True) or not all(c in frame for c in there):
        return pd.Series(dtype=float)
    settings = cohort.settings
    labels = make_labels(
        frame, settings["er_days"], settings["er_inclusive"], decimal_comma=decimal_comma(cohort), column=column
    )
    return labels.set_index("patient_id")["er"].dropna()


def _values(cohort: Cohort, definition: Mapping[str, Any], cells: pd.Series) -> pd.Series:
    """Numbers by which patients may be told apart; none of a variable of several unordered levels."""
    if definition["kind"] == "continuous":
        return _numbers(cohort, cells)
    if definition["kind"] == "binary":
        return cells.map(lambda cell: zero_or_one(cell, decimal_comma(cohort))).astype(float).dropna()
    if len(definition["levels"]) == 2:
        return (cells == definition["levels"][1]).astype(float)
    return pd.Series(dtype=float)


def _tells_apart(values: pd.Series, outcome: pd.Series) -> bool:
    both = values.index.intersection(outcome.index)
    if len(both) < LEAST_TO_TELL:
        return False
    with_it, without = (values[both][outcome[both] == one] for one in (1, 0))
    if min(len(with_it), len(without)) < LEAST_OF_EACH:
        return False
    return bool(with_it.min() > without.max() or with_it.max() < without.min())


def _two_groups(values: pd.Series) -> tuple[pd.Series, pd.Series] | None:
    """Positive values below and above a gap that is wider than either group, as a factor, and `WIDE_GAP` at least.

    Two units of one substance lie so apart (creatinine: 88), a variable that spans decades does not.
    """
    known = values[values > 0].sort_values()
    if len(known) < LEAST_TO_TELL:
        return None
    steps = np.diff(np.log(known.to_numpy()))
    place = int(np.argmax(steps)) + 1
    low, high = known.iloc[:place], known.iloc[place:]
    if min(len(low), len(high)) < LEAST_OF_EACH or known.nunique() < LEAST_OF_EACH:
        return None
    spread = max(float(np.log(part.iloc[-1] / part.iloc[0])) for part in (low, high))
    return (low, high) if steps[place - 1] >= max(np.log(WIDE_GAP), spread) else None


def _lost_thousands(cells: pd.Series) -> list[str]:
    """Cells such as 1.210 where every number with a point has three decimals, and the others are whole: some of
    hundreds, and none of thousands."""
    grouped = [cell for cell in cells if _THREE_DECIMALS.fullmatch(cell)]
    whole = [int(cell) for cell in cells if _WHOLE.fullmatch(cell)]
    if not grouped or len(grouped) + len(whole) < len(cells) or len(whole) < FEWEST:
        return []
    return grouped if HUNDREDS <= max(whole) < 10 * HUNDREDS else []


def _pair_words(cohort: Cohort, frame: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """Two columns of numbers that are equal in every patient."""
    numbers = {}
    for variable, definition, cells in _cells(cohort, frame):
        if definition["kind"] == "continuous":
            numbers[variable] = definition["column"], _numbers(cohort, cells)
    for (one, (first, a)), (other, (second, b)) in combinations(numbers.items(), 2):
        alike = len(a) >= FEWEST and a.nunique() > 1 and first != second and a.index.equals(b.index)
        if alike and np.array_equal(a, b):
            names = " and ".join(own_name(cohort, column) for column in (first, second))
            what = f"columns {names}: {one} and {other} are equal in all {len(a)} patients"
            yield what, "make sure that one column was not copied over the other"


def _equal_rows(cohort: Cohort, frame: pd.DataFrame) -> list[Notice]:
    """Patients whose dates and clinical values are all the same: one patient under two names.

    Months and a few findings are equal by chance; two dates and numbers are not.
    """
    columns = [c for c in DATE_COLUMNS if c in frame]
    numbers = [d["column"] for _, d, _ in _cells(cohort, frame) if d["kind"] == "continuous"]
    if len(columns) < len(DATE_COLUMNS) or len(numbers) < 2:
        return []
    every = list(dict.fromkeys([*columns, *(d["column"] for _, d, _ in _cells(cohort, frame))]))
    known = frame[(frame[numbers] != "").sum(axis=1) >= 2]
    rows: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for patient, *cells in known[every].itertuples():
        rows[tuple(cells)].append(patient)
    # Where a constant filled all numbers, that has been said.
    told = Counter(tuple(row) for row in known[numbers].itertuples(index=False))
    found = []
    for patients in rows.values():
        own = tuple(frame.loc[patients[0], numbers])
        if len(patients) < 2 or told[own] > max(2, len(patients)):
            continue
        for patient in patients:
            others = ", ".join(other for other in patients if other != patient)
            what = f"has the dates and all {len(every) - len(columns)} clinical values of {others}"
            remedy = "keep one row if it is one patient: in training and in validation every score is too good"
            found.append(Notice(cohort.name, patient, cohort.settings["patients"], what, remedy))
    return found
