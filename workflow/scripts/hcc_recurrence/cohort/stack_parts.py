"""Series that hold several stacks at the same places, such as two phases in one series, taken apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hcc_recurrence.cohort.image_kinds import flip_angle_of, kind_names, mixed_kinds
from hcc_recurrence.problems import Refused

EXPORT = "export the series again from the archive"
# Instead of a part: all slices, whatever their acquisition numbers.
WHOLE = "all"
# Fewer slices are no stack.
LEAST_OF_A_STACK = 3
# Two volumes are at least so far apart in time.
SECONDS_APART = 2.0


class SeriesError(Refused):
    """The series cannot be used."""


class Slice(NamedTuple):
    """One image of a series: its file, the hash of the file, its frame in it (from 0), and what its header says."""

    file: Path
    hash: str
    frame: int
    header: dict[str, Any]


def axes_of(header: dict[str, Any]) -> np.ndarray:
    """Directions of x, y and the slice normal as columns, LPS, (3, 3): of length one and perpendicular.

    Cosines that were rounded are replaced by the nearest pair of perpendicular unit vectors (the orthogonal factor of
    their polar decomposition); exact ones stay as they are.
    """
    x, y = np.array(header["ImageOrientationPatient"], float).reshape(2, 3)
    if max(abs(x @ x - 1), abs(y @ y - 1), abs(x @ y)) > 1e-12:
        left, _, right = np.linalg.svd(np.stack([x, y]), full_matrices=False)
        x, y = left @ right
    # Six times as fast as numpy's cross.
    normal = (x[1] * y[2] - x[2] * y[1], x[2] * y[0] - x[0] * y[2], x[0] * y[1] - x[1] * y[0])
    return np.column_stack([x, y, normal])


def normal_of(header: dict[str, Any]) -> np.ndarray:
    """Unit vector along which slices are stacked, (x, y, z) in LPS."""
    return axes_of(header)[:, 2]


def positions_along(slices: Sequence[Slice]) -> np.ndarray:
    """Where slices lie along the first one's normal, mm, (n,)."""
    normal = normal_of(slices[0].header)
    return np.array([one.header["ImagePositionPatient"] for one in slices]) @ normal


def stack_parts(slices: Sequence[Slice], is_stack: Callable[[Sequence[Slice]], bool]) -> dict[str, list[Slice]]:
    """The stacks of a series by name, as `acquisition 2`, `time 1` or `echo 2.3 ms`; empty where there is one alone.

    What tells them apart is tried in turn: the kind of image, see `kind_of`; AcquisitionNumber (by its value); the
    acquisition's time, a new stack where a place comes again; InstanceNumber, a new stack where a place comes again;
    then `stacks_in_turns`.
    Then kinds, each taken apart by one of the others. The first that leaves only stacks counts.

    Args:
        is_stack: whether slices are an even stack of parallel ones, of one kind.
    """
    kinds = _by_kind(slices)
    if len(kinds) > 1 and all(is_stack(group) for group in kinds.values()):
        return {name: kinds[name] for name in sorted(kinds)}
    if len(kinds) < 2 or not mixed_kinds([one.header.get("Kind", "") for one in slices]):
        return next(iter(_by_order(slices, is_stack)), {})
    parts: dict[str, list[Slice]] = {}
    for name in sorted(kinds):
        own = kinds[name]
        if is_stack(own):
            parts[name] = own
            continue
        of_kind = next(iter(_by_order(own, is_stack)), {})
        if not of_kind:
            return next(iter(_by_order(slices, is_stack)), {})
        parts |= {f"{name}, {part}": group for part, group in of_kind.items()}
    return parts


def find_part(slices: Sequence[Slice], part: str, is_stack: Callable[[Sequence[Slice]], bool]) -> list[Slice] | None:
    """The stack of a name; None where there is none of that name.

    Stacks of different kinds are also known by their acquisition or time, where these tell all of them apart.
    """
    ways = [stack_parts(slices, is_stack)]
    if len({one.header.get("Kind", "") for one in slices}) > 1:
        ways += _by_order(slices, is_stack)
    wanted = " ".join(part.split()).casefold()
    return next((group for way in ways for name, group in way.items() if name.casefold() == wanted), None)


def _by_order(slices: Sequence[Slice], is_stack: Callable[[Sequence[Slice]], bool]) -> Iterator[dict[str, list[Slice]]]:
    for method, take in (("acquisition", _by_acquisition), ("time", _by_time), ("repeat", _by_repeat)):
        groups = take(slices)
        if len(groups) > 1 and all(is_stack(group) for group in groups.values()):
            yield {f"{method} {name}": groups[name] for name in sorted(groups)}
    if groups := stacks_in_turns(slices, is_stack):
        yield {f"time {number}": group for number, group in enumerate(groups, 1)}


def slices_that_stand_twice(
    slices: Sequence[Slice], is_stack: Callable[[Sequence[Slice]], bool]
) -> list[tuple[Slice, Slice]]:
    """Pairs of slices at one place, where a stack is whole without the second of each; empty where it is not, or where
    half of the places or more are taken twice, as two phases are."""
    first: dict[float, Slice] = {}
    pairs = []
    for one, place in zip(slices, _places(slices), strict=True):
        if place in first:
            pairs.append((first[place], one))
        else:
            first[place] = one
    few = 0 < len(pairs) < len(first) / 2
    return pairs if few and is_stack(list(first.values())) else []


def acquisitions_alternate(slices: Sequence[Slice]) -> bool:
    """Whether acquisitions take turns along the stack: two interleaved phases would pass for one of half the step."""
    order = np.argsort(positions_along(slices), kind="stable")
    numbers = [slices[i].header.get("AcquisitionNumber") for i in order]
    changes = sum(a != b for a, b in pairwise(numbers))
    return changes > len(set(numbers)) - 1


def stacks_in_turns(slices: Sequence[Slice], is_stack: Callable[[Sequence[Slice]], bool]) -> list[list[Slice]]:
    """Stacks that take turns along a series without a place in common, in the order of their times; [] where none do.

    Two phases half a step apart are an even stack of half the step. Temporal position, trigger time and flip angle tell
    them, and the time of acquisition of a CT, or of an MR whose header says that it is 3D: all slices of such a volume
    are acquired together. Of a 2D MR the time tells nothing: every other slice of a stack is acquired first.
    """
    found = [[one.header.get(tag) for one in slices] for tag in ("TemporalPositionIdentifier", "TriggerTime")]
    found.append([flip_angle_of(one.header.get("Kind", "")) for one in slices])
    if slices[0].header.get("Modality") == "CT":
        found.append(_sweeps(slices))
    elif all(one.header.get("MRAcquisitionType") == "3D" for one in slices):
        found.append(_times_of_volumes(slices))
    for values in found:
        groups: dict[Any, list[Slice]] = defaultdict(list)
        for one, value in zip(slices, values, strict=True):
            groups[value].append(one)
        if None in groups or not _take_turns(slices, values):
            continue
        if all(is_stack(group) for group in groups.values()):
            return [groups[value] for value in sorted(groups)]
    return []


def numbers_in_turns(slices: Sequence[Slice], is_stack: Callable[[Sequence[Slice]], bool]) -> int:
    """How many stacks take turns along a series that number their images alike (1, 1, 2, 2, ...); 0 where none do."""
    order = np.argsort(positions_along(slices), kind="stable")
    numbers = [slices[i].header.get("InstanceNumber") for i in order]
    times = len(numbers) // max(len(set(numbers)), 1)
    if None in numbers or times < 2 or len(numbers) < LEAST_OF_A_STACK * times:
        return 0
    # Each number once in each of the stacks.
    if any(len(set(numbers[start::times])) != len(numbers[start::times]) for start in range(times)):
        return 0
    parts = [[slices[i] for i in order[start::times]] for start in range(times)]
    return times if all(is_stack(part) for part in parts) else 0


def one_above_the_other(slices: Sequence[Slice]) -> str:
    """Says of a stack, in its order, that an end of it is of another acquisition or temporal position; empty where not.

    An upper half of one contrast phase and a lower half of another are an even stack.
    """
    for tag, name in (("TemporalPositionIdentifier", "temporal position"), ("AcquisitionNumber", "acquisition")):
        values = [one.header.get(tag) for one in slices]
        known = list(dict.fromkeys(values))
        if None in known or len(known) < 2 or sum(a != b for a, b in pairwise(values)) != len(known) - 1:
            continue
        sizes = [values.count(value) for value in known]
        if min(sizes) >= LEAST_OF_A_STACK:
            parts = [f"{size} of {name} {value}" for size, value in zip(sizes, known, strict=True)]
            return f"its slices are, from its first place on, {', '.join(parts)}"
    return ""


def _take_turns(slices: Sequence[Slice], values: Sequence[Any]) -> bool:
    """Whether a few values alternate along the stack; one of its own for each slice does not count."""
    order = np.argsort(positions_along(slices), kind="stable")
    changes = sum(values[i] != values[j] for i, j in pairwise(order))
    number = len(set(values))
    return 1 < number <= len(slices) // LEAST_OF_A_STACK and changes > number - 1


def _sweeps(slices: Sequence[Slice]) -> list[int | None]:
    """By which sweep along the stack each slice was acquired, from 0; None where one has no time."""
    times = [one.header.get("AcquisitionTime", one.header.get("ContentTime")) for one in slices]
    if None in times:
        return [None] * len(slices)
    places = positions_along(slices)
    order = sorted(range(len(slices)), key=lambda i: (times[i], places[i]))
    steps = np.diff(places[order])
    way = np.sign(np.median(steps))
    number = np.concatenate([[0], np.cumsum(np.sign(steps) == -way)])
    found: list[int | None] = [0] * len(slices)
    for i, sweep in zip(order, number, strict=True):
        found[i] = int(sweep)
    return found


def times_in_turns(slices: Sequence[Slice]) -> str:
    """Says of a stack, in its order, that every other slice was acquired later than all of the others, as a 2D MR is,
    and two phases in turns are; empty where not, or where no times tell."""
    seconds = [_seconds(time) for time in _clocks(slices)]
    if len(seconds) < 2 * LEAST_OF_A_STACK or None in seconds:
        return ""
    first, second = sorted((seconds[::2], seconds[1::2]), key=min)
    if max(first) >= min(second):
        return ""
    return f"by the headers every other slice was acquired {min(second) - min(first):.0f} s after the others"


def _times_of_volumes(slices: Sequence[Slice]) -> list[float | None]:
    """When the volume of each slice was acquired, s; None where one has no time, or two times lie so close that they
    may be of one volume."""
    seconds = [_seconds(time) for time in _clocks(slices)]
    known = sorted({time for time in seconds if time is not None})
    if None in seconds or any(later - time < SECONDS_APART for time, later in pairwise(known)):
        return [None] * len(slices)
    return seconds


def _seconds(time: str) -> float | None:
    """A time, or a date with time, in seconds: later ones are larger, also on the next day. None where it is none."""
    whole, _, part = time.partition(".")
    if not (len(whole) in (6, 14) and whole.isdigit()):
        return None
    try:
        # Digits of a date read as one number would make a night at a month's end last 70 days.
        day = date.fromisoformat(whole[:8]).toordinal() if len(whole) == 14 else 0
    except ValueError:
        return None
    hours, minutes, seconds = int(whole[-6:-4]), int(whole[-4:-2]), whole[-2:]
    return 86400.0 * day + 3600 * hours + 60 * minutes + float(f"{seconds}.{part if part.isdigit() else 0}")


def _by_kind(slices: Sequence[Slice]) -> dict[str, list[Slice]]:
    groups: dict[str, list[Slice]] = defaultdict(list)
    for one in slices:
        groups[one.header.get("Kind", "")].append(one)
    if len(groups) < 2:
        return {"": list(slices)}
    names = kind_names(list(groups))
    # Kinds without a word in common that tells them apart cannot be named.
    return {names[kind]: group for kind, group in groups.items()} if len(set(names.values())) == len(groups) else {}


def _by_acquisition(slices: Sequence[Slice]) -> dict[int, list[Slice]]:
    groups: dict[int, list[Slice]] = defaultdict(list)
    for one in slices:
        groups[one.header.get("AcquisitionNumber", -1)].append(one)
    return {} if -1 in groups else groups


def _by_time(slices: Sequence[Slice]) -> dict[int, list[Slice]]:
    def when(one: Slice, time: str) -> tuple[int, str, float, int]:
        header = one.header
        order = header.get("TemporalPositionIdentifier", 0), time, header.get("TriggerTime", 0.0)
        return *order, header.get("InstanceNumber", 0)

    keys = [when(one, time) for one, time in zip(slices, _clocks(slices), strict=True)]
    if len({key[:3] for key in keys}) < 2:
        return {}
    return _runs([slices[i] for i in sorted(range(len(slices)), key=keys.__getitem__)])


def _clocks(slices: Sequence[Slice]) -> list[str]:
    """The time of acquisition of each slice as its header has it, in an order that goes on past midnight; empty where
    it has none."""
    times = [one.header.get("AcquisitionTime", one.header.get("ContentTime", "")) for one in slices]
    # Past midnight, where no date stands before the time.
    hours = {time[:2] for time in times if len(time.split(".")[0]) <= 6}
    is_night = any(hour >= "20" for hour in hours) and any("00" <= hour < "04" for hour in hours)
    return [f"{int(t[:2]) + 24}{t[2:]}" if is_night and "00" <= t[:2] < "04" else t for t in times]


def _by_repeat(slices: Sequence[Slice]) -> dict[int, list[Slice]]:
    # Numbers that run through one stack after the other. Where they run from place to place, nothing tells whether the
    # images at each place keep their order.
    numbers = [one.header.get("InstanceNumber") for one in slices]
    if None in numbers or len(set(numbers)) < len(numbers):
        return {}
    return _runs(sorted(slices, key=lambda one: one.header["InstanceNumber"]))


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
