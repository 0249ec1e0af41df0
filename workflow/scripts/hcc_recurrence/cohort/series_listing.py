"""The images of a folder by series, and what in it should be an image and is none: broken files, links to nothing."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hcc_recurrence.cohort.dicom_files import NAMES_OF_IMAGES, name_pattern
from hcc_recurrence.cohort.dicom_headers import file_facts
from hcc_recurrence.cohort.stack_parts import EXPORT, SeriesError, Slice
from hcc_recurrence.provenance import FileCache

FETCH = "fetch the content that the links stand for, or copy the files themselves"


@dataclass(frozen=True)
class Listing:
    """The images of a folder: by series, and files that are broken; files: how many of both there are; links: names of
    those that lead nowhere."""

    series: dict[str, list[Slice]]
    broken: list[Slice]
    files: int
    links: list[str] = field(default_factory=list)

    def of_series(self, series_uid: str) -> list[Slice]:
        """The images of one series; the empty UID means the only one.

        Raises: SeriesError where there is none, or a file that could be of it is broken.
        """
        if not series_uid and len(self.series) > 1 and not self.links:
            remedy = f"name one of them in the column series_uid: {self._known()}"
            raise SeriesError(f"holds {len(self.series)} series", remedy)
        # What they led to could be of any series, and at an end of a stack nothing else would tell.
        _refuse_links(self.links)
        wanted = series_uid or "".join(self.series)
        # A broken file that does not tell its series could be of any.
        broken = [o for o in self.broken if o.header["SeriesInstanceUID"] in ("", wanted) or not self.series]
        if broken:
            named = "; ".join(f"{one.file.name}: {one.header['Broken']}" for one in broken[:3])
            raise SeriesError(f"holds {len(broken)} broken files ({named})", EXPORT)
        own = self.series.get(wanted, [])
        if not own:
            remedy = f"correct series_uid in the series sheet; the folder holds {self._known()}"
            raise SeriesError(f"holds no image of series {series_uid}", remedy)
        return own

    def _known(self) -> str:
        uids = sorted(self.series)
        return ", ".join([*uids[:5], *(["..."] if len(uids) > 5 else [])])


def files_of(folder: Path) -> list[Path]:
    """The files of a folder, sorted; a series may also be one file. Empty where there is none."""
    return _files_and_links(folder)[0]


def _files_and_links(folder: Path) -> tuple[list[Path], list[str]]:
    """The files of a folder, sorted, and names of links that lead nowhere."""
    if not folder.is_dir():
        return ([folder] if folder.is_file() else []), []
    files, links = [], []
    with os.scandir(folder) as entries:
        for entry in entries:
            try:
                if entry.is_file():
                    files.append(Path(entry.path))
                elif entry.is_symlink() and not entry.is_dir():
                    links.append(entry.name)
            except OSError:
                # Links that lead in a circle.
                links.append(entry.name)
    return sorted(files), sorted(links)


def lacking(path: Path, sheet: str) -> tuple[str, str]:
    """What is wrong with a path that names nothing, and what to do."""
    if path.is_symlink():
        return "is a link that leads nowhere", FETCH
    remedy = f"correct the path in the {sheet} sheet"
    above = path.parent
    if not above.is_dir():
        while not above.parent.is_dir():
            above = above.parent
        return "does not exist", f"{remedy}, or data_root in the config: there is no folder {above.name}"
    near = difflib.get_close_matches(path.name, sorted(os.listdir(above)), n=1)
    return "does not exist", remedy + (f"; is it {near[0]}?" if near else "")


def _refuse_links(links: Sequence[str]) -> None:
    if links:
        named = ", ".join([*links[:3], *(["..."] if len(links) > 3 else [])])
        count = "1 link that leads" if len(links) == 1 else f"{len(links)} links that lead"
        raise SeriesError(f"holds {count} nowhere ({named})", FETCH)


def list_series(
    folder: Path,
    cache: FileCache,
    only: Sequence[str] = (),
    look: Callable[[Path], dict[str, Any]] = file_facts,
) -> Listing:
    """Every image of a folder (a series may also be one file), by the name of its file.

    Args:
        only: names of the files that are looked at; empty for all. look: `file_facts`, or `facts_without_hash`.

    Raises: SeriesError where the folder does not exist, is empty or holds no DICOM image.
    """
    if not folder.exists():
        raise SeriesError(*lacking(folder, "series"))
    files, links = ([folder / name for name in only], []) if only and folder.is_dir() else _files_and_links(folder)
    if not files:
        _refuse_links(links)
        raise SeriesError("holds no file", "correct the path in the series sheet")
    series: dict[str, list[Slice]] = {}
    broken, images = [], 0
    others: list[tuple[Path, dict[str, Any]]] = []
    for file in files:
        facts = cache.get(file, look)
        several = len(facts["headers"]) > 1
        images += bool(facts["headers"])
        if "other" in facts:
            others.append((file, facts))
        for number, header in enumerate(facts["headers"]):
            one = Slice(file, facts["hash"], number if several else -1, header)
            if "Broken" in header:
                broken.append(one)
            else:
                series.setdefault(header.get("SeriesInstanceUID", ""), []).append(one)
    spoilt = _spoilt_images(others, series)
    if not images and not spoilt:
        _refuse_links(links)
        raise SeriesError("holds no DICOM image", "correct the path in the series sheet")
    return Listing(series, [*broken, *spoilt], images + len(spoilt), links)


def _spoilt_images(others: Sequence[tuple[Path, dict[str, Any]]], series: Mapping[str, Sequence[Slice]]) -> list[Slice]:
    """Of the files that are no DICOM those that should be: named as the images beside them, or content not fetched."""
    if not others:
        return []
    patterns = {name_pattern(one.file.name) for own in series.values() for one in own}
    found = []
    for file, facts in others:
        is_pointer = facts["other"] == "pointer"
        # Macs leave a `._name` beside each file.
        has_suffix = file.suffix.lower() in NAMES_OF_IMAGES and not file.name.startswith(".")
        is_named = has_suffix or name_pattern(file.name) in patterns
        if is_pointer or is_named:
            reason = "it stands for content that was not fetched" if is_pointer else facts["other"]
            found.append(Slice(file, facts["hash"], -1, {"SeriesInstanceUID": "", "Broken": reason}))
    return found
