"""Intraclass correlation of two or more readers, for thousands of features at once.

Own code because pingouin takes one feature at a time (METHODS.md 7); tested against it.
"""

from __future__ import annotations

import numpy as np


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
