"""Comparison of what was computed in single precision, by whatever instructions the processor has."""

from __future__ import annotations

from typing import Any

import numpy as np

# Kernels of one library add the same products in another order and fuse some of them. Each convolution of a network
# then differs by a few units of the last place (1.2e-7) of its largest values, and a chain of them by some tens: 2.2e-6
# is the most that was seen between AVX-512, AVX2 and SSE4.1 (VGG19, 16 convolutions). What is wrong in a network, such
# as a layer, a weight or a scale, moves its output by more than a hundredth.
ROUNDING = 1e-5


def assert_same_rounding(found: Any, expected: Any, relative: float = ROUNDING) -> None:
    """Fail where arrays or tensors differ by more than rounding.

    Args: relative: the largest difference allowed, of the largest absolute value expected.
    """
    found, expected = (np.asarray(x.detach() if hasattr(x, "detach") else x, float) for x in (found, expected))
    assert found.shape == expected.shape, f"{found.shape} and {expected.shape}"
    assert np.isfinite(expected).all() and np.isfinite(found).all()
    size = np.abs(expected).max()
    assert size > 0, "only zeros are expected: nothing is compared"
    difference = np.abs(found - expected).max()
    assert difference <= relative * size, f"{difference:.3g} where the largest value is {size:.3g}"
