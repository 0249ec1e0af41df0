"""The images that radiomics measures of one volume: as it is, Laplacian of Gaussian, wavelets.

Each filter is PyRadiomics' own, run once for all masks on the box it needs about them and not on the whole volume.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import SimpleITK as sitk

from hcc_recurrence.imaging.crops import crop_with_padding

# The recursive Gaussian behind the Laplacian has long tails: at 8 sigma some features still move by more
# than 1e-4 of their value, at 12 sigma none does (tests/unit/test_radiomics.py measures it).
MARGIN_SIGMAS = 12
# Voxels beyond those that the wavelets' filters reach; nearer to the border PyRadiomics wraps round the whole volume,
# so there the whole axis is kept.
WAVELET_MARGIN = 2

Box = tuple[np.ndarray, np.ndarray]


def smoothing_box(box: Box, shape: tuple[int, ...], spacing: np.ndarray, sigma: float) -> Box:
    """The box that a Laplacian of Gaussian needs to leave the voxels of `box` unchanged.

    Args:
        box: first and last-plus-one voxel (z, y, x). spacing: (z, y, x) in mm. sigma: in mm.
    """
    margin = np.ceil(MARGIN_SIGMAS * sigma / spacing).astype(int)
    return np.maximum(box[0] - margin, 0), np.minimum(box[1] + margin, shape)


def wavelet_reach(wavelet: str, level: int) -> int:
    """How many voxels away a value counts in the last of so many levels: 6 of one level of coif1, and a margin.

    Each level of the stationary transform spreads its filter twice as far as the one before.
    """
    import pywt

    return pywt.Wavelet(wavelet).dec_len * (2**level - 1) + WAVELET_MARGIN


def wavelet_box(box: Box, shape: tuple[int, ...], reach: int) -> Box:
    """The box that wavelets need; the whole axis where the mask is near its end, where it wraps round."""
    first, last = box
    near_end = (first < reach) | (last > np.array(shape) - reach)
    return np.where(near_end, 0, first - reach), np.where(near_end, shape, last + reach)


def normaliser(image: sitk.Image, settings: Mapping[str, Any]) -> tuple[float, float] | None:
    """Mean and standard deviation (n - 1) of the whole volume, where the settings ask for normalisation.

    Source: PyRadiomics' `normalizeImage`, which works on the whole volume.
    """
    if not settings["normalise"]:
        return None
    statistics = sitk.StatisticsImageFilter()
    statistics.Execute(image)
    return statistics.GetMean(), statistics.GetSigma()


def filtered_images(image: sitk.Image, box: Box, settings: Mapping[str, Any]) -> Iterator[tuple[str, np.ndarray]]:
    """Name and values within `box` of each image that the settings name, in PyRadiomics' order.

    Args:
        image: a whole volume: normalisation needs it.
        box: first and last-plus-one voxel (z, y, x) of all masks together.
        settings: a named `radiomics` entry of the config.
    """
    from radiomics.imageoperations import getLoGImage, getWaveletImage

    shape = image.GetSize()[::-1]
    scale = normaliser(image, settings)

    def cut(part: Box) -> sitk.Image:
        start, size = part[0][::-1].tolist(), (part[1] - part[0])[::-1].tolist()
        piece = sitk.RegionOfInterest(image, size, start)
        if scale is None:
            return piece
        mean, deviation = scale
        return sitk.ShiftScale(sitk.Cast(piece, sitk.sitkFloat64), -mean, 1 / deviation) * settings["normalise_scale"]

    def within(filtered: sitk.Image, part: Box) -> np.ndarray:
        # A copy: a view of an image that nothing holds reads freed memory.
        return crop_with_padding(sitk.GetArrayViewFromImage(filtered), box[0] - part[0], box[1] - part[0])

    yield "original", sitk.GetArrayFromImage(cut(box))
    for sigma in map(float, settings["log_sigma_mm"]):
        part = smoothing_box(box, shape, np.array(image.GetSpacing()[::-1]), sigma)
        for filtered, name, _ in getLoGImage(cut(part), None, sigma=[sigma]):
            yield name, within(filtered, part)
    if settings["wavelet"]:
        how = {"wavelet": settings["wavelet"], "level": settings["wavelet_level"]}
        part = wavelet_box(box, shape, wavelet_reach(**how))
        for filtered, name, _ in getWaveletImage(cut(part), None, **how):
            yield name, within(filtered, part)
