"""Series that hold several stacks at the same places, such as two phases in one series, taken apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

# Instead of a part: all slices, whatever their acquisition numbers.
WHOLE = "all"


class Slice(NamedTuple):
    """One image of a series: its file, the hash of the file, its frame in it (from 0), and what its header says."""

    file: Path
    hash: str
    frame: int
    header: dict[str, Any]


def normal_of(header: dict[str, Any]) -> np.ndarray:
    """Unit vector along which slices are stacked, (x, y, z) in LPS."""
    orientation = np.array(header["ImageOrientationPatient"])
    return np.cross(orientation[:3], orientation[3:])


def positions_along(slices: Sequence[Slice]) -> np.ndarray:
    """Where slices lie along the first one's normal, mm, (n,)."""
    normal = normal_of(slices[0].header)
    return np.array([one.header["ImagePositionPatient"] for one in slices]) @ normal


def stack_parts(slices: Sequence[Slice], is_stack: Callable[[Sequence[Slice]], bool]) -> dict[str, list[Slice]]:
    """The stacks of a series by name, as `acquisition 2`, `time 1` or `repeat 2`; empty where there is one alone.

    What tells them apart is tried in turn: AcquisitionNumber (by its value); the acquisition's time, a new stack where
    a place comes again; the k-th image at each place by InstanceNumber. The first that leaves only stacks counts.

    Args:
        is_stack: whether slices are an even stack of parallel ones.
    """
    for method, take in (("acquisition", _by_acquisition), ("time", _by_time), ("repeat", _by_repeat)):
        groups = take(slices)
        if len(groups) > 1 and all(is_stack(group) for group in groups.values()):
            return {f"{method} {name}": groups[name] for name in sorted(groups)}
    return {}


def acquisitions_alternate(slices: Sequence[Slice]) -> bool:
    """Whether acquisitions take turns along the stack: two interleaved phases would pass for one of half the step."""
    order = np.argsort(positions_along(slices), kind="stable")
    numbers = [slices[i].header.get("AcquisitionNumber") for i in order]
    changes = sum(a != b for a, b in pairwise(numbers))
    return changes > len(set(numbers)) - 1


def _by_acquisition(slices: Sequence[Slice]) -> dict[int, list[Slice]]:
    groups: dict[int, list[Slice]] = defaultdict(list)
    for one in slices:
        groups[one.header.get("AcquisitionNumber", -1)].append(one)
    return {} if -1 in groups else groups


def _by_time(slices: Sequence[Slice]) -> dict[int, list[Slice]]:
    def when(one: Slice) -> tuple[int, str, int]:
        header = one.header
        time = header.get("AcquisitionTime", header.get("ContentTime", ""))
        return header.get("TemporalPositionIdentifier", 0), time, header.get("InstanceNumber", 0)

    if len({when(one)[:2] for one in slices}) < 2:
        return {}
    return _runs(sorted(slices, key=when))


def _by_repeat(slices: Sequence[Slice]) -> dict[int, list[Slice]]:
    groups: dict[int, list[Slice]] = defaultdict(list)
    counted: dict[float, int] = defaultdict(int)
    ordered = sorted(slices, key=lambda one: one.header.get("InstanceNumber", 0))
    for one, place in zip(ordered, _places(ordered), strict=True):
        counted[place] += 1
        groups[counted[place]].append(one)
    return groups


def _runs(ordered: Sequence[Slice]) -> dict[int, list[Slice]]:
    groups: dict[int, list[Slice]] = {1: []}
    seen: set[float] = set()
    for one, place in zip(ordered, _places(ordered), strict=True):
        if place in seen:
            groups[len(groups) + 1], seen = [], set()
        seen.add(place)
        groups[len(groups)].append(one)
    return groups


def _places(slices: Sequence[Slice]) -> list[float]:
    # Scanners write positions to a hundredth of a millimetre or better.
    return [round(float(p), 2) for p in positions_along(slices)]
