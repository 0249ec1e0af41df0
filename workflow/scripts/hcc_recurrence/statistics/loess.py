"""Loess: local regression of degree 2, the smoother of Austin and Steyerberg's calibration curves.

Own code because statsmodels' lowess is of degree 1, and a package that wraps the original Fortran (scikit-misc) would
be a compiled dependency for one curve; tested against R's `loess` (tests/references/R).
"""

from __future__ import annotations

import numpy as np

# Below that share of the largest singular value a direction of the local fit is left out, as in R's Fortran.
SMALLEST = 100 * np.finfo(float).eps


def loess(x: np.ndarray, y: np.ndarray, at: np.ndarray, span: float = 0.75) -> np.ndarray:
    """The value at `at` of a weighted quadratic through the nearest patients, one fit a point.

    Cleveland and Devlin, J Am Stat Assoc 1988;83:596, with the defaults of R's `loess`: degree 2, tricube weights, the
    neighbourhood reaching to the nearest share `span` of the patients. R interpolates between vertices by default; this
    is its `surface = "direct"`, the estimate itself.

    Args:
        x, y: (n,). at: any shape.

    Returns: like `at`; NaN outside the range of x. Where all neighbours have one x, their mean.
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
    # Of fewer than three different x no quadratic is unique; the smallest one, as R does.
    spread = np.linalg.cond(gram)
    sound = np.isfinite(spread) & (spread < 1e10)
    values = np.full(len(places), np.nan)
    if sound.any():
        values[sound] = np.linalg.solve(gram[sound], right[sound][..., None])[:, 0, 0]
    for i in np.flatnonzero(~sound):
        root = np.sqrt(weight[i])
        design = np.vander(scaled[i], 3, increasing=True) * root[:, None]
        norms = np.linalg.norm(design, axis=0)
        norms = np.where(norms > 0, norms, 1.0)
        found = np.linalg.pinv(design / norms, rcond=SMALLEST) @ (root * y)
        values[i] = found[0] / norms[0]
    return values
