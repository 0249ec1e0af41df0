"""Rigid registration of one phase to another of the same examination (Zhao 2024; docs/methods.md 4.4).

Mattes mutual information, because contrast differs between phases. By SimpleITK, or by ANTsPy's QuickRigid, which the
paper used, where that package is installed (it is not part of the environment: it needs an older numpy).
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from hcc_recurrence.imaging.resampling import resample_image

# Phases of one examination lie within breathing of each other; anything beyond has gone astray.
LARGEST_SHIFT_MM = 50.0
LARGEST_ANGLE_DEG = 20.0
# Masks of two phases are drawn separately: a little less overlap may be chance.
DICE_LOSS_ALLOWED = 0.05
# The last stage looks at what is within so many mm of the tumour's box. Tried on simulated pairs (15 mm and 5 degrees,
# breathing on top), at first. MR, 16 pairs: mean error over the tumour 0.5 mm with 4 mm, 0.8 with
# 12, 1.4 with 20. CT, 8 pairs: its noise needs more to look at: 4.8 mm with 4 mm, 5.4 with 12, 1.3 with 25. Since then
# tests/benchmarks/registration.py measures both: 0.5 and 2.6 mm.
REGION_MM = {"MR": 4.0, "CT": 25.0}
# In HU: air and bone would take most bins of a CT's histogram.
SOFT_TISSUE_HU = (-100.0, 250.0)
# The first stage sees the whole images, smoothed by so many mm.
COARSE_MM = 4.0
# The voxels of the last stage: finer ones are averaged, thick slices interpolated. MR: mean error 0.58 mm with 2 mm.
NEARBY_VOXEL_MM = {"MR": 1.5, "CT": 2.0}
# Room about the box of the moving image to move in.
ROOM_MM = 12.0
# A stage looks at no more voxels of the fixed image: a large tumour takes no longer than a small one.
MOST_SAMPLES = 20_000
ENGINES = ("simpleitk", "ants")
SEED = 20240101
# The fixed and the moving image of one stage.
Pair = tuple[sitk.Image, sitk.Image]


@dataclass(frozen=True)
class Registration:
    """A rigid transform from points of the fixed image to points of the moving one, and how good it is.

    dice_before, dice_after: overlap of both phases' tumour masks, NaN without masks. metric_before, metric_after:
    Mattes mutual information, lower is better. failed: why it must not be used; then `transform` is the identity.
    """

    transform: sitk.Transform
    shift_mm: float
    angle_deg: float
    metric_before: float
    metric_after: float
    dice_before: float
    dice_after: float
    failed: str = ""


def overlap(predicted: np.ndarray, reference: np.ndarray) -> float:
    """Dice of two 0/1 arrays; NaN where both are empty."""
    total = int(predicted.sum()) + int(reference.sum())
    return 2 * int((predicted.astype(bool) & reference.astype(bool)).sum()) / total if total else float("nan")


def dice(first: sitk.Image, second: sitk.Image) -> float:
    """Overlap of two masks on one grid, above 0 is inside; NaN where both are empty."""
    return overlap(*(sitk.GetArrayViewFromImage(m) > 0 for m in (first, second)))


def _mutual_information() -> sitk.ImageRegistrationMethod:
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(32)
    method.SetInterpolator(sitk.sitkLinear)
    # Differences between neighbouring voxels. The default, the gradient of the smoothed image, is made for the whole of
    # it at each evaluation, and was 0.1 mm less exact.
    method.SetMetricUseFixedImageGradientFilter(False)
    method.SetMetricUseMovingImageGradientFilter(False)
    return method


def _shrunk(image: sitk.Image, voxel_mm: float) -> sitk.Image:
    """Means of blocks of voxels, about so many mm wide; four voxels are left along each axis that has them."""
    axes = zip(image.GetSpacing(), image.GetSize(), strict=True)
    return sitk.BinShrink(image, [max(1, min(round(voxel_mm / spacing), size // 4)) for spacing, size in axes])


def _smoothed_pair(fixed: sitk.Image, moving: sitk.Image, sigma_mm: float) -> Pair:
    """Both images smoothed, in voxels of about sigma; of the fixed one a voxel each two sigma, which says as much."""
    fixed, moving = (sitk.SmoothingRecursiveGaussian(_shrunk(i, sigma_mm), sigma_mm) for i in (fixed, moving))
    return sitk.Shrink(fixed, [max(1, round(2 * sigma_mm / s)) for s in fixed.GetSpacing()]), moving


def _best_shift(coarse: Pair, start: sitk.Euler3DTransform) -> tuple[float, float, float]:
    """The shift with the best metric on a coarse lattice: a descent that starts too far away may not come back."""
    found = []
    for shift in product((-12.0, 0.0, 12.0), repeat=3):
        moved = sitk.Euler3DTransform(start)
        moved.SetTranslation(shift)
        # Of equally good shifts the smallest.
        found.append((round(_metric(coarse, moved), 6), float(np.abs(shift).sum()), shift))
    return min(found)[2]


def _descend(pair: Pair, transform: sitk.Euler3DTransform, smallest: float, may_turn: bool) -> None:
    """Improve the transform in place, by steps of 1 mm at first that are halved where they overshoot.

    Args: smallest: the last step, mm. may_turn: whether it may rotate.
    """
    method = _mutual_information()
    voxels = pair[0].GetNumberOfPixels()
    if voxels > MOST_SAMPLES:
        method.SetMetricSamplingStrategy(method.RANDOM)
        method.SetMetricSamplingPercentage(MOST_SAMPLES / voxels, SEED)
    method.SetOptimizerAsRegularStepGradientDescent(
        learningRate=1.0, minStep=smallest, numberOfIterations=100, relaxationFactor=0.5
    )
    method.SetOptimizerScalesFromPhysicalShift()
    if not may_turn:
        method.SetOptimizerWeights([0, 0, 0, 1, 1, 1])
    method.SetInitialTransform(transform, inPlace=True)
    method.Execute(*pair)


def _corners(mask: sitk.Image | None, margin_mm: float = 0.0) -> np.ndarray | None:
    """The eight corners of the mask's box, widened on all sides, as points (x, y, z) in mm; None where it is empty."""
    if mask is None:
        return None
    inside, ends = sitk.GetArrayViewFromImage(mask) > 0, []
    for axis, spacing in enumerate(reversed(mask.GetSpacing())):
        places = np.flatnonzero(inside.any(axis=tuple(a for a in range(3) if a != axis)))
        if not len(places):
            return None
        ends.append((float(places[0]) - margin_mm / spacing, float(places[-1]) + margin_mm / spacing))
    return np.array([mask.TransformContinuousIndexToPhysicalPoint(corner[::-1]) for corner in product(*ends)])


def _cut(image: sitk.Image, points: np.ndarray, margin_mm: float = 0.0) -> sitk.Image:
    """The smallest box of the image's voxels that holds the points, widened on all sides, as far as there are voxels.

    Raises: RuntimeError where no voxel is left.
    """
    places = np.array([image.TransformPhysicalPointToContinuousIndex(point) for point in points.tolist()])
    margin = margin_mm / np.array(image.GetSpacing())
    first = np.maximum(np.floor(places.min(axis=0) - margin), 0).astype(int)
    last = np.minimum(np.ceil(places.max(axis=0) + margin), np.array(image.GetSize()) - 1).astype(int)
    if (last < first).any():
        raise RuntimeError("the phases do not show the same place")
    return sitk.RegionOfInterest(image, (last - first + 1).tolist(), first.tolist())


def _moved(points: np.ndarray, transform: sitk.Transform) -> np.ndarray:
    return np.array([transform.TransformPoint(point) for point in points.tolist()])


def _nearby_pair(
    fixed: sitk.Image, moving: sitk.Image, corners: np.ndarray, transforms: Sequence[sitk.Transform], modality: str
) -> Pair:
    """Both images about the tumour: the fixed one's box, and where the transforms take it with room to move on."""
    there = np.concatenate([_moved(corners, transform) for transform in transforms])
    voxel = NEARBY_VOXEL_MM[modality]
    first, second = (
        resample_image(_shrunk(image, voxel), [voxel] * 3)
        for image in (_cut(fixed, corners), _cut(moving, there, ROOM_MM))
    )
    return first, second


def _metric(pair: Pair, transform: sitk.Transform) -> float:
    """Mattes mutual information, negative: lower is better.

    Raises: RuntimeError where the transform takes too little of the fixed image into the moving one.
    """
    method = _mutual_information()
    method.SetInitialTransform(transform, inPlace=False)
    return float(method.MetricEvaluate(*pair))


def _centre(image: sitk.Image) -> tuple[float, ...]:
    return image.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in image.GetSize()])


def _by_whole_images(coarse: Pair, start: sitk.Euler3DTransform) -> sitk.Euler3DTransform:
    found = sitk.Euler3DTransform(start)
    found.SetTranslation(_best_shift(coarse, start))
    _descend(coarse, found, smallest=0.02, may_turn=True)
    return found


def _by_ants(fixed: sitk.Image, moving: sitk.Image, start: sitk.Euler3DTransform) -> sitk.Euler3DTransform:
    import ants

    pair = [ants.from_sitk(image) for image in (fixed, moving)]
    result = ants.registration(*pair, type_of_transform="QuickRigid", random_seed=SEED)
    affine = sitk.AffineTransform(sitk.ReadTransform(result["fwdtransforms"][0]).Downcast())
    # The same transform about our centre: what moves there is the shift.
    found = sitk.Euler3DTransform(start)
    found.SetMatrix(affine.GetMatrix(), 1e-4)
    found.SetTranslation(np.subtract(affine.TransformPoint(start.GetCenter()), start.GetCenter()).tolist())
    return found


def register_rigid(
    fixed: sitk.Image,
    moving: sitk.Image,
    fixed_mask: sitk.Image | None = None,
    moving_mask: sitk.Image | None = None,
    modality: str = "MR",
    engine: str = "simpleitk",
) -> Registration:
    """Register `moving` to `fixed`, starting from the position that the scanner gives both.

    A result that is implausible (too far, too turned), no better by its own metric, or that pulls the two tumour masks
    apart is not used: the identity is returned with the reason in `failed`.

    Args:
        fixed, moving: any grids in one physical space; CT in HU. masks: on the grids of their images. With a mask of
            the fixed image the last stage, and the metric, look at what is near the tumour: breathing moves the liver,
            and not the body wall. What the metric is measured on differs with modality and mask: it compares before and
            after, and no two registrations.
        modality: MR or CT. engine: `simpleitk` or `ants`.

    Raises: ModuleNotFoundError where the engine is not installed.
    """
    if modality == "CT":
        fixed, moving = (sitk.Clamp(image, sitk.sitkFloat32, *SOFT_TISSUE_HU) for image in (fixed, moving))
    else:
        fixed, moving = (sitk.Cast(image, sitk.sitkFloat32) for image in (fixed, moving))
    start = sitk.Euler3DTransform()
    start.SetCenter(_centre(fixed))
    corners = _corners(fixed_mask, REGION_MM[modality])
    before, overlap = float("nan"), _overlap(fixed_mask, moving_mask, start)
    try:
        pair = _smoothed_pair(fixed, moving, COARSE_MM)
        by_ants = engine == "ants"
        found = _by_ants(fixed, moving, start) if by_ants else _by_whole_images(pair, start)
        if corners is not None:
            pair = _nearby_pair(fixed, moving, corners, (start, found), modality)
        elif not by_ants:
            pair = _smoothed_pair(fixed, moving, COARSE_MM / 2)
        before = _metric(pair, start)
        if not by_ants:
            # A small box does not hold enough to turn by.
            _descend(pair, found, smallest=0.01, may_turn=corners is None)
        after = _metric(pair, found)
    except RuntimeError as error:
        reason = f"the optimiser stopped: {str(error).strip().splitlines()[-1]}"
        return Registration(start, 0.0, 0.0, before, float("nan"), overlap, float("nan"), reason)
    overlap_after = _overlap(fixed_mask, moving_mask, found)
    shift = float(np.linalg.norm(found.GetTranslation()))
    angle = _angle(found)
    reason = ""
    if shift > LARGEST_SHIFT_MM or angle > LARGEST_ANGLE_DEG:
        reason = f"implausible: moved {shift:.0f} mm and turned {angle:.0f} degrees"
    elif not after <= before:
        reason = "the images match no better after it"
    elif overlap_after < overlap - DICE_LOSS_ALLOWED:
        reason = f"the tumour masks overlap less after it (Dice {overlap:.2f} before, {overlap_after:.2f} after)"
    used = start if reason else found
    return Registration(used, shift, angle, before, after, overlap, overlap_after, reason)


def _angle(transform: sitk.Euler3DTransform) -> float:
    """Angle of the rotation, in degrees."""
    matrix = np.array(transform.GetMatrix()).reshape(3, 3)
    return float(np.degrees(np.arccos(np.clip((np.trace(matrix) - 1) / 2, -1, 1))))


def apply_transform(image: sitk.Image, fixed: sitk.Image, transform: sitk.Transform, is_mask: bool) -> sitk.Image:
    """The image on the fixed grid: linear, masks nearest; outside the field of view the image's lowest value."""
    if is_mask:
        return sitk.Resample(image, fixed, transform, sitk.sitkNearestNeighbor, 0, image.GetPixelID())
    lowest = float(sitk.GetArrayViewFromImage(image).min())
    return sitk.Resample(image, fixed, transform, sitk.sitkLinear, lowest, image.GetPixelID())


def _overlap(fixed_mask: sitk.Image | None, moving_mask: sitk.Image | None, transform: sitk.Transform) -> float:
    """Dice of the masks, the moving one taken along; NaN without one. Counted where either of them is."""
    if fixed_mask is None or moving_mask is None:
        return float("nan")
    # A voxel reaches half its size beyond its middle.
    here, there = _corners(fixed_mask), _corners(moving_mask, max(moving_mask.GetSpacing()))
    if here is None and there is None:
        return float("nan")
    if here is None or there is None:
        return 0.0
    grid = _cut(fixed_mask, np.concatenate([here, _moved(there, transform.GetInverse())]), max(fixed_mask.GetSpacing()))
    return dice(grid, apply_transform(moving_mask, grid, transform, is_mask=True))


def write_quality(patient: str, phase: str, found: Registration, path: Path) -> None:
    """One row of a table: patient_id, phase, and all of the registration but its transform; empty is unknown."""
    row = {}
    for key, value in vars(found).items():
        if key != "transform":
            row[key] = value if isinstance(value, str) else "" if np.isnan(value) else f"{value:.10g}"
    with open(path, "w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(["patient_id", "phase", *row])
        table.writerow([patient, phase, *row.values()])
