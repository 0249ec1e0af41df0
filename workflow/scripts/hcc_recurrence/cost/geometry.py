"""How large the images of a cohort are, for what resampling and reading them costs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class Geometry(NamedTuple):
    """A series: its slices, rows and columns; what it shows, mm along z, y, x; the diameter of a tumour, mm."""

    shape: tuple[float, float, float]
    extent_mm: tuple[float, float, float]
    tumour_mm: float

    @property
    def voxels(self) -> float:
        """In millions."""
        return math.prod(self.shape) / 1e6

    def on_grid(self, spacing_mm: Sequence[float]) -> float:
        """Voxels on a grid, in millions; as acquired where it has no spacing."""
        if not spacing_mm:
            return self.voxels
        return math.prod(extent / step for extent, step in zip(self.extent_mm, spacing_mm, strict=True)) / 1e6


# An adult's abdomen, where nothing is known of the images: chosen, not measured.
TYPICAL = {
    "CT": Geometry((100, 512, 512), (250, 380, 380), 45),
    "MR": Geometry((72, 260, 320), (216, 310, 380), 45),
}


def simulated_geometry(rows: Sequence[Mapping[str, Any]], scanners: Mapping[str, Any]) -> Geometry:
    """The mean of simulated patients, by their rows of the simulation sheet (columns scanner, radius_mm)."""
    used = [scanners[row["scanner"]] for row in rows]
    shapes = [s.shape for s in used]
    extents = [[n * step for n, step in zip(s.shape, s.spacing_mm, strict=True)] for s in used]

    def mean(table: Sequence[Sequence[float]]) -> tuple[float, float, float]:
        z, y, x = (sum(column) / len(table) for column in zip(*table, strict=True))
        return z, y, x

    diameters = [2 * float(row["radius_mm"]) for row in rows]
    return Geometry(mean(shapes), mean(extents), sum(diameters) / len(diameters))
