"""NIfTI that is read once, and NIfTI that is written: the numbers and headers are those of SimpleITK."""

from __future__ import annotations

import gzip
import os
import platform
import struct
import subprocess
import sys

import numpy as np
import pytest
import SimpleITK as sitk
from workflow_runner import REPOSITORY

from hcc_recurrence.cohort.dicom_series import image_facts
from hcc_recurrence.cohort.image_files import image_information, image_values
from hcc_recurrence.cohort.nifti_files import read_nifti, read_nifti_header
from hcc_recurrence.imaging.nifti import write_image

KINDS = ("u1", "i1", "i2", "u2", "i4", "u4", "f4", "f8")


def image_of(kind="i2", shape=(5, 6, 7)):
    """An oblique image of random values."""
    image = sitk.GetImageFromArray(np.random.default_rng(0).integers(0, 100, shape).astype(kind))
    cosine, sine = np.cos(0.3), np.sin(0.3)
    image.SetSpacing((0.7, 0.8, 2.5))
    image.SetOrigin((1.123456, -33.3, 9))
    image.SetDirection((cosine, -sine, 0, sine, cosine, 0, 0, 0, 1))
    return image


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(5, 6, 7), (1, 6, 7), (5, 1, 7), (5, 6, 1), (1, 1, 1)])
def test_what_is_written_is_what_simpleitk_writes(tmp_path, kind, shape):
    image = image_of(kind, shape)
    sitk.WriteImage(image, str(tmp_path / "theirs.nii"))
    write_image(image, tmp_path / "ours.nii.gz")
    packed = (tmp_path / "ours.nii.gz").read_bytes()
    assert gzip.decompress(packed) == (tmp_path / "theirs.nii").read_bytes()
    # No time and no name of a file.
    assert packed[:3] == b"\x1f\x8b\x08" and packed[3:8] == bytes(5)
    write_image(image, tmp_path / "again.nii.gz")
    assert (tmp_path / "again.nii.gz").read_bytes() == packed
    assert sorted(p.name for p in tmp_path.iterdir()) == ["again.nii.gz", "ours.nii.gz", "theirs.nii"]


def test_more_than_one_chunk_is_written_whole(tmp_path, monkeypatch):
    monkeypatch.setattr("hcc_recurrence.imaging.nifti.CHUNK_BYTES", 100)
    image = image_of("f4")
    write_image(image, tmp_path / "a.nii.gz")
    found = sitk.ReadImage(str(tmp_path / "a.nii.gz"))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(found), sitk.GetArrayFromImage(image))


# Writes an image with packers at two places in memory, whose numbers in ISA-L are 0 and another one.
AT_TWO_ADDRESSES = """
import ctypes, sys
from pathlib import Path
import numpy as np, SimpleITK as sitk
from isal import isal_zlib
from hcc_recurrence.imaging import nifti

allocate = ctypes.CDLL(None).malloc
allocate.restype, allocate.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
ctypes.CDLL(None).mallopt(-4, 0)  # nothing but one growing heap

def crc32c(value):
    for _ in range(32):
        value = (value >> 1) ^ (0x82F63B78 if value & 1 else 0)
    return value

def number(packer):
    # The stream stands behind the 16 bytes that every object of Python begins with.
    return crc32c(((id(packer) + 16) >> 16) & 0xFFFFFFFF) & 0x7FFF

new = isal_zlib.compressobj
packer = lambda: new(2, isal_zlib.DEFLATED, nifti.GZIP)
first, second = packer(), None
for _ in range(20):
    # Where the next one would stand, and how far it is from there to a place of number 0; then on in small steps.
    here = id(packer()) + 16 >> 16
    ahead = next(k for k in range(1, 1 << 20) if crc32c((here + k) & 0xFFFFFFFF) & 0x7FFF == 0)
    allocate(ahead * 65536 - 4 * 16384)
    for _ in range(12):
        allocate(16384)
        second = packer()
        if number(second) == 0:
            break
        del second
    else:
        second = None
        continue
    break
if second is None or not number(first):
    sys.exit(3)
values = np.zeros((30, 80, 80), np.float32)
values[8:20, 20:60, 20:60] = np.random.default_rng(0).normal(size=(12, 40, 40))
for name, taken in (("first", first), ("second", second)):
    isal_zlib.compressobj = lambda *given, taken=taken: taken
    nifti.write_image(sitk.GetImageFromArray(values), Path(sys.argv[1]) / f"{name}.nii.gz")
"""


@pytest.mark.skipif(platform.machine() != "x86_64" or sys.platform != "linux", reason="of ISA-L's code for x86")
def test_the_bytes_do_not_depend_on_where_in_memory_an_image_was_packed(tmp_path):
    """One file of 5,000 was another in the next run: ISA-L takes an address for data."""
    scripts = str(REPOSITORY / "workflow/scripts")
    # Where a process lies in memory is drawn for each; from some places none of that number was found.
    for _ in range(10):
        command = [sys.executable, "-c", AT_TWO_ADDRESSES, tmp_path]
        done = subprocess.run(command, env={**os.environ, "PYTHONPATH": scripts}, capture_output=True, text=True)
        if done.returncode != 3:
            break
    assert done.returncode == 0, done.stderr
    first, second = ((tmp_path / f"{name}.nii.gz").read_bytes() for name in ("first", "second"))
    assert gzip.decompress(first) == gzip.decompress(second)
    assert first == second


def test_what_is_no_volume_is_not_written(tmp_path):
    for image in (sitk.Image(4, 4, sitk.sitkUInt8), sitk.Image([4, 4, 4], sitk.sitkVectorFloat32, 3)):
        with pytest.raises(ValueError, match="only a volume"):
            write_image(image, tmp_path / "a.nii.gz")


def put(path, image, scaling=(0.0, 0.0), axes=3):
    """A NIfTI of an image with other scaling, or with a fourth axis of one place."""
    sitk.WriteImage(image, str(path))
    content = bytearray(path.read_bytes())
    content[112:120] = struct.pack("<2f", *scaling)
    content[40:42] = struct.pack("<h", axes)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize("kind", KINDS)
def test_values_are_those_that_simpleitk_reads(tmp_path, kind, suffix, monkeypatch):
    path = tmp_path / f"a{suffix}"
    sitk.WriteImage(image_of(kind), str(path))
    expected = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
    information = image_information(path)
    monkeypatch.setattr(sitk, "ReadImage", lambda *_: pytest.fail("the file was unpacked twice"))
    found = image_values(path, information)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("scaling", [(0.0, 0.0), (1.0, 0.0), (2.0, -1024.0), (1.0, -1024.0), (0.0, 5.0), (0.5, 0.0)])
@pytest.mark.parametrize("axes", [3, 4])
@pytest.mark.parametrize("kind", ["i2", "f4"])
def test_scaled_values_too(tmp_path, scaling, axes, kind):
    path = put(tmp_path / "a.nii", image_of(kind), scaling, axes)
    expected = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
    found = image_values(path, image_information(path))
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("axes", [3, 4])
@pytest.mark.parametrize("kind", ["f4", "f8"])
def test_numbers_that_are_none_are_counted_and_read_as_simpleitk_reads_them(tmp_path, kind, axes):
    values = sitk.GetArrayFromImage(image_of(kind))
    values[1, 2, 3:6] = np.nan, np.inf, -np.inf
    path = put(tmp_path / "a.nii", sitk.GetImageFromArray(values), axes=axes)
    expected = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
    np.testing.assert_array_equal(image_values(path, image_information(path)), expected)
    np.testing.assert_array_equal(read_nifti(path).stored_floats(), values)
    assert image_facts(path)["no_numbers"] == 3


def test_the_header_is_the_same_alone_and_with_the_voxels(tmp_path):
    path = tmp_path / "a.nii.gz"
    sitk.WriteImage(image_of(), str(path))
    alone, whole = read_nifti_header(path), read_nifti(path).header
    for name in alone._fields:
        np.testing.assert_array_equal(getattr(alone, name), getattr(whole, name))
    assert alone.sizes == (7, 6, 5) and alone.bytes_of_file == 352 + 2 * 210
    (tmp_path / "b.nii").write_bytes(b"no header" * 60)
    assert read_nifti_header(tmp_path / "b.nii") is None
