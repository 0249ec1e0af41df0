"""The arithmetic of a nomogram: from coefficients to points, and from points to risk (docs/methods.md 7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from hcc_recurrence.endpoint import endpoint


@dataclass(frozen=True)
class Axis:
    """One variable: its coefficient, the range drawn, and names of its levels where it is binary."""

    name: str
    coefficient: float
    low: float
    high: float
    levels: tuple[str, ...] = ()


@dataclass(frozen=True)
class NomogramModel:
    """A linear model and how its linear predictor becomes a risk.

    kind `logistic`: risk = 1 / (1 + exp(-(offset + sum b x))), offset is the intercept.
    kind `cox`: survival = baseline_survival ** exp(sum b x - offset), offset is the mean linear predictor.
    """

    kind: str
    axes: tuple[Axis, ...]
    offset: float
    baseline_survival: float = float("nan")
    outcome: str = field(default_factory=lambda: f"Risk of {endpoint().name}")
    # The last scale shows 1 - risk.
    as_survival: bool = False

    def linear_predictor(self, patient: Mapping[str, float]) -> float:
        """Sum of coefficient times value; with the intercept for a logistic model."""
        total = sum(a.coefficient * patient[a.name] for a in self.axes)
        return total + (self.offset if self.kind == "logistic" else 0.0)

    @property
    def widest(self) -> float:
        """Largest change of the linear predictor over any one axis: it has 100 points."""
        return max(abs(a.coefficient) * (a.high - a.low) for a in self.axes)

    def points(self, axis: Axis, value: float) -> float:
        """100 |b (x - x_ref)| / widest, x_ref being the end of the axis with the lower risk (docs/methods.md 7)."""
        reference = axis.low if axis.coefficient >= 0 else axis.high
        return 100 * axis.coefficient * (value - reference) / self.widest

    def total_points(self, patient: Mapping[str, float]) -> float:
        """Sum of the points of all axes."""
        return sum(self.points(a, patient[a.name]) for a in self.axes)

    def risk_of_points(self, total: float) -> float:
        """Risk of early recurrence that a sum of points stands for."""
        lowest = sum(min(a.coefficient * a.low, a.coefficient * a.high) for a in self.axes)
        return self._risk(lowest + total * self.widest / 100)

    def risk(self, patient: Mapping[str, float]) -> float:
        """Risk of early recurrence straight from the coefficients."""
        return self._risk(sum(a.coefficient * patient[a.name] for a in self.axes))

    def _risk(self, weighted: float) -> float:
        if self.kind == "logistic":
            return float(1 / (1 + np.exp(-(self.offset + weighted))))
        return float(1 - self.baseline_survival ** np.exp(weighted - self.offset))

    def points_of_risk(self, risk: float) -> float:
        """Sum of points at which the risk is reached; may lie outside the axes."""
        if self.kind == "logistic":
            weighted = np.log(risk / (1 - risk)) - self.offset
        else:
            weighted = np.log(np.log(1 - risk) / np.log(self.baseline_survival)) + self.offset
        lowest = sum(min(a.coefficient * a.low, a.coefficient * a.high) for a in self.axes)
        return float((weighted - lowest) * 100 / self.widest)

    def to_dict(self) -> dict[str, Any]:
        """Builtin types, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> NomogramModel:
        """The reverse of `to_dict`."""
        axes = tuple(Axis(**{**a, "levels": tuple(a["levels"])}) for a in stored["axes"])
        return cls(**{**stored, "axes": axes})
