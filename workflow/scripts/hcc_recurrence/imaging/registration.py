"""Rigid registration of one phase to another of the same examination (Zhao 2024; METHODS.md 4.4).

Mattes mutual information, because contrast differs between phases. By SimpleITK, or by ANTsPy's QuickRigid, which the
paper used, where that package is installed (it is not part of the environment: it needs an older numpy).
"""

from __future__ import annotations

from collections.abc import Mapping
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
# The last stage looks at what is within so many mm of the tumour's box. Tried on simulated pairs (15 mm and 5 degrees,
# breathing on top). MR, 16 pairs: mean error over the tumour 0.5 mm with 4 mm, 0.8 with 12, 1.4 with 20. CT, 8 pairs:
# its noise needs more to look at: 4.8 mm with 4 mm, 5.4 with 12, 1.3 with 25.
REGION_MM = {"MR": 4.0, "CT": 25.0}
# In HU: air and bone would take most bins of a CT's histogram.
SOFT_TISSUE_HU = (-100.0, 250.0)
ENGINES = ("simpleitk", "ants")
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
    return method


def _best_shift(fixed: sitk.Image, moving: sitk.Image, start: sitk.Euler3DTransform) -> tuple[float, float, float]:
    """The shift with the best metric on a coarse lattice: a descent that starts too far away may not come back."""
    coarse = [
        sitk.Shrink(sitk.SmoothingRecursiveGaussian(i, 4), [max(1, round(8 / s)) for s in i.GetSpacing()])
        for i in (fixed, moving)
    ]
    method = _mutual_information()
    found = []
    for shift in product((-12.0, 0.0, 12.0), repeat=3):
        moved = sitk.Euler3DTransform(start)
        moved.SetTranslation(shift)
        method.SetInitialTransform(moved, inPlace=False)
        # Of equally good shifts the smallest.
        found.append((round(method.MetricEvaluate(*coarse), 6), float(np.abs(shift).sum()), shift))
    return min(found)[2]


def _shrinking_steps(method: sitk.ImageRegistrationMethod, smallest: float) -> None:
    """Steps of 1 mm at first that are halved at each turn, down to the smallest, in mm."""
    method.SetOptimizerAsRegularStepGradientDescent(
        learningRate=1.0, minStep=smallest, numberOfIterations=100, relaxationFactor=0.5
    )
    method.SetOptimizerScalesFromPhysicalShift()


def _align_whole(
    fixed: sitk.Image, moving: sitk.Image, transform: sitk.Euler3DTransform, levels: tuple[int, ...]
) -> None:
    """Shift and rotation by the whole image, in place; levels are shrink factors, and smoothing in mm.

    Where the next stage follows one coarse level is enough: a finer one took twice as long, and was no more exact.
    """
    method = _mutual_information()
    method.SetShrinkFactorsPerLevel(levels)
    method.SetSmoothingSigmasPerLevel(levels)
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()
    method.SetMetricSamplingStrategy(method.RANDOM)
    voxels = fixed.GetNumberOfPixels()
    method.SetMetricSamplingPercentagePerLevel([min(1.0, 2e4 / max(voxels / n**3, 1)) for n in levels], SEED)
    _shrinking_steps(method, smallest=0.02)
    method.SetInitialTransform(transform, inPlace=True)
    method.Execute(fixed, moving)


def _align_nearby(fixed: sitk.Image, moving: sitk.Image, transform: sitk.Euler3DTransform, region: sitk.Image) -> None:
    """Shift alone, in place, by every voxel near the tumour: a small box does not hold enough to turn by."""
    method = _mutual_information()
    method.SetMetricFixedMask(region)
    # Gradients between neighbouring voxels, not of the smoothed image: faster, and 0.1 mm more exact.
    method.SetMetricUseFixedImageGradientFilter(False)
    method.SetMetricUseMovingImageGradientFilter(False)
    _shrinking_steps(method, smallest=0.01)
    method.SetOptimizerWeights([0, 0, 0, 1, 1, 1])
    method.SetInitialTransform(transform, inPlace=True)
    method.Execute(fixed, moving)


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


def _metric(fixed: sitk.Image, moving: sitk.Image, transform: sitk.Transform, region: sitk.Image | None) -> float:
    """The metric of a transform near the tumour, or over the whole image without a mask."""
    method = _mutual_information()
    if region is not None:
        method.SetMetricFixedMask(region)
    method.SetInitialTransform(transform, inPlace=False)
    return float(method.MetricEvaluate(fixed, moving))


def _centre(image: sitk.Image) -> tuple[float, ...]:
    return image.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in image.GetSize()])


def _by_simpleitk(
    fixed: sitk.Image, moving: sitk.Image, region: sitk.Image | None, start: sitk.Euler3DTransform
) -> sitk.Euler3DTransform:
    found = sitk.Euler3DTransform(start)
    found.SetTranslation(_best_shift(fixed, moving, found))
    _align_whole(fixed, moving, found, (4, 2) if region is None else (4,))
    if region is not None:
        _align_nearby(fixed, moving, found, region)
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
            and not the body wall.
        modality: MR or CT. engine: `simpleitk` or `ants`.

    Raises: ModuleNotFoundError where the engine is not installed.
    """
    fixed, moving = (sitk.Cast(image, sitk.sitkFloat32) for image in (fixed, moving))
    if modality == "CT":
        fixed, moving = (sitk.Clamp(image, sitk.sitkFloat32, *SOFT_TISSUE_HU) for image in (fixed, moving))
    start = sitk.Euler3DTransform()
    start.SetCenter(_centre(fixed))
    region = _nearby(fixed_mask, REGION_MM[modality])
    before, overlap = _metric(fixed, moving, start, region), _overlap(fixed_mask, moving_mask, start)
    try:
        by_ants = engine == "ants"
        found = _by_ants(fixed, moving, start) if by_ants else _by_simpleitk(fixed, moving, region, start)
    except RuntimeError as error:
        reason = f"the optimiser stopped: {str(error).strip().splitlines()[-1]}"
        return Registration(start, 0.0, 0.0, before, float("nan"), overlap, float("nan"), reason)
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
    if fixed_mask is None or moving_mask is None:
        return float("nan")
    return dice(fixed_mask, apply_transform(moving_mask, fixed_mask, transform, is_mask=True))


def register_patient(
    images: dict[str, sitk.Image],
    masks: dict[str, sitk.Image],
    reference: str,
    readers: Mapping[str, str],
    modality: str = "MR",
    engine: str = "simpleitk",
) -> tuple[dict[str, sitk.Transform], pd.DataFrame]:
    """Register every phase of a patient to one of them; images and masks are replaced by those on its grid.

    A phase whose registration failed is brought onto the grid as it lies, and its row says so.

    Args:
        images: phase -> image. masks: `phase.reader` -> mask. readers: phase -> whose mask measures the overlap.

    Returns: transforms (phase -> from points of the reference to points of the phase), and one row a phase: phase,
    shift_mm, angle_deg, metric_before, metric_after, dice_before, dice_after, failed.

    Raises: ValueError where the patient has no series of the reference phase.
    """
    import pandas as pd

    if reference not in images:
        raise ValueError(f"the grid registers to the {reference} phase, which this patient does not have")
    fixed, fixed_mask = images[reference], masks.get(f"{reference}.{readers.get(reference)}")
    transforms, rows = {}, []
    for phase in sorted(set(images) - {reference}):
        moving_mask = masks.get(f"{phase}.{readers.get(phase)}")
        found = register_rigid(fixed, images[phase], fixed_mask, moving_mask, modality, engine)
        transforms[phase] = found.transform
        images[phase] = apply_transform(images[phase], fixed, found.transform, is_mask=False)
        for name in [n for n in masks if n.split(".")[0] == phase]:
            masks[name] = apply_transform(masks[name], fixed, found.transform, is_mask=True)
        rows.append({"phase": phase, **{k: v for k, v in vars(found).items() if k != "transform"}})
    return transforms, pd.DataFrame(rows)
