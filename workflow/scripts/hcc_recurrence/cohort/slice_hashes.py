"""Hashes of slices and masks that a copy has in common with its original, whatever format, UIDs and compression."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

# A slice of fewer values, such as one of a phantom or of air, tells nothing.
FEWEST_VALUES = 16
# Pixels along a side of a slice of which the middle is enough.
LARGE = 128
# Values in a range up to this are counted without sorting them.
MOST_COUNTED = 100_000


def hash_of_slice(values: np.ndarray, slope: float = 1.0, intercept: float = 0.0) -> str:
    """Hash of how often each value occurs in the middle of a slice, rounded; empty where it has too few values.

    The order of the pixels does not count: a copy saved with its rows turned around is the same. No two images of a
    patient have the same histogram, for their noise differs.

    Args:
        slope, intercept: of stored values, as in DICOM.
    """
    # A quarter of a large slice is as telling; it is the same quarter where the slice was turned around.
    values = values[tuple(slice(n // 4, n - n // 4) if n >= LARGE else slice(None) for n in values.shape[-2:])]
    whole = np.rint(values[np.isfinite(values)]) if values.dtype.kind == "f" else values.ravel()
    whole = whole.astype(np.int64)
    if not len(whole):
        return ""
    lowest = int(whole.min())
    if int(whole.max()) - lowest < MOST_COUNTED:
        counts = np.bincount(whole - lowest)
        found = np.flatnonzero(counts)
        counts = counts[found]
        found += lowest
    else:
        found, counts = np.unique(whole, return_counts=True)
    if (slope, intercept) != (1, 0):
        # Rescaling a few thousand values that occur is quicker than as many pixels as there are.
        found, which = np.unique(np.rint(slope * found + intercept).astype(np.int64), return_inverse=True)
        counts = np.bincount(which, counts)
    if len(found) < FEWEST_VALUES:
        return ""
    return hashlib.blake2b(found.tobytes() + counts.astype(np.int64).tobytes(), digest_size=8).hexdigest()


def sampled_slices(along: Sequence[float]) -> list[int]:
    """Which slices of a stack stand for it: the middle one, and one that its place decides.

    That one is the slice whose place, in mm, has the lowest hash: two exports of which one lacks some slices have it in
    common, most likely (min-wise sampling; Broder 1997).

    Args:
        along: places of the slices along their normal, mm, in order.
    """

    def rank(place: float) -> bytes:
        return hashlib.blake2b(f"{abs(round(place + 1e-3))}".encode(), digest_size=8).digest()

    lowest = min(range(len(along)), key=lambda k: (rank(along[k]), k))
    return sorted({len(along) // 2, lowest})


def places_of_slices(geometry: Mapping[str, Any]) -> np.ndarray:
    """Where the slices of an image lie along its third axis, mm, by size, spacing, origin and direction."""
    normal = np.array(geometry["direction"]).reshape(3, 3)[:, 2]
    return normal @ np.array(geometry["origin"]) + geometry["spacing"][2] * np.arange(geometry["size"][2])


def hashes_of_volume(voxels: np.ndarray, along: Sequence[float]) -> list[str]:
    """Hashes of the sampled slices of an image of axial slices, (z, y, x), and of the middle one counted from the other
    end; see `hash_of_slice`."""
    chosen = {*sampled_slices(along), (len(along) - 1) // 2}
    return sorted({hash_of_slice(voxels[k]) for k in sorted(chosen)} - {""})


def hash_of_mask(voxels: np.ndarray) -> str:
    """Hash of the voxels of a mask that are not 0: where they lie in the array, and their values. Empty without any."""
    flat = voxels.reshape(len(voxels), -1)
    slices = np.flatnonzero(flat.any(axis=1))
    inside = flat[slices]
    places = np.flatnonzero(inside)
    if not len(places):
        return ""
    content = hashlib.blake2b(f"{voxels.shape}".encode(), digest_size=16)
    for part in (slices, places, inside.ravel()[places].astype(np.float64)):
        content.update(np.ascontiguousarray(part).tobytes())
    return content.hexdigest()
