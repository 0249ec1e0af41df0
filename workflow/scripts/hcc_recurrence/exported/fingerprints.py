"""Whether a patient is one of those whom an exported model learned from: salted fingerprints of the training images.

A model that is applied to its own training patients gives probabilities that are too good, and nothing about their
inputs looks unusual. Names do not tell, since the other hospital may have others; images do. Of each image as it was
converted (`images/native`) the bundle has two SHA-256 sums:
- `voxels`: of grid, spacing and every value: the same series by the same road from DICOM, under whatever name;
- `levels`: of how many voxels have each value, from the lowest value to the highest. It stays the same where another
  program converted the series: axes turned or flipped, spacing rounded, values stored as another type, or scaled and
  shifted (a rescale slope that was or was not applied).

Of an image of whole numbers also sums of a few of its pieces (`pieces`), by which a part of it is found: cropped in any
direction, or with fewer slices. None of them finds an image that was resampled, compressed with loss or filtered, nor
another examination of the same patient.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from hcc_recurrence.exported import pieces
from hcc_recurrence.exported.outside import INSIDE, SEEN, UNKNOWN, Row
from hcc_recurrence.files import ModelFileError

if TYPE_CHECKING:
    import SimpleITK as sitk

# Version 1 had no pieces.
SCHEMA_VERSION = 2
VOXELS, LEVELS, PIECES = "voxels", "levels", "pieces"
KINDS = (VOXELS, LEVELS)
# Decimals of the spacing in mm that count: headers write no more, and some programs store single precision.
_DECIMALS = 4
# Fewer values that several voxels share say too little: of an image of noise each voxel has a value of its own, and two
# such images of one size would have the same counts.
FEWEST_LEVELS = 50
# Hexadecimal digits of the sum of a piece, of which each image has dozens: 64 bits.
_DIGITS = 16
# Of the row of outside.csv.
ITEM, GROUP = "a training patient of this model", "training"


def digests_of(image: sitk.Image) -> dict[str, bytes]:
    """SHA-256 of an image by kind, without a salt; `levels` is absent where its values say too little.

    Nothing of a name, a phase, a date or a place in the scanner goes into them.
    """
    import SimpleITK as sitk

    values = np.ascontiguousarray(sitk.GetArrayViewFromImage(image), dtype="<f8")
    # One zero: of -0.0 and 0.0 the bytes differ.
    values = values + 0.0
    voxels = hashlib.sha256(np.array(values.shape, "<i8").tobytes())
    voxels.update(np.round(np.array(image.GetSpacing()[::-1]), _DECIMALS).astype("<f8").tobytes())
    voxels.update(values.tobytes())
    found = {VOXELS: voxels.digest()}
    counts = _counts(values)
    if (counts > 1).sum() >= FEWEST_LEVELS:
        found[LEVELS] = hashlib.sha256(counts.astype("<i8").tobytes()).digest()
    return found


def _counts(values: np.ndarray) -> np.ndarray:
    """How many voxels have each value that occurs, from the lowest value to the highest."""
    low, high = float(values.min()), float(values.max())
    whole = values.astype(np.int64) if np.isfinite([low, high]).all() and high - low < 2**24 else None
    if whole is not None and np.array_equal(whole, values):
        # Whole numbers need no sorting: a series of 40 million voxels takes a fraction of a second.
        counts = np.bincount((whole - int(low)).ravel())
        return counts[counts > 0]
    return np.unique(values, return_counts=True)[1]


@dataclass(frozen=True)
class ImageDigests:
    """Of one image, without a salt. whole: `digests_of`. pieces: `pieces.pieces_of`."""

    whole: Mapping[str, bytes]
    pieces: Sequence[bytes] = ()

    @classmethod
    def of(cls, image: sitk.Image) -> Self:
        """Read both from an image."""
        import SimpleITK as sitk

        return cls(digests_of(image), pieces.pieces_of(sitk.GetArrayViewFromImage(image)))


def digests_of_folder(folder: Path) -> dict[str, ImageDigests]:
    """Of every image of a patient, by the name of its phase."""
    import SimpleITK as sitk

    files = sorted(folder.glob("*.nii.gz"))
    return {file.name.split(".")[0]: ImageDigests.of(sitk.ReadImage(str(file))) for file in files}


def salted(salt: str, digest: bytes) -> str:
    """What a bundle has of an image: SHA-256 of its salt and the image's digest, in hexadecimal digits."""
    return hashlib.sha256(bytes.fromhex(salt) + digest).hexdigest()


def fingerprints(name: str, images: Iterable[ImageDigests]) -> dict[str, Any]:
    """The document training_fingerprints.json.

    The salt follows from the images and the bundle's name: nobody without all of the images can work it out
    beforehand, two bundles have different ones, and two exports of one study are equal byte for byte. Fingerprints are
    sorted: they say neither which images are of one patient, nor of which phase they are.

    Args: name: of the bundle. images: of the training patients.
    """
    images = list(images)
    own = [dict(image.whole) for image in images]
    everything = sorted(digest for digests in own for digest in digests.values())
    salt = hashlib.sha256(b"".join([b"hcc-recurrence fingerprints\0", name.encode(), b"\0", *everything])).hexdigest()
    listed = {kind: sorted({salted(salt, digests[kind]) for digests in own if kind in digests}) for kind in KINDS}
    listed[PIECES] = sorted({salted(salt, piece)[:_DIGITS] for image in images for piece in image.pieces})
    return {"schema_version": SCHEMA_VERSION, "algorithm": "SHA-256 of salt and image digest", "salt": salt, **listed}


def check_fingerprints(document: Mapping[str, Any], file: Path) -> None:
    """Raises: ModelFileError where a document is none of `fingerprints`."""
    version = document.get("schema_version")
    keys = {"schema_version", "algorithm", "salt", *KINDS, *((PIECES,) if version != 1 else ())}
    if set(document) != keys or version not in range(1, SCHEMA_VERSION + 1):
        raise ModelFileError(
            f"{file}: is not as this workflow writes it. What to do: use the version of the workflow that wrote the "
            "model, or have it exported anew."
        )


def training_row(document: Mapping[str, Any] | None, digests: Mapping[str, ImageDigests]) -> Row:
    """Whether one of a patient's images is one that the model learned from, as a row of outside.csv.

    Args:
        document: of `fingerprints`; None where the model came without. digests: by phase, of every image of the
            patient, whatever its phase is called here.
    """
    if document is None:
        words = "unknown: the model came without fingerprints of its training images"
        return Row(ITEM, GROUP, "", "", "", "", UNKNOWN, words)
    known = {kind: set(document.get(kind, [])) for kind in (*KINDS, PIECES)}
    found = []
    for phase, image in digests.items():
        own, salt = image.whole, document["salt"]
        same = [kind for kind in KINDS if kind in own and salted(salt, own[kind]) in known[kind]]
        parts = sum(salted(salt, piece)[:_DIGITS] in known[PIECES] for piece in image.pieces)
        if VOXELS in same:
            found.append(f"the {phase} image is voxel by voxel one of the training images")
        elif same:
            found.append(f"the {phase} image is a training image that was converted on another road")
        elif parts >= pieces.FEWEST_EQUAL:
            found.append(f"the {phase} image holds a part of a training image ({parts} of its pieces), as if cropped")
    if not found:
        return Row(ITEM, GROUP, "no", "", "", "", INSIDE, "none of the images is one of the training images")
    words = f"{'; '.join(found)}: the model learned from this patient, and its probability is too good to be true"
    return Row(ITEM, GROUP, "yes", "", "", "", SEEN, words)


def seen_patients(outside: Any) -> list[str]:
    """Patients of outside.csv whom the model learned from, each once."""
    return sorted(set(outside.loc[outside["verdict"] == SEEN, "patient_id"].astype(str)))


def known_to_have_none(outside: Any) -> bool:
    """Whether outside.csv says of every patient that the model did not learn from him."""
    own: Sequence[str] = outside.loc[outside["group"] == GROUP, "verdict"].tolist()
    return bool(own) and set(own) == {INSIDE}
