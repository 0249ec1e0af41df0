"""PyRadiomics' feature classes on values that were cut, binned and counted once.

PyRadiomics bins an image anew for each class of features and spends most of its time on four formulas and on matrices
that it counts voxel by voxel. Its matrix of the GLCM (C code) and its other formulas are used as they are; what is
replaced gives the same features (tests/unit/test_radiomics.py compares each).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
from radiomics.base import RadiomicsFeaturesBase
from radiomics.glcm import RadiomicsGLCM
from radiomics.gldm import RadiomicsGLDM
from radiomics.glrlm import RadiomicsGLRLM
from radiomics.glszm import RadiomicsGLSZM
from radiomics.ngtdm import RadiomicsNGTDM

from hcc_recurrence.radiomics.neighbours import (
    DIRECTIONS,
    dependences,
    has_neighbours_all_ways,
    run_lengths,
    sums_of_neighbours,
    with_border,
    zones,
)

EPSILON = np.spacing(1)


@dataclass(frozen=True)
class Region:
    """Values of an image in the bounding box of a mask (z, y, x), and their bins.

    bin_width: of grey levels. voxel_volume: in mm3. voxel_array_shift: added before energies, as in PyRadiomics.
    """

    values: np.ndarray
    mask: np.ndarray
    bin_width: float
    voxel_volume: float
    voxel_array_shift: float

    @cached_property
    def voxels(self) -> np.ndarray:
        """The values inside the mask, float64."""
        return self.values[self.mask].astype(np.float64)

    @cached_property
    def grey_levels(self) -> np.ndarray:
        """Of each voxel, from 1 on; PyRadiomics' fixed bin width, with edges at multiples of it."""
        voxels, width = self.voxels, self.bin_width
        low = voxels.min() - voxels.min() % width
        edges = np.arange(low, voxels.max() + 2 * width, width)
        return np.ones(len(voxels), np.int64) if len(edges) == 1 else np.digitize(voxels, edges)

    @cached_property
    def binned(self) -> np.ndarray:
        """Grey levels in the box, zero outside the mask."""
        binned = np.zeros(self.values.shape, np.int32)
        binned[self.mask] = self.grey_levels
        return binned

    @cached_property
    def bordered(self) -> np.ndarray:
        """Grey levels in the box with a border of zeros, for `neighbours`."""
        return with_border(self.binned)

    @cached_property
    def level_counts(self) -> np.ndarray:
        """Voxels of each grey level, from level 0 on."""
        return np.bincount(self.grey_levels)


class FirstOrder:
    """PyRadiomics' first order features. Source: its documentation, "First Order Features"."""

    def __init__(self, region: Region) -> None:
        self.region = region

    def features(self) -> Iterator[tuple[str, float]]:
        """Name and value, in PyRadiomics' (alphabetical) order."""
        voxels = self.region.voxels
        p10, p25, p50, p75, p90 = np.percentile(voxels, [10, 25, 50, 75, 90])
        lowest, highest, mean = voxels.min(), voxels.max(), voxels.mean()
        off = voxels - mean
        squares = off * off
        m2, m3, m4 = squares.mean(), (squares * off).mean(), (squares * squares).mean()
        middle = voxels[(voxels >= p10) & (voxels <= p90)]
        shifted = voxels + self.region.voxel_array_shift
        energy = shifted @ shifted
        share = self.region.level_counts / len(voxels)
        share = share[share > 0]
        yield "10Percentile", p10
        yield "90Percentile", p90
        yield "Energy", energy
        yield "Entropy", -(share * np.log2(share + EPSILON)).sum()
        yield "InterquartileRange", p75 - p25
        yield "Kurtosis", m4 / m2**2 if m2 else 0.0
        yield "Maximum", highest
        yield "MeanAbsoluteDeviation", np.abs(off).mean()
        yield "Mean", mean
        yield "Median", p50
        yield "Minimum", lowest
        yield "Range", highest - lowest
        yield "RobustMeanAbsoluteDeviation", np.abs(middle - middle.mean()).mean()
        yield "RootMeanSquared", np.sqrt(energy / len(voxels))
        yield "Skewness", m3 / m2**1.5 if m2 else 0.0
        yield "TotalEnergy", energy * self.region.voxel_volume
        yield "Uniformity", (share**2).sum()
        yield "Variance", m2


@cache
def feature_names(kind: type[RadiomicsFeaturesBase]) -> tuple[str, ...]:
    """Names of a class' features that are not deprecated, in PyRadiomics' order."""
    return tuple(name for name, deprecated in kind.getFeatureNames().items() if not deprecated)


class _OnRegion(RadiomicsFeaturesBase):
    """A class of PyRadiomics on a region that is already cut and binned."""

    # From PyRadiomics' settings: no weighting by distance, both directions of a pair.
    weightingNorm = None
    symmetricalGLCM = True
    gldm_a = 0
    voxelBased = False

    def __init__(self, region: Region) -> None:
        self.logger = logging.getLogger("radiomics")
        self.settings: dict[str, Any] = {}
        self.region = region
        self.imageArray = region.binned
        self.maskArray = region.mask
        levels = np.flatnonzero(region.level_counts)
        self.coefficients: dict[str, Any] = {"grayLevels": levels, "Ng": int(levels[-1])}

    def features(self) -> Iterator[tuple[str, float]]:
        """Name and value, in PyRadiomics' order."""
        self._initCalculation()
        for name in feature_names(type(self)):
            yield name, float(np.squeeze(getattr(self, f"get{name}FeatureValue")()))


class CooccurrenceFeatures(_OnRegion, RadiomicsGLCM):
    """PyRadiomics' GLCM features; those of sums and differences of levels from their distributions."""

    def _calculateCoefficients(self) -> None:
        # Here as in PyRadiomics: one kernel, levels that occur, levels that occur, directions.
        matrix, highest = self.P_glcm, self.coefficients["Ng"]
        levels = self.coefficients["grayLevels"]
        by_direction = np.moveaxis(matrix[0], -1, 0).reshape(matrix.shape[3], -1)

        def distribution(keys: np.ndarray, size: int) -> np.ndarray:
            return np.stack([np.bincount(keys.ravel(), one, size) for one in by_direction], axis=1)[None]

        i, j = np.meshgrid(levels.astype(float), levels.astype(float), indexing="ij", sparse=True)
        px, py = matrix.sum(2, keepdims=True), matrix.sum(1, keepdims=True)
        self.coefficients |= {
            "eps": EPSILON,
            "i": i,
            "j": j,
            "kValuesSum": np.arange(2, highest * 2 + 1, dtype=float),
            "kValuesDiff": np.arange(0, highest, dtype=float),
            "px": px,
            "py": py,
            "ux": (levels[None, :, None, None] * px).sum((1, 2), keepdims=True),
            "uy": (levels[None, None, :, None] * py).sum((1, 2), keepdims=True),
            "pxAddy": distribution(levels[:, None] + levels - 2, 2 * highest - 1),
            "pxSuby": distribution(np.abs(levels[:, None] - levels), highest),
            "HXY": -(matrix * np.log2(matrix + EPSILON)).sum((1, 2)),
        }

    def _moment_of_sums(self, order: int) -> np.ndarray:
        off = self.coefficients["kValuesSum"][None, :, None] - (self.coefficients["ux"] + self.coefficients["uy"])[0]
        return np.nanmean((self.coefficients["pxAddy"] * off**order).sum(1), 1)

    def getClusterProminenceFeatureValue(self) -> np.ndarray:
        """The fourth moment of i + j about its mean."""
        return self._moment_of_sums(4)

    def getClusterShadeFeatureValue(self) -> np.ndarray:
        """The third moment."""
        return self._moment_of_sums(3)

    def getClusterTendencyFeatureValue(self) -> np.ndarray:
        """The second moment."""
        return self._moment_of_sums(2)

    def getMCCFeatureValue(self) -> np.ndarray | int:
        """Maximal correlation coefficient: the root of the second largest eigenvalue of Q, one Q a direction.

        Q(i, j) = sum over k of p(i, k) p(j, k) / (px(i) py(k)) is a product of two matrices, and as similar to a
        symmetric one as PyRadiomics' epsilon in the divisor lets it be: its eigenvalues are real.
        """
        matrix = np.moveaxis(self.P_glcm[0], -1, 0)
        if matrix.shape[1] < 2:
            return 1
        rows = matrix.sum(2)
        q = (matrix / (rows[:, :, None] * matrix.sum(1)[:, None, :] + EPSILON)) @ matrix.transpose(0, 2, 1)
        scale = np.sqrt(np.where(rows > 0, rows, 1.0))
        similar = q * scale[:, :, None] / scale[:, None, :]
        second = np.linalg.eigvalsh((similar + similar.transpose(0, 2, 1)) / 2)[:, -2]
        return np.nanmean(np.sqrt(np.maximum(second, 0.0)))


class RunFeatures(_OnRegion, RadiomicsGLRLM):
    """PyRadiomics' GLRLM features."""

    def _calculateMatrix(self, voxelCoordinates: None = None) -> np.ndarray:
        if not has_neighbours_all_ways(self.region.bordered):
            return super()._calculateMatrix()
        counts = run_lengths(self.region.bordered, self.coefficients["Ng"])
        counts = counts[self.coefficients["grayLevels"] - 1][None]
        self.coefficients["Nr"] = counts.sum((1, 2))
        return counts


class ZoneFeatures(_OnRegion, RadiomicsGLSZM):
    """PyRadiomics' GLSZM features, of the few sizes that occur and not of every size up to the largest."""

    def _calculateMatrix(self, voxelCoordinates: None = None) -> np.ndarray:
        levels, sizes = zones(self.region.bordered)
        self._sizes, of_size = np.unique(sizes, return_inverse=True)
        highest, width = self.coefficients["Ng"], len(self._sizes)
        counts = np.bincount((levels - 1) * width + of_size, minlength=highest * width).reshape(highest, width)
        return counts[self.coefficients["grayLevels"] - 1][None].astype(np.float64)

    def _calculateCoefficients(self) -> None:
        sizes, by_size = self._sizes.astype(np.float64), self.P_glszm.sum(1)
        self.coefficients |= {
            "Nz": self.P_glszm.sum((1, 2)),
            "Np": (by_size * sizes).sum(1),
            "ps": by_size,
            "pg": self.P_glszm.sum(2),
            "ivector": self.coefficients["grayLevels"].astype(float),
            "jvector": sizes,
        }


class ToneFeatures(_OnRegion, RadiomicsNGTDM):
    """PyRadiomics' NGTDM features."""

    def _calculateMatrix(self, voxelCoordinates: None = None) -> np.ndarray:
        region, present = self.region, self.coefficients["grayLevels"]
        inside = with_border(region.mask.astype(np.uint8))
        neighbours = sums_of_neighbours(inside)[region.mask]
        mean = sums_of_neighbours(region.bordered)[region.mask] / np.maximum(neighbours, 1)
        # A voxel without neighbours counts, and differs from none.
        off = np.where(neighbours > 0, np.abs(region.grey_levels - mean), 0.0)
        differences = np.bincount(region.grey_levels, off)
        return np.stack([region.level_counts[present], differences[present], present], axis=1)[None]


class DependenceFeatures(_OnRegion, RadiomicsGLDM):
    """PyRadiomics' GLDM features."""

    def _calculateMatrix(self, voxelCoordinates: None = None) -> np.ndarray:
        region, most = self.region, 2 * len(DIRECTIONS) + 1
        alike = dependences(region.bordered)[region.mask]
        counts = np.bincount(region.grey_levels * most + alike, minlength=(self.coefficients["Ng"] + 1) * most)
        counts = counts.reshape(-1, most)[self.coefficients["grayLevels"]].astype(np.float64)
        sizes = np.flatnonzero(counts.any(axis=0))
        matrix = counts[:, sizes][None]
        self.coefficients |= {
            "Nz": matrix.sum((1, 2)),
            "pd": matrix.sum(1),
            "pg": matrix.sum(2),
            "ivector": self.coefficients["grayLevels"].astype(float),
            "jvector": sizes + 1.0,
        }
        return matrix


CLASSES = {
    "firstorder": FirstOrder,
    "glcm": CooccurrenceFeatures,
    "glrlm": RunFeatures,
    "glszm": ZoneFeatures,
    "ngtdm": ToneFeatures,
    "gldm": DependenceFeatures,
}


def region_features(region: Region) -> Iterator[tuple[str, float]]:
    """Class and name (`glcm_Contrast`) and value of each feature but those of shape."""
    for kind, measure in CLASSES.items():
        for name, value in measure(region).features():
            yield f"{kind}_{name}", float(value)
