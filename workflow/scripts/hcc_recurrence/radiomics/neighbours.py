"""Texture matrices of a region, counted by comparing whole arrays with themselves, shifted by one voxel.

PyRadiomics' C code visits voxel by voxel; these count the same and take a fifth of its time. All work on grey levels
(z, y, x) with a border of one voxel: whole numbers from 1 on inside the mask, 0 outside and on the border. In the flat
array a neighbour is then a fixed number of places away, and a step over the edge lands on 0.
"""

from __future__ import annotations

from itertools import product

import numpy as np

# Half of the 26 neighbours, in PyRadiomics' order; the others are the same pairs from the other side.
DIRECTIONS = tuple(d for d in product((1, 0, -1), repeat=3) if d > (0, 0, 0))


def with_border(levels: np.ndarray) -> np.ndarray:
    """Levels, (z, y, x), 0 outside the mask, with a border of zeros, in the narrowest unsigned kind that holds them."""
    return np.pad(levels.astype(np.min_scalar_type(int(levels.max()))), 1)


def _steps(shape: tuple[int, ...]) -> list[int]:
    """How far each direction's neighbour is in the flat array."""
    strides = (shape[1] * shape[2], shape[2], 1)
    return [sum(d * s for d, s in zip(direction, strides, strict=True)) for direction in DIRECTIONS]


def has_neighbours_all_ways(levels: np.ndarray) -> bool:
    """Whether in each of the 13 directions two voxels of the mask lie side by side.

    Where they do not, as in a mask of one slice, PyRadiomics leaves out some directions.
    """
    inside = levels.ravel() > 0
    return all((inside[:-step] & inside[step:]).any() for step in _steps(levels.shape))


def dependences(levels: np.ndarray) -> np.ndarray:
    """Of each voxel within the border how many of it and its 26 neighbours have its level, less one, uint8."""
    flat = levels.ravel()
    alike = np.zeros(flat.size, np.uint8)
    for step in _steps(levels.shape):
        same = (flat[:-step] == flat[step:]).view(np.uint8)
        alike[:-step] += same
        alike[step:] += same
    return _within(alike.reshape(levels.shape))


def _within(bordered: np.ndarray) -> np.ndarray:
    return bordered[1:-1, 1:-1, 1:-1]


def sums_of_neighbours(levels: np.ndarray) -> np.ndarray:
    """The sum of the 26 neighbours of each voxel within the border, float64."""
    largest = int(levels.max()) * len(DIRECTIONS) * 2
    # One axis after the other: three additions in place of 26.
    total = levels.astype(np.min_scalar_type(largest + int(levels.max())))
    for axis in range(3):
        part = np.moveaxis(total, axis, 0)
        total = np.moveaxis(part[:-2] + part[1:-1] + part[2:], 0, axis)
    return total.astype(np.float64) - _within(levels)


def run_lengths(levels: np.ndarray, highest: int) -> np.ndarray:
    """Runs of one level by level (from 1 to the highest), length (from 1 on) and direction, float64."""
    counts = []
    # The border is no part of a run; one more than the longest.
    width = max(levels.shape) - 1
    for step in _steps(levels.shape):
        # As rows of this length the voxels of a run stand below each other; zeros keep runs of two columns apart.
        rows = -(-levels.size // step)
        padded = np.zeros(rows * step, levels.dtype)
        padded[: levels.size] = levels.ravel()
        line = padded.reshape(rows, step).T.ravel()
        ends = np.flatnonzero(line[1:] != line[:-1])
        # What comes before the first change and after the last one lies outside, where runs may be of any length.
        keys = line.take(ends[1:]) * np.int64(width)
        keys += np.minimum(np.diff(ends), width - 1)
        counts.append(np.bincount(keys, minlength=(highest + 1) * width).reshape(highest + 1, width)[1:, 1:])
    return np.stack(counts, axis=-1).astype(np.float64)


def zones(levels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Level and size in voxels of each zone: voxels of one level that touch each other, at least by a corner.

    Runs along x are the nodes of a graph; of its edges those are left out that follow from others.
    """
    flat = levels.ravel()
    starts = np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1])
    lengths = np.diff(starts, append=flat.size)
    run_of = np.repeat(np.arange(len(starts), dtype=np.int32), lengths)
    label = _components(run_of, _edges(flat, levels.shape), len(starts))
    of = flat[starts]
    # A zone is known by its first run.
    sizes = np.bincount(label, lengths).astype(np.int64)
    roots = np.flatnonzero(sizes)
    roots = roots[of[roots] > 0]
    return of[roots].astype(np.int64), sizes[roots]


def _edges(flat: np.ndarray, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of places of one level that lie in neighbouring lines along x."""
    first, second = [], []
    inside = flat > 0
    beside = np.append(flat[:-1] == flat[1:], False)
    for dz, dy in ((0, 1), (1, -1), (1, 0), (1, 1)):
        step = dz * shape[1] * shape[2] + dy * shape[2]
        number = flat.size - step - 1
        # Place k + 1 and the place that lies straight above it; and what is known of the place before it.
        above = (flat[:-step] == flat[step:]) & inside[:-step]
        found = np.flatnonzero(above[1:] & ~(above[:-1] & beside[: len(above) - 1])) + 1
        first.append(found)
        second.append(found + step)
        # Slanting upwards, where neither the place beside it nor the one above it leads there.
        right = (flat[:number] == flat[step + 1 :]) & inside[:number] & ~beside[:number] & ~above[:number]
        found = np.flatnonzero(right)
        first.append(found)
        second.append(found + step + 1)
        left = (flat[1 : number + 1] == flat[step : step + number]) & inside[1 : number + 1]
        found = np.flatnonzero(left & ~beside[:number] & ~above[1 : number + 1]) + 1
        first.append(found)
        second.append(found + step - 1)
    return np.concatenate(first), np.concatenate(second)


def _components(run_of: np.ndarray, edges: tuple[np.ndarray, np.ndarray], number: int) -> np.ndarray:
    """The lowest node that each of so many nodes is joined to.

    In turns each root takes the lowest of its neighbours as its root, and edges are drawn anew between roots
    (Boruvka's way; few turns, for what is left of the edges becomes a fraction in each).
    """
    label = np.arange(number, dtype=np.int32)
    first, second = run_of[edges[0]], run_of[edges[1]]
    while len(first):
        np.minimum.at(label, np.maximum(first, second), np.minimum(first, second))
        while True:
            further = label[label]
            if np.array_equal(further, label):
                break
            label = further
        first, second = label[first], label[second]
        differ = first != second
        first, second = first[differ], second[differ]
    return label
