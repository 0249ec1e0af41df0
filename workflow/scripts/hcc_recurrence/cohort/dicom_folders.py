"""All files of a delivery, and a folder that is none refused in words before anything is written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from hcc_recurrence.problems import Refused
from hcc_recurrence.provenance import combine_hashes

NAME_IT = "name the folder with the DICOM files: snakemake --cores 8 discover --config dicom_root=/folder/with/dicom"


class Delivery(NamedTuple):
    """files: sorted, those of a folder before those of its folders. unreadable: folders and links that cannot be
    followed, each with the reason."""

    files: list[Path]
    unreadable: list[str]


def check_root(name: str, here: Path) -> Path:
    """The folder that `dicom_root` names.

    Args:
        here: the folder that the workflow runs in. It holds results, which are no delivery.

    Raises: Refused where nothing is named, or it is no folder, cannot be read, is empty, or holds the workflow's own.
    """
    if not str(name).strip():
        raise Refused("dicom_root names no folder", NAME_IT)
    root = Path(name)
    if not root.exists():
        raise Refused(f"dicom_root {name} does not exist", NAME_IT)
    if not root.is_dir():
        raise Refused(f"dicom_root {name} is no folder", NAME_IT)
    if here.resolve().is_relative_to(root.resolve()):
        remedy = f"put the delivery into a folder of its own; {NAME_IT}"
        raise Refused(f"dicom_root {name} is or holds the folder that the workflow runs in", remedy)
    try:
        with os.scandir(root):
            pass
    except OSError as error:
        raise Refused(
            f"dicom_root {name} cannot be read ({error.strerror})", f"ask who owns it; or {NAME_IT}"
        ) from None
    if next(_walk(root, [], set()), None) is None:
        raise Refused(f"dicom_root {name} holds no file that can be read", NAME_IT)
    return root


def list_delivery(root: Path) -> Delivery:
    """All files below a folder, hidden ones left out; links are followed.

    Raises: Refused where the folder does not exist.
    """
    if not root.is_dir():
        raise Refused(f"{root} is no folder", NAME_IT)
    unreadable: list[str] = []
    return Delivery(list(_walk(root, unreadable, {os.path.realpath(root)})), unreadable)


def listing_of(folder: str) -> str:
    """Changes with any file below a folder that comes, goes or is written; empty where no folder is named."""
    if not folder or not Path(folder).is_dir():
        return ""
    stats = [(str(f), f.stat()) for f in sorted(Path(folder).rglob("*")) if f.is_file()]
    return combine_hashes(f"{f} {s.st_size} {s.st_mtime_ns}" for f, s in stats)


def _walk(folder: Path, unreadable: list[str], seen: set[str]) -> Iterator[Path]:
    """Files of a folder, then of its folders. `seen`: real paths of the root and of folders that links lead to."""
    try:
        with os.scandir(folder) as found:
            entries = sorted((e for e in found if not e.name.startswith(".")), key=lambda entry: entry.name)
    except OSError as error:
        unreadable.append(f"{folder} ({error.strerror})")
        return
    folders = []
    for entry in entries:
        path = Path(entry.path)
        if entry.is_dir():
            folders.append((path, entry.is_symlink()))
        elif entry.is_file():
            yield path
        elif entry.is_symlink():
            unreadable.append(f"{path} (a link that leads nowhere)")
    for path, linked in folders:
        if linked:
            real = os.path.realpath(path)
            # What lies in a folder that was seen is looked at there; a link to the folder it lies in would never end.
            if any(Path(real).is_relative_to(other) for other in seen):
                continue
            seen.add(real)
        yield from _walk(path, unreadable, seen)
