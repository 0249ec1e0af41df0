"""Rigid registration of one phase to another of the same examination (Zhao 2024; METHODS.md 4.4).

By SimpleITK: Mattes mutual information, because contrast differs between phases, from coarse to fine. The paper used
ANTsPy's QuickRigid, whose package needs an older numpy than this environment has (METHODS.md 7: SimpleITK as fallback).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import SimpleITK as sitk

if TYPE_CHECKING:
    import pandas as pd

# Phases of one examination lie within breathing of each other; anything beyond has gone astray.
LARGEST_SHIFT_MM = 50.0
LARGEST_ANGLE_DEG = 20.0
# Masks of two phases are drawn separately: a little less overlap may be chance.
DICE_LOSS_ALLOWED = 0.05
SEED = 20240101


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


def dice(first: sitk.Image, second: sitk.Image) -> float:
    """Overlap of two 0/1 masks on one grid; NaN where both are empty."""
    a, b = (sitk.GetArrayViewFromImage(m) > 0 for m in (first, second))
    total = int(a.sum()) + int(b.sum())
    return 2 * int((a & b).sum()) / total if total else float("nan")


def _method(fixed: sitk.Image) -> sitk.ImageRegistrationMethod:
    method = sitk.ImageRegistrationMethod()
    # Few bins: with many, interpolation itself makes ripples in the metric. Tried on simulated MR on a 2 mm grid: the
    # mean error over the tumour was 0.6 mm with 20 bins and 0.9 mm with 50.
    method.SetMetricAsMattesMutualInformation(20)
    method.SetMetricSamplingStrategy(method.RANDOM)
    # About 100,000 points at the finest level, and never all of a large volume: more do not make it more exact.
    voxels = fixed.GetNumberOfPixels()
    shares = [min(1.0, 1e5 / max(voxels / shrink**3, 1)) for shrink in (4, 2, 1)]
    method.SetMetricSamplingPercentagePerLevel(shares, SEED)
    method.SetShrinkFactorsPerLevel([4, 2, 1])
    method.SetSmoothingSigmasPerLevel([4, 2, 0])
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsGradientDescent(
        learningRate=1.0,
        numberOfIterations=150,
        convergenceMinimumValue=1e-6,
        convergenceWindowSize=10,
        estimateLearningRate=method.EachIteration,
        maximumStepSizeInPhysicalUnits=1.0,
    )
    method.SetOptimizerScalesFromPhysicalShift()
    return method


def _best_shift(fixed: sitk.Image, moving: sitk.Image, start: sitk.Euler3DTransform) -> tuple[float, float, float]:
    """The shift with the best metric on a coarse lattice: a descent that starts too far away may not come back."""
    coarse = [
        sitk.Shrink(sitk.SmoothingRecursiveGaussian(i, 4), [max(1, round(6 / s)) for s in i.GetSpacing()])
        for i in (fixed, moving)
    ]
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(32)
    method.SetInterpolator(sitk.sitkLinear)
    found = []
    for shift in product((-16.0, -8.0, 0.0, 8.0, 16.0), repeat=3):
        moved = sitk.Euler3DTransform(start)
        moved.SetTranslation(shift)
        method.SetInitialTransform(moved, inPlace=False)
        # Of equally good shifts the smallest.
        found.append((round(method.MetricEvaluate(*coarse), 6), float(np.abs(shift).sum()), shift))
    return min(found)[2]


def _body_range(image: sitk.Image) -> sitk.Image:
    """The image clipped to the range of grey values inside the body: air and metal would take most bins of a CT."""
    image = sitk.Cast(image, sitk.sitkFloat32)
    body = sitk.GetArrayViewFromImage(sitk.OtsuThreshold(image, 0, 1, 200)) > 0
    low, high = np.percentile(sitk.GetArrayViewFromImage(image)[body], [2, 98])
    return sitk.Clamp(image, sitk.sitkFloat32, float(low), float(high))


def _nearby(mask: sitk.Image | None, region_mm: float) -> sitk.Image | None:
    """The box of the mask, widened on all sides."""
    if mask is None or not sitk.GetArrayViewFromImage(mask).any():
        return None
    inside = sitk.GetArrayViewFromImage(mask) > 0
    box = []
    for axis, spacing in enumerate(reversed(mask.GetSpacing())):
        places = np.flatnonzero(inside.any(axis=tuple(a for a in range(3) if a != axis)))
        margin = round(region_mm / spacing)
        box.append(slice(max(places[0] - margin, 0), places[-1] + margin + 1))
    region = np.zeros(inside.shape, np.uint8)
    region[tuple(box)] = 1
    nearby = sitk.GetImageFromArray(region)
    nearby.CopyInformation(mask)
    return nearby


def _metric(
    fixed: sitk.Image, moving: sitk.Image, transform: sitk.Transform, region: sitk.Image | None
) -> float:
    """The metric of a transform near the tumour, or over the whole image without a mask."""
    method = _method(fixed)
    if region is not None:
        method.SetMetricFixedMask(region)
        method.SetMetricSamplingStrategy(method.NONE)
    method.SetInitialTransform(transform, inPlace=False)
    return float(method.MetricEvaluate(fixed, moving))


def _centre(image: sitk.Image) -> tuple[float, ...]:
    return image.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in image.GetSize()])


def register_rigid(
    fixed: sitk.Image,
    moving: sitk.Image,
    fixed_mask: sitk.Image | None = None,
    moving_mask: sitk.Image | None = None,
    region_mm: float = 12.0,
) -> Registration:
    """Register `moving` to `fixed`, starting from the position that the scanner gives both.

    A result that is implausible (too far, too turned), no better by its own metric, or that pulls the two tumour masks
    apart is not used: the identity is returned with the reason in `failed`.

    Args:
        fixed, moving: of one modality; any grids in one physical space. masks: on the grids of their images.
        region_mm: in the last stage only what is within so many mm of the tumour's box counts: breathing moves the
            liver, and not the body wall.
    """
    fixed, moving = (_body_range(image) for image in (fixed, moving))
    start = sitk.Euler3DTransform()
    start.SetCenter(_centre(fixed))
    region = _nearby(fixed_mask, region_mm)
    before = _metric(fixed, moving, start, region)
    identity = sitk.Euler3DTransform(start)
    overlap = _overlap(fixed_mask, moving_mask, identity)
    try:
        start.SetTranslation(_best_shift(fixed, moving, start))
        for nearby in (False, True) if region is not None else (False,):
            method = _method(fixed)
            if nearby:
                # Shift alone: a small box does not hold enough to turn by.
                method.SetOptimizerWeights([0, 0, 0, 1, 1, 1])
                method.SetMetricFixedMask(region)
                # The way is known: only what is near the tumour counts now, every voxel of it, in shrinking steps.
                method.SetShrinkFactorsPerLevel([2, 1])
                method.SetSmoothingSigmasPerLevel([2, 0])
                method.SetMetricSamplingStrategy(method.NONE)
                method.SetOptimizerAsRegularStepGradientDescent(
                    learningRate=1.0, minStep=1e-4, numberOfIterations=200, relaxationFactor=0.5
                )
                method.SetOptimizerScalesFromPhysicalShift()
            method.SetInitialTransform(start, inPlace=True)
            method.Execute(fixed, moving)
    except RuntimeError as error:
        reason = f"the optimiser stopped: {str(error).strip().splitlines()[-1]}"
        return Registration(identity, 0.0, 0.0, before, float("nan"), overlap, float("nan"), reason)
    found = sitk.Euler3DTransform(start)
    after, overlap_after = _metric(fixed, moving, found, region), _overlap(fixed_mask, moving_mask, found)
    shift = float(np.linalg.norm(found.GetTranslation()))
    angle = _angle(found)
    reason = ""
    if shift > LARGEST_SHIFT_MM or angle > LARGEST_ANGLE_DEG:
        reason = f"implausible: moved {shift:.0f} mm and turned {angle:.0f} degrees"
    elif not after <= before:
        reason = "the images match no better after it"
    elif overlap_after < overlap - DICE_LOSS_ALLOWED:
        reason = f"the tumour masks overlap less after it (Dice {overlap:.2f} before, {overlap_after:.2f} after)"
    used = identity if reason else found
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
    if fixed_mask is None or moving_mask is None:
        return float("nan")
    return dice(fixed_mask, apply_transform(moving_mask, fixed_mask, transform, is_mask=True))


def register_patient(
    images: dict[str, sitk.Image], masks: dict[str, sitk.Image], reference: str, reader: str
) -> tuple[dict[str, sitk.Transform], pd.DataFrame]:
    """Register every phase of a patient to one of them; images and masks are replaced by those on its grid.

    A phase whose registration failed is brought onto the grid as it lies, and its row says so.

    Args:
        images: phase -> image. masks: `phase.reader` -> mask. reader: whose masks measure the overlap.

    Returns: transforms (phase -> from points of the reference to points of the phase), and one row a phase: phase,
    shift_mm, angle_deg, metric_before, metric_after, dice_before, dice_after, failed.

    Raises: ValueError where the patient has no series of the reference phase.
    """
    import pandas as pd

    if reference not in images:
        raise ValueError(f"the grid registers to the {reference} phase, which this patient does not have")
    fixed, fixed_mask = images[reference], masks.get(f"{reference}.{reader}")
    transforms, rows = {}, []
    for phase in sorted(set(images) - {reference}):
        found = register_rigid(fixed, images[phase], fixed_mask, masks.get(f"{phase}.{reader}"))
        transforms[phase] = found.transform
        images[phase] = apply_transform(images[phase], fixed, found.transform, is_mask=False)
        for name in [n for n in masks if n.split(".")[0] == phase]:
            masks[name] = apply_transform(masks[name], fixed, found.transform, is_mask=True)
        rows.append({"phase": phase, **{k: v for k, v in vars(found).items() if k != "transform"}})
    return transforms, pd.DataFrame(rows)
