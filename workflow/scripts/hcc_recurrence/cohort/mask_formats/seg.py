"""DICOM SEG: segments with names, a frame a slice and segment, or label maps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hcc_recurrence.cohort.mask_formats.base import MaskFile, MaskFormat, geometry_of
from hcc_recurrence.cohort.mask_formats.dicom import drawn_on
from hcc_recurrence.cohort.masks import REDRAW, MaskError, matching_labels
from hcc_recurrence.cohort.seg_contents import LABEL_MAP_STORAGE, seg_contents, seg_voxels
from hcc_recurrence.cohort.slice_hashes import hash_of_mask
from hcc_recurrence.problems import last_line

if TYPE_CHECKING:
    import SimpleITK as sitk

SEG_STORAGE = "1.2.840.10008.5.1.4.1.1.66.4"


class Seg(MaskFormat):
    """Segments of the images of a series."""

    kind = "seg"

    def matches(self, file: MaskFile) -> bool:
        return file.is_of(SEG_STORAGE, LABEL_MAP_STORAGE)

    def facts(self, file: MaskFile) -> dict[str, Any]:
        data = file.dicom
        series = [s.SeriesInstanceUID for s in data.get("ReferencedSeriesSequence", [])]
        # Label maps may name their background, which is segment 0.
        labels = [str(s.get("SegmentLabel", "")) for s in data.SegmentSequence if int(s.SegmentNumber) > 0]
        images = {} if series else {"images": sorted(self.source_images(file))}
        return {**drawn_on(data, series), **images, "labels": labels}

    def contents(self, file: MaskFile) -> dict[str, Any]:
        data = file.dicom
        pixels = data.pixel_array.reshape(-1, data.Rows, data.Columns)
        return {**seg_contents(data), "content": hash_of_mask(pixels)}

    def source_images(self, file: MaskFile) -> set[str]:
        data = file.dicom
        groups = [*data.get("SharedFunctionalGroupsSequence", []), *data.get("PerFrameFunctionalGroupsSequence", [])]
        return {
            str(source.ReferencedSOPInstanceUID)
            for group in groups
            for derivation in group.get("DerivationImageSequence", [])
            for source in derivation.get("SourceImageSequence", [])
        }

    def read(self, path: Path, label: str, image: sitk.Image) -> sitk.Image:
        """Union of the segments meant; of fractional ones the voxels with at least one half."""
        import pydicom
        import SimpleITK as sitk

        try:
            data = pydicom.dcmread(path, force=True)
            names = matching_labels(
                [str(s.get("SegmentLabel", "")) for s in data.SegmentSequence if s.SegmentNumber], label
            )
            inside = seg_voxels(data, names, geometry_of(image))
        except MaskError:
            raise
        # What a broken file makes pydicom raise is not foreseeable.
        except Exception as error:
            raise MaskError(f"cannot be read as a SEG ({last_line(error)[:160]})", REDRAW) from error
        placed = sitk.GetImageFromArray(inside.astype(np.uint8))
        placed.CopyInformation(image)
        return placed
