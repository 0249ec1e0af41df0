"""NIfTI-1 and -2 as they stand in the file: the header, whether the file is whole, and its numbers.

SimpleITK's reader of NIfTI puts zeros in place of voxels that lack, of NaN and of infinity, and takes one of two
transforms that contradict each other, without a word; what it does not say is read here, once.

Source of the offsets: nifti1.h and nifti2.h of the NIfTI Data Format Working Group; of the transforms their methods 2
and 3.
"""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

HEADER_BYTES = 540
# Codes of the kinds of value that a voxel of a CT, an MR or a mask has, and numpy's names for them.
_KINDS = {2: "u1", 256: "i1", 4: "i2", 512: "u2", 8: "i4", 768: "u4", 16: "f4", 64: "f8"}


class NiftiHeader(NamedTuple):
    """What a header says.

    order: of bytes, "<" or ">". kind: numpy's name of the values; empty where it is another one. bits: of a voxel.
    sizes: numbers of voxels, x first. start: where voxels begin, bytes. scaling: slope and intercept of the values.
    pixdim: sizes of voxels, from 1 on. units: code of the unit of length. qform, sform: affines (4 x 4, RAS, in that
    unit); None where not set. is_analyze: whether it is the format's predecessor, which does not say where left is.
    """

    order: str
    kind: str
    bits: int
    sizes: tuple[int, ...]
    start: int
    scaling: tuple[float, float]
    pixdim: np.ndarray
    units: int
    qform: np.ndarray | None
    sform: np.ndarray | None
    is_analyze: bool

    @property
    def bytes_of_file(self) -> int:
        """How many bytes the file has that begins so, header included."""
        voxels = 1
        for size in self.sizes:
            voxels *= max(size, 1)
        return self.start + voxels * self.bits // 8


class NiftiFile(NamedTuple):
    """A whole file, unpacked; header: None where it is none of NIfTI."""

    header: NiftiHeader | None
    content: bytes

    def stored(self) -> np.ndarray | None:
        """The numbers of a volume as the file holds them, without scaling, (z, y, x); None where it holds another kind
        of value or another number of axes."""
        header = self.header
        # Further axes may be named that have one place each.
        if header is None or not header.kind or len(header.sizes) < 3 or max(header.sizes[3:], default=1) > 1:
            return None
        sizes = header.sizes[:3]
        if min(sizes) < 1:
            return None
        kind = np.dtype(f"{header.order}{header.kind}")
        number = int(np.prod(sizes, dtype=np.int64))
        return np.frombuffer(self.content, kind, number, header.start).reshape(sizes[::-1])

    def stored_floats(self) -> np.ndarray | None:
        """The same of a file that stores floats; None where it stores other numbers."""
        return self.stored() if self.header is not None and self.header.kind[:1] == "f" else None


def is_nifti(path: Path) -> bool:
    """Whether a path names a NIfTI of one file, by its ending."""
    return path.name.lower().endswith((".nii", ".nii.gz"))


def read_nifti_header(path: Path) -> NiftiHeader | None:
    """The header of a file, or of the pair .hdr and .img; None where it is none of NIfTI.

    Raises: OSError, EOFError, struct.error where it is cut off.
    """
    for image, pair in ((".img.gz", ".hdr.gz"), (".img", ".hdr")):
        if path.name.endswith(image):
            path = path.with_name(path.name.removesuffix(image) + pair)
    return _header(_unpacked(path, HEADER_BYTES))


def read_nifti(path: Path) -> NiftiFile:
    """A file, unpacked once.

    Raises: RuntimeError where it was cut off or broken in transfer.
    """
    try:
        # The checksum of a packed file stands at its end.
        content = _unpacked(path)
        header = _header(content[:HEADER_BYTES])
    except (EOFError, zlib.error, gzip.BadGzipFile, struct.error) as error:
        raise RuntimeError(f"it was cut off or broken in transfer: {error}") from error
    if header is not None and len(content) < header.bytes_of_file:
        raise RuntimeError(f"it ends before its voxels do: it has {len(content)} of {header.bytes_of_file} bytes")
    return NiftiFile(header, content)


def _unpacked(path: Path, number: int = -1) -> bytes:
    with open(path, "rb") as stream:
        is_packed = stream.read(2) == b"\x1f\x8b"
    # By its first bytes, and not by its name.
    with gzip.open(path) if is_packed else open(path, "rb") as stream:
        return stream.read(number)


def _header(raw: bytes) -> NiftiHeader | None:
    for order in "<>":

        def at(offset: int, kinds: str, order: str = order) -> tuple[Any, ...]:
            return struct.unpack_from(order + kinds, raw, offset)

        length = at(0, "i")[0]
        if length == 540:
            (kind, bits), dimensions, pixdim = at(12, "2h"), at(16, "8q"), at(104, "8d")
            start, scaling, codes, units = at(168, "q")[0], at(176, "2d"), at(344, "2i"), at(500, "i")[0]
            quaternion, rows, is_analyze = at(352, "6d"), at(400, "12d"), False
        elif length == 348:
            dimensions, (kind, bits), pixdim = at(40, "8h"), at(70, "2h"), at(76, "8f")
            start, scaling, codes, units = int(at(108, "f")[0]), at(112, "2f"), at(252, "2h"), raw[123]
            quaternion, rows, is_analyze = at(256, "6f"), at(280, "12f"), raw[344:348] not in (b"n+1\0", b"ni1\0")
        else:
            continue
        sizes = tuple(dimensions[1 : 1 + dimensions[0]])
        forms = _transforms(np.array(pixdim, float), codes, quaternion, rows)
        # The lower three bits are the unit of length.
        about = (scaling, np.array(pixdim, float), units & 7, *forms, is_analyze)
        return NiftiHeader(order, _KINDS.get(kind, ""), bits, sizes, start, *about)
    return None


def _transforms(pixdim: np.ndarray, codes: Any, quaternion: Any, rows: Any) -> list[np.ndarray | None]:
    qform, sform = None, None
    if codes[0] > 0:
        qform = np.eye(4)
        qform[:3, :3] = _rotation(*quaternion[:3]) * pixdim[1:4] * [1, 1, -1 if pixdim[0] < 0 else 1]
        qform[:3, 3] = quaternion[3:]
    if codes[1] > 0:
        sform = np.vstack([np.array(rows, float).reshape(3, 4), [0, 0, 0, 1]])
    return [qform, sform]


def _rotation(b: float, c: float, d: float) -> np.ndarray:
    """Of the unit quaternion (a, b, c, d) whose a is not stored and not negative."""
    a = np.sqrt(max(0.0, 1 - (b * b + c * c + d * d)))
    cross = np.array([[0, -d, c], [d, 0, -b], [-c, b, 0]])
    # Rodrigues' formula for half the angle: v is sin of it along the axis, a its cosine.
    return np.eye(3) + 2 * a * cross + 2 * cross @ cross
