"""Where the slices of a stack lie: a straight line through their positions, even steps along it, and unit axes.

Exporters round: positions to a tenth of a millimetre, direction cosines to two digits. What is left of the scanner's
own geometry is found by a least squares line through all positions; what no rounding explains is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from hcc_recurrence.cohort.stack_parts import EXPORT, SeriesError, Slice, axes_of

# A slice may lie off its place by so much of the step; scanners write positions to 0.01 mm or better.
STEP_TOLERANCE = 0.02
# Or by what positions rounded to 0.1 mm in an oblique stack are off, mm, but never by this fraction of a step.
ROUNDING_MM, MOST_OF_A_STEP = 0.09, 0.2
# The widest gap between neighbours over the narrowest one, at most: rounding leaves 0.2 and 0.3, a lost slice 1 and 2.
WIDEST_TO_NARROWEST = 1.6
# Drift to the side over the whole stack: of a step, and mm.
DRIFT_OF_A_STEP, DRIFT_MM = 0.05, 0.01
# Places further off than this were rounded, and are taken from the line, mm.
AS_WRITTEN_MM = 0.01
# Direction cosines of more digits are taken as they are, and of fewer as exact, such as 1\\0\\0\\0\\1\\0.
FEWEST_DIGITS, MOST_DIGITS = 2, 4
# Of the last digit, so much is amiss in lengths and angles where cosines were rounded.
SEEN_OF_A_DIGIT = 0.05


class Line(NamedTuple):
    """Places along a line: first + step * number; numbers skip slices that are missing, off: the largest distance."""

    numbers: np.ndarray
    first: float
    step: float
    off: float

    @property
    def tolerance(self) -> float:
        """How far off its place a slice may lie, mm."""
        return max(STEP_TOLERANCE * self.step, min(ROUNDING_MM, MOST_OF_A_STEP * self.step))


def fit_line(along: np.ndarray, numbers: np.ndarray) -> Line:
    """Least squares line through sorted places, mm, (n,), of slices with these numbers."""
    middle = numbers.mean()
    step = float((numbers - middle) @ along) / float((numbers - middle) @ (numbers - middle))
    first = float(along.mean()) - step * middle
    off = float(np.abs(along - (first + step * numbers)).max())
    return Line(numbers, float(first), step, off)


def even_line(along: np.ndarray) -> Line | None:
    """The line of sorted places that are evenly spaced, (n,), mm; None where they are not."""
    gaps = np.diff(along)
    line = fit_line(along, np.arange(len(along)))
    return line if line.off <= line.tolerance and gaps.max() < WIDEST_TO_NARROWEST * gaps.min() else None


def line_with_missing(along: np.ndarray) -> Line | None:
    """The line of sorted places of an even stack that lacks slices; None where nothing even is left."""
    gaps = np.diff(along)
    step = float(np.median(gaps))
    for _ in range(3):
        if step <= 0:
            return None
        steps = np.maximum(np.rint(gaps / step), 1)
        line = fit_line(along, np.concatenate([[0], np.cumsum(steps)]))
        step = line.step
    return line if line.off <= line.tolerance and (steps > 1).any() else None


def check_spacing(headers: Sequence[dict[str, Any]], interpolate: bool = False) -> int:
    """Raise SeriesError unless slices that `check_headers` has passed are evenly spaced and straight above each other.

    Returns: the number of slices before the one that is missing, where `interpolate` allows one; 0 where none is.
    """
    if len(headers) < 3:
        raise SeriesError(f"has only {len(headers)} slices", EXPORT)
    normal = axes_of(headers[0])[:, 2]
    positions = np.array([h["ImagePositionPatient"] for h in headers])
    along = positions @ normal
    order = np.argsort(along, kind="stable")
    along, positions = along[order], positions[order]
    gaps = np.diff(along)
    step = float(np.median(gaps))
    if step <= 0 or (gaps < 0.1 * step).any():
        count = int((gaps < 0.1 * max(step, 1e-6)).sum())
        raise SeriesError(
            f"{count} positions carry more than one slice, and nothing in the headers tells several stacks apart",
            "export the phases as series of their own",
        )
    line = even_line(along)
    gap = 0
    if line is None:
        line = _with_one_missing(along, gaps, interpolate)
        gap = int(np.flatnonzero(np.diff(line.numbers) > 1)[0]) + 1
    _check_straight(headers[0], positions, line)
    return gap


def _with_one_missing(along: np.ndarray, gaps: np.ndarray, interpolate: bool) -> Line:
    """The line of a stack that lacks one slice, where that may be interpolated.

    Raises: SeriesError in all other cases.
    """
    line = line_with_missing(along)
    if line is None:
        rounded = " (rounded to whole millimetres?)" if np.allclose(along, np.rint(along), atol=1e-6) else ""
        raise SeriesError(
            f"slices are not evenly spaced: {gaps.min():.2f} to {gaps.max():.2f} mm from one to the next{rounded}",
            f"{EXPORT}, with the positions as the scanner wrote them",
        )
    steps = np.diff(line.numbers)
    wrong = np.flatnonzero(steps > 1)
    one_missing = len(wrong) == 1 and steps[wrong[0]] == 2
    if interpolate and one_missing:
        return line
    missing = ", ".join(f"{gaps[i]:.2f} mm between {along[i]:.2f} and {along[i + 1]:.2f} mm" for i in wrong[:3])
    remedy = f"{EXPORT}, or let the one slice be interpolated with interpolate_missing: true"
    raise SeriesError(
        f"slices are not evenly spaced ({line.step:.2f} mm expected, found {missing}): "
        + ("a slice is probably missing" if one_missing else "slices are probably missing"),
        remedy if one_missing else EXPORT,
    )


def _check_straight(header: dict[str, Any], positions: np.ndarray, line: Line) -> None:
    drift, off = _sideways(header, positions, line)
    drift_mm = float(np.linalg.norm(drift)) * line.numbers[-1]
    allowed = DRIFT_OF_A_STEP * line.step + DRIFT_MM
    if drift_mm > allowed:
        allowed += _angle_of_rounding(header) * line.step * line.numbers[-1]
        allowed += ROUNDING_MM if positions_digits(positions) < 2 else 0
    if drift_mm > allowed or off > max(DRIFT_OF_A_STEP * line.step, ROUNDING_MM):
        raise SeriesError("slices are sheared (gantry tilt)", "export the series reformatted to a straight stack")


def _sideways(header: dict[str, Any], positions: np.ndarray, line: Line) -> tuple[np.ndarray, float]:
    """How far slices move within their planes a step, mm (3,), and the largest distance from that, mm."""
    normal = axes_of(header)[:, 2]
    aside = positions - positions[0]
    aside = aside - np.outer(aside @ normal, normal)
    numbers = line.numbers - line.numbers.mean()
    slope = numbers @ aside / (numbers @ numbers)
    rest = aside - aside.mean(axis=0) - np.outer(numbers, slope)
    return slope, float(np.sqrt((rest**2).sum(axis=1).max()))


def positions_digits(positions: np.ndarray) -> int:
    """Digits behind the point that positions have, 0 to 4."""
    return next((d for d in range(4) if np.allclose(positions, np.round(positions, d), atol=1e-6)), 4)


def _angle_of_rounding(header: dict[str, Any]) -> float:
    """How far the normal may be off because direction cosines were rounded, radians: 0 where they were not."""
    cosines = np.array(header["ImageOrientationPatient"])
    if np.abs(cosines - np.rint(cosines)).max() < 1e-9:
        return 0.0
    digits = next((d for d in range(1, 7) if np.abs(cosines - np.round(cosines, d)).max() < 1e-9), 7)
    x, y = cosines[:3], cosines[3:]
    # Rounding shows in lengths and the right angle; a tilt of 0.01 is written with two digits as well, and does not.
    amiss = max(abs(x @ x - 1), abs(y @ y - 1), abs(x @ y))
    if not FEWEST_DIGITS <= digits <= MOST_DIGITS or amiss < SEEN_OF_A_DIGIT * 10.0**-digits:
        return 0.0
    # Half a unit of the last digit in each of three components.
    return 0.5 * np.sqrt(3) * 10.0**-digits


def stack_geometry(slices: Sequence[Slice], missing: int = 0) -> dict[str, Any]:
    """Size, spacing, origin (x, y, z; mm) and direction (row major 3 x 3) of a checked stack, and `off_mm`, how far its
    slices lie off their places at most.

    The axes are of length one and perpendicular. Where positions were rounded, step and origin are those of the line
    through them; where direction cosines were, the normal is that line, if it is known better.

    Args:
        missing: slices that will be interpolated; they count.
    """
    header = slices[0].header
    axes = axes_of(header)
    positions = np.array([one.header["ImagePositionPatient"] for one in slices])
    along = (positions - positions[0]) @ axes[:, 2]
    number = len(slices) + missing
    line = (line_with_missing(along) if missing else None) or fit_line(along, np.arange(len(slices)))
    origin, step = positions[0], float(along[-1]) / (number - 1)
    if np.abs(along - step * line.numbers).max() > AS_WRITTEN_MM:
        origin, step = origin + axes[:, 2] * line.first, line.step
        off = line.off
    else:
        off = float(np.abs(along - step * line.numbers).max())
    angle = _angle_of_rounding(header)
    if angle and angle > 10.0 ** -positions_digits(positions) / (step * (number - 1)):
        along_stack = axes[:, 2] * line.step + _sideways(header, positions, line)[0]
        step *= float(np.linalg.norm(along_stack)) / line.step
        axes = _turned(axes, along_stack / np.linalg.norm(along_stack))
    row, column = header["PixelSpacing"]
    return {
        "size": [header["Columns"], header["Rows"], number],
        "spacing": [column, row, step],
        "origin": origin.tolist(),
        "direction": axes.ravel().tolist(),
        "off_mm": off,
    }


def _turned(axes: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """Axes turned by the smallest angle that takes the third one to a normal."""
    from scipy.spatial.transform import Rotation

    turn = np.cross(axes[:, 2], normal)
    size = np.linalg.norm(turn)
    if size == 0:
        return axes
    return Rotation.from_rotvec(turn / size * np.arcsin(min(size, 1.0))).as_matrix() @ axes
