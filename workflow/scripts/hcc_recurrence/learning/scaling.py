"""Imputation and scaling, each fitted on the rows it is given and applied to others."""

from __future__ import annotations

import numpy as np


class Standardiser:
    """z-score by the mean and standard deviation of the rows it was fitted on; constants become 0."""

    def __init__(self, x: np.ndarray):
        self.mean = x.mean(axis=0)
        deviation = x.std(axis=0)
        # A spread at the level of rounding is none.
        flat = deviation <= 1e-12 * np.maximum(np.abs(self.mean), 1)
        self.scale = np.where(flat, np.inf, deviation)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return (x - self.mean) / self.scale


class Imputer:
    """Fill missing values with the median of the rows it was fitted on; all missing becomes 0."""

    def __init__(self, x: np.ndarray):
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            self.median = np.nan_to_num(np.nanmedian(x, axis=0))

    @classmethod
    def of(cls, median: np.ndarray) -> Imputer:
        """The imputer with these medians, as one of its kind was fitted with."""
        imputer = cls.__new__(cls)
        imputer.median = np.asarray(median, float)
        return imputer

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return np.where(np.isnan(x), self.median, x)


class MinMax:
    """From 0 to 1 by the range of the rows it was fitted on; values beyond it are clipped, constants become 0."""

    def __init__(self, x: np.ndarray):
        self.low = x.min(axis=0)
        width = np.ptp(x, axis=0)
        self.width = np.where(width > 0, width, np.inf)

    @classmethod
    def of(cls, low: np.ndarray, width: np.ndarray) -> MinMax:
        """The scaler with these ranges, as one of its kind was fitted with."""
        scaler = cls.__new__(cls)
        scaler.low, scaler.width = np.asarray(low, float), np.asarray(width, float)
        return scaler

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return np.clip((x - self.low) / self.width, 0, 1)
