"""The voxels of tumour masks of any format, placed on an image's grid."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hcc_recurrence.cohort.mask_contents import check_volume
from hcc_recurrence.cohort.mask_formats import format_named, mask_facts
from hcc_recurrence.cohort.masks import MaskError, check_certain
from hcc_recurrence.imaging.crops import largest_nodule

if TYPE_CHECKING:
    import SimpleITK as sitk

# Lung and gas in the gut lie below this; no tumour of the liver does, whatever died in it.
AIR_BELOW_HU = -300
# A mask of the dome of the liver, drawn in another breath than the image, may reach into the lung with less than this.
MOST_IN_AIR = 0.5


class TumourMask(NamedTuple):
    """A mask on an image's grid (0/1, uint8), and how many separate lesions the file holds, whichever were kept."""

    image: sitk.Image
    lesions: int
    volume_ml: float


def read_mask(path: Path, label: str, image: sitk.Image, lesions: str = "all", smallest_ml: float = 0.0) -> TumourMask:
    """Read a mask and place it on the image's grid.

    Args:
        label: segment label, ROI name, or voxel value; a pattern (`Tumor_*`) takes all that match, together; "" takes
            the only one there is.
        lesions: `largest` keeps the largest of several separate lesions, `all` keeps all (touching by a corner is one).
        smallest_ml: a mask of less is refused.

    Raises: MaskError where the label is missing, or too little of the mask lies inside the image.
    """
    import SimpleITK as sitk
    from scipy.ndimage import label as connected

    facts = mask_facts(path)
    check_certain(facts)
    known = format_named(facts["kind"])
    if known is None:
        raise MaskError("cannot be read", "correct the path in the masks sheet")
    placed = known.read(path, label, image)
    array = sitk.GetArrayFromImage(placed)
    if not array.any():
        raise MaskError("is empty on the image's grid", "check that the mask was drawn on this image")
    number = int(connected(array, structure=np.ones((3, 3, 3)))[1])
    if lesions == "largest" and number > 1:
        array = largest_nodule(array)
    volume = float(array.sum() * np.prod(image.GetSpacing()) / 1000)
    check_volume(volume, smallest_ml)
    kept = sitk.GetImageFromArray(array.astype(np.uint8))
    kept.CopyInformation(image)
    return TumourMask(kept, number, volume)


def check_in_body(mask: sitk.Image, image: sitk.Image, modality: str, name: str) -> None:
    """Raise MaskError where most of a mask lies in air on the CT that it was drawn on, as one that is mirrored may.

    Args:
        mask: on the image's grid. modality: of the image; in an MR nothing tells air from dark tissue. name: of the
            mask, for the message of a job.
    """
    import SimpleITK as sitk

    if modality != "CT":
        return
    inside = sitk.GetArrayViewFromImage(image)[sitk.GetArrayViewFromImage(mask) > 0]
    in_air = float((inside < AIR_BELOW_HU).mean())
    if in_air > MOST_IN_AIR:
        raise MaskError(
            f"{name} lies in air: {in_air:.0%} of its voxels are below {AIR_BELOW_HU} HU, where no tumour of the liver "
            "is (mirrored, or drawn on another image?)",
            "look at both in a viewer, and save the mask again with the geometry of the image",
        )
