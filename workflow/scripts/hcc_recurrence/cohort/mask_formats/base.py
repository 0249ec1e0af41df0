"""What a format of masks is: one class with the methods below, in the registry of this package."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import SimpleITK as sitk
    from pydicom import Dataset

# Files without preamble begin with the first element of the file meta information, or with one of group 8.
BARE_BEGINNINGS = (b"\2\0\0\0", b"\2\0\1\0", b"\2\0\2\0", *(bytes((8, 0, n, 0)) for n in (0, 1, 5, 8, 0x12, 0x16)))


class MaskFile:
    """A file that may be a mask, read once for all formats that look at it.

    Args: pixels: read what DICOM holds of pixels as well.
    """

    def __init__(self, path: Path, pixels: bool = False):
        self.path = path
        self._pixels = pixels

    @cached_property
    def is_dicom(self) -> bool:
        """True where the file carries the DICOM preamble, or begins with DICOM's first elements as old exports do."""
        with open(self.path, "rb") as stream:
            head = stream.read(132)
        return head[128:] == b"DICM" or head[:4] in BARE_BEGINNINGS

    @cached_property
    def dicom(self) -> Dataset:
        """Its DICOM data. Raises: whatever a broken file makes pydicom raise."""
        import pydicom

        return pydicom.dcmread(self.path, stop_before_pixels=not self._pixels, force=True)

    def is_of(self, *storages: str) -> bool:
        """Whether it is DICOM of one of these SOP classes. Raises: as `dicom`; AttributeError where it names none."""
        return self.is_dicom and str(self.dicom.SOPClassUID) in storages


class MaskFormat(ABC):
    """A format of masks. Whatever a broken file makes a library raise in a method, who calls it says of the file.

    Attributes: kind: its name in the facts of a file.
    """

    kind: str

    @abstractmethod
    def matches(self, file: MaskFile) -> bool:
        """Whether a file is of this format; others of the registry may be asked first."""

    @abstractmethod
    def facts(self, file: MaskFile) -> dict[str, Any]:
        """What the mask was drawn on, without voxels and without any identifier of a person.

        Either `geometry`, of the image that it is itself, and `doubt` where its header is unclear, and what to do; or
        `study`, `series` and `frame` of the image it was drawn on ("" and [] where nothing tells), `images` where it
        names those instead of a series, and the `labels` of its segments; where it names several series, `drawn`: by
        label the `series` and `images` that this part was drawn on.
        """

    @abstractmethod
    def contents(self, file: MaskFile) -> dict[str, Any]:
        """How much of each label it holds; the file was opened with its pixels.

        `voxels` by label, or `values`, [value, voxels], of an image of numbers, or `area_mm2` by label; `shapes`
        (`mask_shapes.shape_of`) by label, or by value as text; `content` (`slice_hashes.hash_of_mask`); and where
        slices have to be checked, `planes` (`seg_contents.check_planes`) or `rois` (`outlines.summarise_roi`).
        """

    @abstractmethod
    def read(self, path: Path, label: str, image: sitk.Image) -> sitk.Image:
        """The voxels that a cell of the masks sheet means, 0/1 on the image's grid. Raises: MaskError."""

    def source_images(self, file: MaskFile) -> set[str]:
        """SOP instances of the images that it was drawn on, frame by frame; empty where nothing tells."""
        return set()


def geometry_of(image: sitk.Image) -> dict[str, list]:
    """Size, spacing, origin and direction of an image, as `header_geometry` has them."""
    return {
        name: list(getattr(image, f"Get{name.capitalize()}")()) for name in ("size", "spacing", "origin", "direction")
    }
