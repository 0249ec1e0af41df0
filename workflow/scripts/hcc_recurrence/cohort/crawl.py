"""Files of DICOM looked through with progress: headers, series, and what aorta and portal vein tell of the phases."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hcc_recurrence.cohort.discovery import (
    DISCOVERY_VERSION,
    FoundSeries,
    group_series,
    guess_phases,
    read_headers,
)
from hcc_recurrence.cohort.facts import show_progress
from hcc_recurrence.cohort.vessels import vessel_values
from hcc_recurrence.provenance import FileCache


def crawl(files: Sequence[Path], cache_file: Path, workers: int, look_at_vessels: bool = True) -> list[FoundSeries]:
    """All series of some files with their phases, in the order of patients and time.

    Args:
        files: of `list_files`. cache_file: headers of unchanged files. look_at_vessels: phases also by the voxels,
            where a SEG names both vessels.
    """
    cache = FileCache(cache_file, DISCOVERY_VERSION)
    read_headers(files, cache, workers, show_progress("headers"))
    cache.save()
    found = group_series(files, cache)
    print(f"{len(files)} files, {len(found)} series")
    vessels = vessel_values(found, show_progress("vessels")) if look_at_vessels else {}
    if vessels:
        guess_phases(found, vessels)
    return found
