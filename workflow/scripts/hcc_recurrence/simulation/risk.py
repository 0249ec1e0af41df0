"""The written risk model of the demo cohorts.

A patient has one latent risk z ~ N(0, 1). It shapes the tumour and the laboratory values, and the time
to recurrence is exponential with rate `baseline_per_month * exp(effect * z)`. Given z, the outcome is
independent of everything else, so no method can do better than knowing z itself: the AUC of z is
the best that can be reached.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm


@dataclass(frozen=True)
class RiskModel:
    """Parameters of the time to recurrence.

    baseline_per_month: recurrence rate at z = 0, per month.
    effect: log hazard ratio per unit of z; 0 is the null variant.
    horizon_months: what counts as early.
    """

    baseline_per_month: float = 0.028
    effect: float = 2.0
    horizon_months: float = 24.0

    def early_probability(self, z: np.ndarray) -> np.ndarray:
        """P(recurrence within the horizon | z); z of any shape."""
        rate = self.baseline_per_month * np.exp(self.effect * np.asarray(z, dtype=float))
        return -np.expm1(-rate * self.horizon_months)

    def draw_months(self, z: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """Months to recurrence for each z."""
        rate = self.baseline_per_month * np.exp(self.effect * np.asarray(z, dtype=float))
        return generator.exponential(1.0 / rate)


def best_reachable_auc(model: RiskModel, points: int = 4001) -> float:
    """AUC of the latent risk itself for early recurrence, over the population of z ~ N(0, 1).

    AUC = P(z of an early recurrence > z of a patient without), by quadrature over [-6, 6].
    Complete follow-up is assumed, as for patients with a label.
    """
    z = np.linspace(-6.0, 6.0, points)
    early = model.early_probability(z)
    weight = norm.pdf(z)
    positive = weight * early
    negative = weight * (1.0 - early)
    positive /= positive.sum()
    negative /= negative.sum()
    below = np.cumsum(negative) - 0.5 * negative
    return float(np.sum(positive * below))
