"""Agreement of readers: intraclass correlation of thousands of features at once, and kappas of qualitative findings.

Own code for the ICC because pingouin takes one feature at a time (docs/methods.md 7); tested against it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from hcc_recurrence.statistics.degenerate import FEW_READ, LEAST_OF_EACH, kept, why_no_interval


def intraclass_correlation(ratings: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """ICC(2,1) and ICC(3,1), single measures.

    ICC(2,1) = (MSR - MSE) / (MSR + (k - 1) MSE + k (MSC - MSE) / n), absolute agreement;
    ICC(3,1) = (MSR - MSE) / (MSR + (k - 1) MSE), consistency. Shrout and Fleiss, Psychol Bull 1979;86:420.

    Args:
        ratings: (patients n, readers k, features).

    Returns: two arrays (features,). A feature that is the same in all patients and readers gives NaN.

    Raises: ValueError for fewer than two patients or readers, or missing values.
    """
    ratings = np.asarray(ratings, dtype=float)
    n, k = ratings.shape[:2]
    if n < 2 or k < 2:
        raise ValueError(f"at least 2 patients and 2 readers are needed, there are {n} and {k}")
    if not np.isfinite(ratings).all():
        raise ValueError("ratings must be finite")
    grand = ratings.mean(axis=(0, 1))
    rows = ratings.mean(axis=1)
    columns = ratings.mean(axis=0)
    between_rows = k * ((rows - grand) ** 2).sum(axis=0) / (n - 1)
    between_columns = n * ((columns - grand) ** 2).sum(axis=0) / (k - 1)
    residual = ratings - rows[:, None] - columns[None] + grand
    error = (residual**2).sum(axis=(0, 1)) / ((n - 1) * (k - 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        absolute = (between_rows - error) / (between_rows + (k - 1) * error + k * (between_columns - error) / n)
        consistency = (between_rows - error) / (between_rows + (k - 1) * error)
    return absolute, consistency


@dataclass(frozen=True)
class Kappa:
    """Agreement beyond chance with a 95 % interval."""

    kappa: float
    low: float
    high: float


def cohen_kappa(first: np.ndarray, second: np.ndarray) -> Kappa:
    """Cohen's kappa of two readings of the same patients, by statsmodels; NaN where both give one same level."""
    from statsmodels.stats.inter_rater import cohens_kappa, to_table

    table = to_table(np.column_stack([first, second]))[0]
    if len(table) < 2:
        return Kappa(*[float("nan")] * 3)
    found = cohens_kappa(table)
    return Kappa(float(found.kappa), float(found.kappa_low), float(found.kappa_upp))


def fleiss_kappa(ratings: np.ndarray) -> float:
    """Fleiss' kappa of several readers, by statsmodels.

    Args:
        ratings: (patients, readers), levels.
    """
    from statsmodels.stats.inter_rater import aggregate_raters
    from statsmodels.stats.inter_rater import fleiss_kappa as fleiss

    return float(fleiss(aggregate_raters(np.asarray(ratings))[0]))


def readings_table(
    readings: Mapping[str, pd.DataFrame], kinds: Mapping[str, str], bands: str = "five_words"
) -> pd.DataFrame:
    """Agreement of repeated readings of each variable, on the patients with all the readings compared.

    The same reader twice, and two readers: Cohen's kappa; three readers or more: Fleiss' kappa. Numbers have ICC(2,1)
    for both (Yan 2023, "Statistical analysis"; a kappa of a size would count every millimetre as a disagreement,
    docs/methods.md 3.6).

    Args:
        readings: variable -> index patient_id, columns `first`, and `again` or other readers; NaN where missing.
        kinds: variable -> continuous, binary or categorical. bands: how a kappa is called, a key of BANDS.

    Returns: variable, compared, readers, n, measure, value, low, high, agreement, remark (why there is no interval).
    """
    rows = []
    for variable, table in readings.items():
        others = [c for c in table.columns if c not in ("first", "again")]
        pairs = {"same reader twice": ["first", "again"]} if "again" in table else {}
        pairs |= {"two readers" if len(others) == 1 else "all readers": ["first", *others]} if others else {}
        for compared, columns in pairs.items():
            both = table[columns].dropna()
            if len(both) < 2:
                continue
            value, low, high = float("nan"), float("nan"), float("nan")
            if kinds[variable] == "continuous":
                measure = "ICC(2,1)"
                value, low, high = _icc_with_interval(both)
            elif len(columns) == 2:
                measure, found = "Cohen's kappa", cohen_kappa(*both.to_numpy().T)
                # statsmodels' interval is the normal one, which may leave the range of kappa.
                value, low, high = found.kappa, max(found.low, -1.0), min(found.high, 1.0)
            else:
                measure, value = "Fleiss' kappa", fleiss_kappa(both.to_numpy())
            low, high, why = _limits(low, high, len(both), measure)
            word = kappa_word(value, bands) if value == value else "undefined: one level only"
            about = {"variable": variable, "compared": compared, "readers": len(columns), "n": len(both)}
            rows.append(
                {
                    **about,
                    "measure": measure,
                    "value": value,
                    "low": low,
                    "high": high,
                    "agreement": word,
                    "remark": why,
                }
            )
    columns = ["variable", "compared", "readers", "n", "measure", "value", "low", "high", "agreement", "remark"]
    return pd.DataFrame(rows, columns=columns)


def _limits(low: float, high: float, patients: int, measure: str) -> tuple[float, float, str]:
    """An interval of agreement by the one rule of all intervals (`degenerate`), and why there is none."""
    if measure == "Fleiss' kappa":
        return low, high, "the library has no interval"
    why = why_no_interval((patients - LEAST_OF_EACH,), (high - low) ** 2, few=FEW_READ, same="nothing varies")
    return *kept(low, high, why), why


def readers_table(
    readings: Mapping[str, pd.DataFrame], definitions: Mapping[str, Mapping[str, Any]], names: Mapping[str, str]
) -> pd.DataFrame:
    """What each reader found: patients with a level of a finding and their percentage, median and IQR of numbers.

    Args:
        readings: as `readings_table` takes. definitions: kind and levels of each variable; of a binary one with two
            levels or none the second, or `yes`, is shown. names: column of `readings` -> as the table calls it.

    Returns: variable, level, and a column a reading; patients without it are not counted. Yan 2023, Supplementary Table
    5.
    """
    rows = []
    for variable, table in readings.items():
        kind, levels = definitions[variable]["kind"], list(definitions[variable]["levels"])
        shown: dict[str, float | None] = {"median (IQR)": None}
        if kind == "binary":
            shown = {levels[1] if levels else "yes": 1.0}
        elif kind == "categorical":
            shown = {level: float(i) for i, level in enumerate(levels)}
        for level, code in shown.items():
            found = {"variable": variable, "level": level}
            for column in table:
                values = table[column].dropna().to_numpy(float)
                found[names.get(column, column)] = _found_by_reader(values, code)
            rows.append(found)
    return pd.DataFrame(rows)


def _found_by_reader(values: np.ndarray, code: float | None) -> str:
    if not len(values):
        return "-"
    if code is None:
        low, middle, high = np.percentile(values, [25, 50, 75])
        return f"{middle:.4g} ({low:.4g}-{high:.4g})"
    count = int((values == code).sum())
    return f"{count} ({100 * count / len(values):.1f} %)"


def _icc_with_interval(ratings: pd.DataFrame) -> tuple[float, float, float]:
    """ICC(2,1) with its 95 % interval, by pingouin; NaN where nothing varies."""
    import pingouin

    if np.ptp(ratings.to_numpy()) == 0:
        return (float("nan"),) * 3
    long = ratings.reset_index(names="patient").melt("patient", var_name="reader", value_name="value")
    found = pingouin.intraclass_corr(long, "patient", "reader", "value")
    row = found[found["Type"].isin(["ICC2", "ICC(A,1)"])].iloc[0]
    interval = row[next(c for c in found.columns if c.startswith("CI95"))]
    return float(row["ICC"]), float(interval[0]), float(interval[1])


# Lowest kappa of each word, as the papers have it.
BANDS = {
    "five_words": ((0.81, "excellent"), (0.61, "good"), (0.41, "moderate"), (0.21, "fair"), (-1.0, "poor")),
    "four_words": ((0.80, "excellent"), (0.60, "substantial"), (0.40, "moderate"), (-1.0, "poor")),
}


def kappa_word(kappa: float, bands: str) -> str:
    """What a paper calls a kappa; `bands` is a key of BANDS (docs/methods.md 3.6 and 4.5)."""
    value = round(kappa, 2) if bands == "five_words" else kappa
    above = (lambda low: value >= low) if bands == "five_words" else (lambda low: value > low)
    return next(word for low, word in BANDS[bands] if above(low) or low == -1.0)


def words_of(bands: str) -> str:
    """The words of a key of BANDS and the kappas they stand for, for the note of a table."""
    if bands == "five_words":
        tops = ("1.00", "0.80", "0.60", "0.40", "0.20")
        parts = [f"{max(low, 0):.2f}-{top} {word}" for (low, word), top in zip(BANDS[bands], tops, strict=True)]
        return ", ".join(reversed(parts))
    *above, (_, rest) = BANDS[bands]
    return ", ".join([*(f"above {low:.2f} {word}" for low, word in above), f"otherwise {rest}"])
