"""Loess: local regression of degree 2, the smoother of Austin and Steyerberg's calibration curves.

Own code because statsmodels' lowess is of degree 1, and a package that wraps the original Fortran (scikit-misc) would
be a compiled dependency for one curve; tested against R's `loess` (tests/references/R).
"""

from __future__ import annotations

import numpy as np


def loess(x: np.ndarray, y: np.ndarray, at: np.ndarray, span: float = 0.75) -> np.ndarray:
    """The value at `at` of a weighted quadratic through the nearest patients, one fit a point.

    Cleveland and Devlin, J Am Stat Assoc 1988;83:596, with the defaults of R's `loess`: degree 2, tricube weights, the
    neighbourhood reaching to the nearest share `span` of the patients. R interpolates between vertices by default; this
    is its `surface = "direct"`, the estimate itself.

    Args:
        x, y: (n,). at: any shape.

    Returns: like `at`; NaN outside the range of x. Where the neighbours have two different x the line through their
    means, where they have one their mean.
    """
    x, y, at = np.asarray(x, float), np.asarray(y, float), np.asarray(at, float)
    places, back = np.unique(at, return_inverse=True)
    inside = (places >= x.min()) & (places <= x.max())
    values = np.full(len(places), np.nan)
    if inside.any():
        values[inside] = _fits(x, y, places[inside], span)
    return values[back].reshape(at.shape)


def _fits(x: np.ndarray, y: np.ndarray, places: np.ndarray, span: float) -> np.ndarray:
    # As R: the number of neighbours rounded down, with a margin for products such as 0.75 * 40.
    neighbours = min(max(int(len(x) * span + 1e-5), 1), len(x))
    away = x[None, :] - places[:, None]
    distance = np.abs(away)
    reach = np.partition(distance, neighbours - 1, axis=1)[:, neighbours - 1]
    scale = np.where(reach > 0, reach, 1.0)[:, None]
    scaled, near = away / scale, np.minimum(distance / scale, 1.0)
    weight = 1 - near * near * near
    weight = weight * weight * weight
    weight[reach <= 0] = distance[reach <= 0] == 0
    # Moments of the scaled distances: the normal equations of all places at once.
    moments, right, power = [], [], weight
    for k in range(5):
        moments.append(power.sum(axis=1))
        if k < 3:
            right.append(power @ y)
        power = power * scaled
    gram = np.stack([np.stack(moments[i : i + 3], axis=1) for i in range(3)], axis=1)
    right = np.stack(right, axis=1)
    # Of two different x there is a line and of one a mean: R's minimal quadratic would pass through neither.
    spread = np.linalg.cond(gram)
    sound = np.isfinite(spread) & (spread < 1e10)
    values = np.full(len(places), np.nan)
    if sound.any():
        values[sound] = np.linalg.solve(gram[sound], right[sound][..., None])[:, 0, 0]
    for i in np.flatnonzero(~sound):
        # Halfway between two values all neighbours stand at the edge, where the weights are 0: they count alike.
        own = weight[i] if weight[i].any() else (distance[i] <= reach[i]).astype(float)
        known = own > 0
        degree = min(2, len(np.unique(x[known])) - 1)
        root = np.sqrt(own[known])
        design = np.vander(scaled[i, known], degree + 1, increasing=True) * root[:, None]
        values[i] = np.linalg.lstsq(design, root * y[known], rcond=None)[0][0]
    return values
