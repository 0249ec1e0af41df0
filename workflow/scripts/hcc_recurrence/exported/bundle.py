"""An exported model as a folder or a zip: written with equal bytes, and read without ever running what stands in it.

What stands where is said in docs/export.md. Every file is named in SHA256SUMS; what is not of a known kind, lies
outside the folder, is a link, a pickle, or was changed, is refused in words.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from hcc_recurrence.exported.older import as_today
from hcc_recurrence.files import ModelFileError, write_in_one_rename

if TYPE_CHECKING:
    from hcc_recurrence.exported.reference import Reference
    from hcc_recurrence.methods.contract import FittedMethod

# Goes up with any change that makes older bundles unreadable, or their meaning another one; docs/export.md says what
# each version brought. Older ones are read as what they meant (`older`).
SCHEMA_VERSION = 3
ABOUT, DISTRIBUTION, CARD, LICENCE, SUMS = (
    "model.json",
    "training_distribution.json",
    "README.md",
    "LICENSE",
    "SHA256SUMS",
)
REFERENCE = "reference/reference.json"
# Absent where a setting leaves them out, and from bundles of schema version 1.
FINGERPRINTS = "training_fingerprints.json"
NEEDED = (ABOUT, DISTRIBUTION, CARD, LICENCE, REFERENCE)
# What else a bundle may hold: parts of the model as `FittedMethod.save` writes them, and weights of networks.
_PART = re.compile(
    r"model/[a-z_]+/(SHA256SUMS|model\.json|arrays\.safetensors|[^/]+\.(skops|xgboost\.json|lightgbm\.txt))"
)
_WEIGHTS = re.compile(r"weights/[A-Za-z0-9_.-]+\.safetensors")
# What each network was trained on; absent from bundles of results that did not keep it.
MACHINES = "machines"
_MACHINE = re.compile(rf"{MACHINES}/[A-Za-z0-9_.-]+\.machine\.json")
# Keys of model.json.
KEYS = {
    "schema_version",
    *("name", "method", "study", "title", "fit", "protocol", "endpoint", "modality", "phases", "units"),
    *("config", "models", "reads", "selection", "training", "kept_rows", "left_out", "marks", "weights"),
    *("versions", "seed", "created_by"),
}
# Of files in a zip: the first time that the format knows, so that equal content gives equal bytes.
_TIME = (1980, 1, 1, 0, 0, 0)
# A zip that unpacks to more is none of ours: the largest networks of five methods are below 3 GB.
_MOST_BYTES = 20 * 2**30
_PICKLE = b"\x80"
# What file managers leave in folders that were opened.
_LEFT_BEHIND = (".DS_Store", "Thumbs.db", "desktop.ini")
# What Snakemake leaves in a folder that a rule made: empty.
_TIMESTAMP = ".snakemake_timestamp"


@dataclass(frozen=True)
class Bundle:
    """An exported model that was read and found whole.

    folder: where its files are. about: model.json. distribution: training_distribution.json. fingerprints: of the
    training images (`fingerprints`); None where the bundle has none.
    """

    folder: Path
    about: Mapping[str, Any]
    distribution: Mapping[str, Any]
    fingerprints: Mapping[str, Any] | None = None

    @property
    def name(self) -> str:
        """Method and cohort, such as zhao2024.mine."""
        return self.about["name"]

    @property
    def method(self) -> str:
        """The method, by the name of its file of settings."""
        return self.about["method"]

    def parts(self) -> dict[str, FittedMethod]:
        """The fitted models by part: `models`, and where they are kept apart, `networks`.

        Raises: ModelFileError in words for a part that is not as it was saved.
        """
        kinds = exporting(self.method).PARTS
        there = sorted(path.name for path in (self.folder / "model").iterdir())
        if unknown := sorted(set(there) - set(kinds)):
            raise ModelFileError(
                f"{self.folder / 'model' / unknown[0]}: is no part of a model of {self.method}. What to do: use the "
                "version of the workflow that wrote the model, or export it anew."
            )
        return {name: kind.load(self.folder / "model" / name) for name, kind in kinds.items() if name in there}

    def fitted(self) -> FittedMethod:
        """The models; without the networks where these are a part of their own."""
        return self.parts()["models"]

    def networks(self) -> FittedMethod | None:
        """The networks, where they are a part of their own."""
        return self.parts().get("networks")

    def weights(self, name: str) -> Path:
        """A file of weights, such as `VGG19` or `<unet>.<phase>`.

        Raises: ModelFileError where the bundle has none of that name.
        """
        file = self.folder / "weights" / f"{name}.safetensors"
        if not file.is_file():
            raise ModelFileError(f"{file}: is missing. What to do: export the model anew.")
        return file

    def reference(self) -> Reference:
        """The made-up rows and their scores."""
        from hcc_recurrence.exported.reference import Reference

        return Reference.read(self.folder / REFERENCE)

    def check_reference(self) -> float:
        """Score the made-up rows anew: the largest difference from the scores that came with the model.

        Raises: ModelFileError where it is beyond the tolerance that the bundle states.
        """
        return self.reference().check(self)


def exporting(method: str) -> Any:
    """The module in which a method says what its exported model consists of."""
    from importlib import import_module

    return import_module(f"hcc_recurrence.methods.{method}.export")


def read_bundle(path: Path, folder: Path) -> Bundle:
    """Read an exported model.

    Args:
        path: a folder, or a zip. folder: a zip is unpacked into it (`<folder>/<name of the zip>`), whatever stood
        there.

    Raises: ModelFileError in words: what is wrong with which file, and what to do.
    """
    if path.is_dir():
        found = path
    elif zipfile.is_zipfile(path):
        found = folder / path.stem
        _unpack(path, found)
    else:
        raise _no_bundle(path)
    if not (found / SUMS).is_file():
        raise _without_sums(path, found)
    sums = _sums_of(found)
    about = _document(found, ABOUT, sums)
    # Before anything else is looked at: a newer bundle may be made up of other files.
    version = about.get("schema_version")
    if version not in range(1, SCHEMA_VERSION + 1):
        raise ModelFileError(
            f"{found / ABOUT}: is of schema version {version}, this workflow reads 1 to {SCHEMA_VERSION}. What to do: "
            "use the version of the workflow that wrote it, or have it exported anew."
        )
    if other := sorted(set(about) ^ KEYS):
        words = "has the unknown key" if other[0] in about else "lacks the key"
        raise _fault(found / ABOUT, f"{words} {other[0]}")
    _check_files(found, sums)
    distribution = _document(found, DISTRIBUTION, sums)
    from hcc_recurrence.exported.fingerprints import check_fingerprints

    fingerprints = _document(found, FINGERPRINTS, sums) if (found / FINGERPRINTS).is_file() else None
    if fingerprints is not None:
        check_fingerprints(fingerprints, found / FINGERPRINTS)
    return Bundle(found, as_today(about, found / ABOUT), distribution, fingerprints)


def write_bundle(folder: Path, archive: Path) -> None:
    """Write SHA256SUMS of a folder that holds everything else, and the same as a zip.

    Nothing is compressed: two versions of a library that does may give other bytes.

    Raises: ModelFileError for a file that `read_bundle` would refuse.
    """
    names = sorted(str(file.relative_to(folder).as_posix()) for file in folder.rglob("*") if file.is_file())
    names = [name for name in names if name != SUMS]
    lines = [f"{_digest(folder / name)}  {name}\n" for name in names]
    write_in_one_rename(folder / SUMS, "".join(lines))
    _check_files(folder, _sums_of(folder))
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as target:
        for name in sorted([*names, SUMS]):
            entry = zipfile.ZipInfo(name, _TIME)
            entry.create_system = 3
            entry.external_attr = (stat.S_IFREG | 0o644) << 16
            entry.file_size = (folder / name).stat().st_size
            with open(folder / name, "rb") as source, target.open(entry, "w", force_zip64=True) as written:
                shutil.copyfileobj(source, written, 1 << 20)


def read_about(folder: Path) -> dict[str, Any]:
    """model.json of a bundle that was read before, and found whole."""
    return as_today(json.loads((folder / ABOUT).read_text(encoding="utf-8")), folder / ABOUT)


def _no_bundle(path: Path) -> ModelFileError:
    """Of a path that is neither a folder nor a zip."""
    what, remedy = "is missing", "name the folder or the zip of an exported model"
    if path.is_file() and path.suffix.lower() == ".zip":
        what = f"is no zip, or one that was cut off on its way ({path.stat().st_size} bytes)"
        remedy = "compare its size with where it came from, and copy it once more"
    elif path.is_file():
        what = "is no zip"
        if (path.parent / SUMS).is_file():
            what, remedy = "is one file of an exported model", f"name its folder, {path.parent}"
    return ModelFileError(f"{path}: {what}. What to do: {remedy}.")


def _without_sums(path: Path, folder: Path) -> ModelFileError:
    """Of a folder or zip that has no list of files; people pack a folder into a zip, or name the one above it.

    Args: path: as a person named it. folder: where it lies, unpacked.
    """
    if inner := sorted(file.parent.name for file in folder.glob(f"*/{SUMS}")):
        remedy = f"name {path / inner[0]}" if path.is_dir() else f"unpack it, and name the folder {inner[0]}"
        return ModelFileError(f"{path}: holds a model in a folder of its own, {inner[0]}. What to do: {remedy}.")
    what = f"{path / SUMS}: is missing" if path.is_dir() else f"{path}: holds no {SUMS}"
    return ModelFileError(f"{what}. What to do: name the folder or the zip of an exported model.")


def _fault(file: Path, what: str) -> ModelFileError:
    return ModelFileError(f"{file}: {what}. What to do: take the model from where it came from once more, unchanged.")


def _digest(file: Path) -> str:
    digest = hashlib.sha256()
    with open(file, "rb") as stream:
        for piece in iter(lambda: stream.read(1 << 20), b""):
            digest.update(piece)
    return digest.hexdigest()


def _outside(name: str) -> bool:
    """Whether a name leads out of the folder that it is to lie in, or is none that we write."""
    parts = PurePosixPath(name).parts
    return not parts or name.startswith("/") or "\\" in name or ":" in name or ".." in parts or name.endswith("/")


def _known(name: str) -> bool:
    kinds = (_PART, _WEIGHTS, _MACHINE)
    return name in (*NEEDED, FINGERPRINTS, SUMS) or any(kind.fullmatch(name) for kind in kinds)


def _unpack(path: Path, folder: Path) -> None:
    """Unpack a zip into an empty folder, once all its names are known to be ours."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            names = [entry.filename for entry in entries]
            for entry in archive.infolist():
                name = entry.filename
                if _outside(name.rstrip("/") if entry.is_dir() else name):
                    raise _fault(path, f"holds {name!r}, which lies outside of the model's folder")
                if stat.S_ISLNK(entry.external_attr >> 16):
                    raise _fault(path, f"holds {name}, which is a link")
            if twice := sorted({name for name in names if names.count(name) > 1}):
                raise _fault(path, f"holds {twice[0]} twice")
            if sum(entry.file_size for entry in entries) > _MOST_BYTES:
                raise _fault(path, f"unpacks to more than {_MOST_BYTES >> 30} GB, more than any model has")
            folder.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}") as half:
                for entry in entries:
                    target = Path(half, "new", entry.filename)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    with archive.open(entry) as source, open(target, "wb") as written:
                        shutil.copyfileobj(source, written, 1 << 20)
                Path(half, "new").mkdir(exist_ok=True)
                if folder.exists():
                    shutil.rmtree(folder)
                Path(half, "new").rename(folder)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise _fault(path, f"cannot be unpacked ({error})") from None


def _sums_of(folder: Path) -> dict[str, str]:
    file = folder / SUMS
    if not file.is_file():
        raise ModelFileError(f"{file}: is missing. What to do: name the folder or the zip of an exported model.")
    sums = {}
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
        digest, _, name = line.partition("  ")
        if not name or _outside(name):
            raise _fault(file, f"has a line that is no sum and file of the model: {line[:80]!r}")
        sums[name] = digest
    return sums


def _document(folder: Path, name: str, sums: Mapping[str, str]) -> dict[str, Any]:
    """A JSON file, as its sum says."""
    if not (folder / name).is_file() or name not in sums:
        raise _fault(folder / name, "is missing")
    if _digest(folder / name) != sums[name]:
        raise _fault(folder / name, "was changed since the model was exported")
    try:
        found = json.loads((folder / name).read_text(encoding="utf-8"))
    except ValueError as error:
        raise _fault(folder / name, f"is not JSON ({error})") from None
    if not isinstance(found, dict):
        raise _fault(folder / name, "holds no named values")
    return found


def _check_files(folder: Path, sums: Mapping[str, str]) -> None:
    there = set()
    for file in _walk(folder):
        name = file.relative_to(folder).as_posix()
        if name == _TIMESTAMP and not file.is_symlink() and not file.stat().st_size:
            continue
        if file.is_symlink():
            raise _fault(file, "is a link: what it leads to is not the model's")
        there.add(name)
    there -= {SUMS}
    if absent := sorted({*sums, *NEEDED} - there):
        raise _fault(folder / absent[0], "is missing")
    for name in sorted(there):
        file = folder / name
        with open(file, "rb") as stream:
            start = stream.read(9)
        # Arrays begin with the length of their header, which may have that byte, and go on with JSON.
        if start[:1] == _PICKLE and not (name.endswith(".safetensors") and start[8:9] == b"{"):
            raise _fault(file, "is a pickle, which could run any program and is never read")
        if file.name in _LEFT_BEHIND or file.name.startswith("._"):
            raise ModelFileError(f"{file}: is a file manager's and not the model's. What to do: remove it.")
        if not _known(name) or name not in sums:
            raise _fault(file, "is not one of the model's files")
        if _digest(file) != sums[name]:
            raise _fault(file, "was changed since the model was exported")


def _walk(folder: Path) -> Iterator[Path]:
    """Every file and link below a folder; links are not followed."""
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not path.is_symlink():
            yield from _walk(path)
        else:
            yield path
