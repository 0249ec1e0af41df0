"""Files of DICOM looked through with progress: headers, series, and what aorta and portal vein tell of the phases."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hcc_recurrence.cohort.discovery import (
    FoundSeries,
    HeaderReader,
    group_series,
    guess_phases,
    read_headers,
)
from hcc_recurrence.cohort.facts import show_progress
from hcc_recurrence.cohort.vessels import vessel_values
from hcc_recurrence.provenance import FileCache

# PatientIDs as they are.
PUBLIC = HeaderReader()


def crawl(
    files: Sequence[Path],
    cache_file: Path,
    workers: int,
    look_at_vessels: bool = True,
    reader: HeaderReader = PUBLIC,
) -> tuple[list[FoundSeries], dict[Path, str]]:
    """All series of some files with their phases, in the order of patients and time; and files that cannot be read,
    with the reason.

    Args:
        files: of `list_delivery`. cache_file: headers of unchanged files. look_at_vessels: phases also by the voxels,
            where a SEG names both vessels. reader: with the salt that stands for PatientIDs in the cache.
    """
    cache = FileCache(cache_file, reader.version)
    facts = read_headers(files, cache, workers, show_progress("headers"), reader)
    cache.save()
    found = group_series(facts)
    print(f"{len(files)} files, {len(found)} series")
    vessels = vessel_values(found, show_progress("vessels")) if look_at_vessels else {}
    if vessels:
        guess_phases(found, vessels)
    return found, {file: told["unreadable"] for file, told in facts.items() if "unreadable" in told}
