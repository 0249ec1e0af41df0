"""Tiny series as hospitals export them: any geometry, order, names, transfer syntax and format, for tests."""

from __future__ import annotations

import copy
import tempfile
from pathlib import Path

import numpy as np
import pydicom
import SimpleITK as sitk
from pydicom.dataset import Dataset, FileDataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGLSLossless,
    RLELossless,
    generate_uid,
)

from hcc_recurrence.simulation.dicom_writer import SeriesHeader, write_series

# By pydicom, or, where it has no encoder, by GDCM as SimpleITK calls it.
SYNTAXES = {
    "explicit": ExplicitVRLittleEndian,
    "implicit": ImplicitVRLittleEndian,
    "deflated": DeflatedExplicitVRLittleEndian,
    "rle": RLELossless,
    "jpeg-ls": JPEGLSLossless,
    "jpeg 2000": "JPEG2000",
    "jpeg lossless": "JPEG",
}
STORAGE = {"CT": "1.2.840.10008.5.1.4.1.1.2.1", "MR": "1.2.840.10008.5.1.4.1.1.4.1"}


def describe(
    modality: str = "CT", phase: str = "portal", spacing=(3.0, 1.5, 1.25), patient: str = "X1"
) -> SeriesHeader:
    return SeriesHeader(patient, phase, modality, "M", "m", 1.5, spacing, (-20.0, 10.0, 5.0), "20200101", 1960, "F")


def make_series(
    voxels: np.ndarray, header: SeriesHeader, folder: Path, direction: np.ndarray | None = None
) -> list[FileDataset]:
    """A series of (z, y, x) voxels; columns of `direction` are the directions of x, y and z."""
    slices = write_series(voxels, header, folder)
    for file in folder.iterdir():
        file.unlink()
    if direction is not None:
        for k, data in enumerate(slices):
            place = np.array(header.origin) + k * header.spacing[0] * direction[:, 2]
            data.ImagePositionPatient = [f"{v:.8g}" for v in place]
            data.ImageOrientationPatient = [f"{v:.8g}" for v in direction[:, :2].T.ravel()]
    return slices


def save_series(slices: list[FileDataset], folder: Path, syntax: str = "explicit", names=None) -> list[Path]:
    """Write the slices under names that say nothing, in a transfer syntax."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for k, data in enumerate(slices):
        file = folder / (names[k] if names else f"{k:04d}")
        encoded(data, syntax).save_as(file, enforce_file_format=True)
        files.append(file)
    return files


def encoded(data: FileDataset, syntax: str) -> FileDataset:
    """A copy in a transfer syntax."""
    data, uid = copy.deepcopy(data), SYNTAXES[syntax]
    if uid in (RLELossless, JPEGLSLossless):
        data.compress(uid, generate_instance_uid=False)
    elif uid in ("JPEG2000", "JPEG"):
        other = _by_gdcm(data, uid)
        data.PixelData, data["PixelData"].is_undefined_length = other.PixelData, True
        data.file_meta.TransferSyntaxUID = other.file_meta.TransferSyntaxUID
    else:
        data.file_meta.TransferSyntaxUID = uid
    return data


def _by_gdcm(data: FileDataset, compressor: str) -> FileDataset:
    with tempfile.TemporaryDirectory() as folder:
        image = sitk.GetImageFromArray(data.pixel_array[None])
        writer = sitk.ImageFileWriter()
        writer.SetImageIO("GDCMImageIO")
        writer.UseCompressionOn()
        writer.SetCompressor(compressor)
        writer.SetFileName(f"{folder}/a.dcm")
        writer.Execute(image)
        written = pydicom.dcmread(f"{folder}/a.dcm")
        assert written.file_meta.TransferSyntaxUID.is_compressed
        written.PixelData  # noqa: B018 - read before the folder is gone
        return written


def save_enhanced(slices: list[FileDataset], file: Path, order=None) -> None:
    """The same slices as one enhanced multi-frame object, frames in any order."""
    first = slices[0]
    data = copy.deepcopy(first)
    for tag in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "RescaleSlope", "RescaleIntercept"):
        if tag in data:
            delattr(data, tag)
    data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = STORAGE[str(first.Modality)]
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[str(file.name)])
    shared = Dataset()
    measures = Dataset()
    measures.PixelSpacing = first.PixelSpacing
    shared.PixelMeasuresSequence = [measures]
    plane = Dataset()
    plane.ImageOrientationPatient = first.ImageOrientationPatient
    shared.PlaneOrientationSequence = [plane]
    data.SharedFunctionalGroupsSequence = [shared]
    order = range(len(slices)) if order is None else order
    frames = []
    for k in order:
        frame, place, value, content = (Dataset() for _ in range(4))
        place.ImagePositionPatient = slices[k].ImagePositionPatient
        frame.PlanePositionSequence = [place]
        if "RescaleSlope" in slices[k]:
            value.RescaleSlope, value.RescaleIntercept = slices[k].RescaleSlope, slices[k].RescaleIntercept
            frame.PixelValueTransformationSequence = [value]
        content.FrameAcquisitionNumber = slices[k].AcquisitionNumber
        frame.FrameContentSequence = [content]
        frames.append(frame)
    data.PerFrameFunctionalGroupsSequence = frames
    data.NumberOfFrames = len(frames)
    data.PixelData = b"".join(slices[k].PixelData for k in order)
    file.parent.mkdir(parents=True, exist_ok=True)
    data.save_as(file, enforce_file_format=True)
