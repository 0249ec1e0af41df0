"""Pieces of an image by which a part of it is recognised: cropped in any direction, or with fewer slices.

A piece is a run of voxels along a row, as the differences between neighbours: a shift of all values, or clipping of
others, changes nothing. Of all pieces of an image those with the smallest hashes are kept. A part of the image has
those of them that lie inside it, and among its own they are the smallest again (a bottom-k sketch: Broder, Compression
and Complexity of Sequences 1997).
"""

from __future__ import annotations

import hashlib

import numpy as np

# Neighbours that are compared in a piece, and how many of these must differ: background of one value is everybody's.
LENGTH, FEWEST_STEPS = 16, 12
# The least sum of their differences, four each: smaller ones could be found by trying all (about 2^57 of this size).
LEAST_SUM = 64
# Pieces of an image that are kept. A part with an eighth of them has eight on average.
KEPT = 64
# Voxels whose values tell the scale.
LOOKED_AT = 2**18
# As many pieces of two images that are equal are no chance: each is of 16 differences of noise.
FEWEST_EQUAL = 4
# An odd number beyond the half of 2^64, of its binary digits about half 1 (splitmix64, Steele et al., OOPSLA 2014).
_BASE, _MIX = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def pieces_of(values: np.ndarray) -> list[bytes]:
    """SHA-256 of the kept pieces of an image, sorted; fewer than KEPT of an image that has fewer, none where values are
    no whole numbers, whatever their scale.

    The same forwards and backwards: an axis may be flipped. Not the same where axes change places.

    Args: values: (z, y, x).
    """
    numbers = _whole_numbers(values) if values.shape[-1] > LENGTH else None
    if numbers is None:
        return []
    best: dict[int, bytes] = {}
    for image in numbers:
        steps = np.diff(image.astype(np.int64), axis=-1)
        hashes = _hashes(steps)
        small = np.flatnonzero(hashes.ravel() <= (max(best) if len(best) >= KEPT else np.iinfo(np.uint64).max))
        if small.size > KEPT:
            small = small[np.argpartition(hashes.ravel()[small], KEPT - 1)[:KEPT]]
        for row, column in zip(*np.unravel_index(small, hashes.shape), strict=True):
            if hashes[row, column] < np.iinfo(np.uint64).max:
                piece = steps[row, column : column + LENGTH]
                # Backwards, the differences change sign and order.
                both = [np.ascontiguousarray(one, "<i8").tobytes() for one in (piece, -piece[::-1])]
                best[int(hashes[row, column])] = hashlib.sha256(min(both)).digest()
        best = {number: best[number] for number in sorted(best)[:KEPT]}
    return sorted(best.values())


def _whole_numbers(values: np.ndarray) -> np.ndarray | None:
    """The whole numbers that were scaled (a rescale slope), up to a shift; None where there are none.

    The scale is the smallest distance of two values: a part of an image that has hundreds of neighbouring ones has the
    same.
    """
    if not np.isfinite(values).all():
        return None
    if np.array_equal(values, np.round(values)):
        return values
    some = np.unique(values.ravel()[:: max(1, values.size // LOOKED_AT)].astype(np.float64))
    if len(some) < 2:
        return None
    scaled = (values.astype(np.float64) - some[0]) / np.diff(some).min()
    # Single precision keeps seven digits; noise that was never scaled has its values anywhere.
    return np.round(scaled) if np.abs(scaled - np.round(scaled)).max() < 0.02 else None


def _hashes(steps: np.ndarray) -> np.ndarray:
    """A number of each piece of rows of differences, the largest of all where these are too small.

    Args: steps: (y, x), int64.
    """
    forwards = _rolled(steps.view(np.uint64)) * _MIX
    backwards = _rolled((-steps[:, ::-1]).view(np.uint64))[:, ::-1] * _MIX
    found = np.minimum(forwards, backwards)
    varied = (_sums(steps != 0) >= FEWEST_STEPS) & (_sums(np.abs(steps)) >= LEAST_SUM)
    found[~varied] = np.iinfo(np.uint64).max
    return found


def _sums(values: np.ndarray) -> np.ndarray:
    """Of LENGTH neighbours each in a row."""
    up_to = np.cumsum(np.pad(values, ((0, 0), (1, 0))), axis=1, dtype=np.int64)
    return up_to[:, LENGTH:] - up_to[:, :-LENGTH]


def _rolled(steps: np.ndarray) -> np.ndarray:
    """Polynomial in _BASE of LENGTH neighbours each, modulo 2^64, by doubling."""
    found, length, power = np.ascontiguousarray(steps), 1, _BASE
    with np.errstate(over="ignore"):
        while length < LENGTH:
            found = found[:, :-length] + power * found[:, length:]
            length, power = 2 * length, power * power
    return found
