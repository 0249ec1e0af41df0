"""PyRadiomics' shape features, without its comparison of every vertex with every other.

PyRadiomics' C code takes time with the square of the surface: 0.6 s at a radius of 40 mm. The same
mesh is measured here from how often each of the 256 kinds of corner occurs, and its diameters from its outermost
vertices. Areas and volumes of the kinds come from PyRadiomics' C code itself.
"""

from __future__ import annotations

import itertools

import numpy as np
from radiomics import cShape
from radiomics.shape import RadiomicsShape

# To a voxel's neighbours, one of each pair of opposite ones; the first is positive. Along axes first: few are left.
DIRECTIONS = sorted(
    (np.array(d) for d in itertools.product((-1, 0, 1), repeat=3) if d > (0, 0, 0)), key=lambda d: np.abs(d).sum()
)
# Distances held in memory at once are these rows by all vertices.
ROWS_AT_ONCE = 1000


def _mesh_of_kinds(spacing: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Area, volume and change of volume by shift (z, y, x) of the mesh in each kind of 2 x 2 x 2 corner.

    A kind is the number whose bits are the eight voxels. The volume is the sum of tetrahedra to the origin, so a
    part of a mesh has more of it farther out: the change is measured by a doubled first plane, which shifts the kind.
    """
    area, volume, shift = np.zeros(256), np.zeros(256), np.zeros((256, 3))
    for kind in range(1, 255):
        corner = np.array([kind >> bit & 1 for bit in range(8)], bool).reshape(2, 2, 2)
        area[kind], volume[kind], _ = cShape.calculate_coefficients(corner, spacing)
        for axis in range(3):
            first = corner.take([0], axis)
            doubled = cShape.calculate_coefficients(np.concatenate([first, corner], axis), spacing)[1]
            alone = cShape.calculate_coefficients(np.concatenate([first, first], axis), spacing)[1]
            shift[kind, axis] = doubled - alone - volume[kind]
    return area, volume, shift


def mesh_size(mask: np.ndarray, spacing: np.ndarray) -> tuple[float, float]:
    """Surface area (mm2) and volume (mm3) of PyRadiomics' mesh about a mask (z, y, x) that has a border of zeros."""
    kinds = np.zeros(np.array(mask.shape) - 1, np.uint8)
    for bit in range(8):
        z, y, x = bit >> 2 & 1, bit >> 1 & 1, bit & 1
        inside = mask[z : mask.shape[0] - 1 + z, y : mask.shape[1] - 1 + y, x : mask.shape[2] - 1 + x]
        kinds |= inside.astype(np.uint8) << bit
    places = np.nonzero((kinds > 0) & (kinds < 255))
    found = kinds[places]
    area, volume, shift = _mesh_of_kinds(spacing)
    moved = sum(float(shift[found, axis] @ places[axis]) for axis in range(3))
    return float(area[found].sum()), float(volume[found].sum()) + moved


def mesh_vertices(mask: np.ndarray) -> np.ndarray:
    """Vertices (n, 3) of the mesh in half voxels (z, y, x): halfway between a voxel inside and one outside."""
    found = []
    for axis in range(3):
        places = np.argwhere(np.diff(mask.view(np.int8), axis=axis)) * 2
        places[:, axis] += 1
        found.append(places)
    return np.concatenate(found)


def _ends_of_lines(vertices: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """The first and the last vertex on each line along one of DIRECTIONS: the outermost of all are among these."""
    along = int(np.flatnonzero(direction)[0])
    others = [a for a in range(3) if a != along]
    # What is the same for all vertices of a line, and the place on it.
    line = vertices[:, others] - vertices[:, [along]] * direction[others]
    order = np.lexsort((vertices[:, along], line[:, 1], line[:, 0]))
    new = (np.diff(line[order], axis=0) != 0).any(axis=1)
    return vertices[order[np.concatenate([[True], new]) | np.concatenate([new, [True]])]]


def _largest_distance(points: np.ndarray) -> float:
    """Largest distance between any two of the points (n, d)."""
    points = points - points.mean(axis=0)
    square = (points**2).sum(axis=1)
    largest = 0.0
    for at in range(0, len(points), ROWS_AT_ONCE):
        rows = slice(at, at + ROWS_AT_ONCE)
        largest = max(largest, float((square[rows, None] + square - 2 * points[rows] @ points.T).max()))
    return float(np.sqrt(largest))


def mesh_diameters(mask: np.ndarray, spacing: np.ndarray) -> tuple[float, float, float, float]:
    """Largest distance between vertices, in mm: within one z, one y and one x, and any (PyRadiomics' order)."""
    vertices = mesh_vertices(mask)
    within = []
    for axis in range(3):
        ends = _ends_of_lines(vertices, np.eye(3, dtype=int)[(axis + 1) % 3])
        ends = ends[np.argsort(ends[:, axis], kind="stable")]
        planes = np.split(ends * (spacing / 2), np.flatnonzero(np.diff(ends[:, axis])) + 1)
        within.append(max(map(_largest_distance, planes)))
    for direction in DIRECTIONS:
        vertices = _ends_of_lines(vertices, direction)
    return *within, _largest_distance(vertices * (spacing / 2))


class ShapeFeatures(RadiomicsShape):
    """PyRadiomics' shape features of a mask (z, y, x; bool) with spacing (z, y, x) in mm."""

    def __init__(self, mask: np.ndarray, spacing: np.ndarray) -> None:
        padded = np.pad(mask, 1)
        self.pixelSpacing = spacing
        self.SurfaceArea, self.Volume = mesh_size(padded, spacing)
        self.diameters = mesh_diameters(padded, spacing)
        self.labelledVoxelCoordinates = np.nonzero(padded)
        places = np.stack(self.labelledVoxelCoordinates, axis=1) * spacing
        places -= places.mean(axis=0)
        # In ascending order; a flat mask's smallest may be a little below zero, which PyRadiomics takes for zero.
        values = np.linalg.eigvalsh(places.T @ places / len(places))
        self.eigenValues = np.where((values < 0) & (values > -1e-10), 0.0, values)
