"""Imputation and scaling, each fitted on the rows it is given and applied to others.

Not scikit-learn's: its StandardScaler finds variances in one pass, with other last bits, and of a feature without
spread it leaves a new patient's difference as it is, where ours gives 0. Its SimpleImputer gives what ours gives, but a
model file holds classifiers and arrays alone. Here a fitted one is an array or two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np


class _Fitted:
    """What was found of each column, as arrays by name: it can be kept, and cut down to some of the columns."""

    ARRAYS: ClassVar[tuple[str, ...]]

    def state(self) -> dict[str, np.ndarray]:
        """Arrays (columns,) for a model file."""
        return {name: getattr(self, name) for name in self.ARRAYS}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """From what `state` gave.

        Raises: ModelFileError for other keys.
        """
        from hcc_recurrence.learning.model_files import expect_keys

        expect_keys(state, set(cls.ARRAYS), cls.__name__)
        made = cls.__new__(cls)
        for name in cls.ARRAYS:
            setattr(made, name, np.asarray(state[name], float))
        return made

    def of_columns(self, positions: Sequence[int]) -> Self:
        """The same of some columns alone, in their order."""
        own = list(positions)
        return self.from_state({name: array[own] for name, array in self.state().items()})


class Standardiser(_Fitted):
    """z-score by the mean and standard deviation of the rows it was fitted on; constants become 0."""

    ARRAYS = ("mean", "scale")

    def __init__(self, x: np.ndarray):
        self.mean = x.mean(axis=0)
        deviation = x.std(axis=0)
        # A spread at the level of rounding is none.
        flat = deviation <= 1e-12 * np.maximum(np.abs(self.mean), 1)
        self.scale = np.where(flat, np.inf, deviation)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return (x - self.mean) / self.scale


class Imputer(_Fitted):
    """Fill missing values with the median of the rows it was fitted on; all missing becomes 0."""

    ARRAYS = ("median",)

    def __init__(self, x: np.ndarray):
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            self.median = np.nan_to_num(np.nanmedian(x, axis=0))

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return np.where(np.isnan(x), self.median, x)


class MinMax(_Fitted):
    """From 0 to 1 by the range of the rows it was fitted on; values beyond it are clipped, constants become 0."""

    ARRAYS = ("low", "width")

    def __init__(self, x: np.ndarray):
        self.low = x.min(axis=0)
        width = np.ptp(x, axis=0)
        self.width = np.where(width > 0, width, np.inf)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return np.clip((x - self.low) / self.width, 0, 1)
