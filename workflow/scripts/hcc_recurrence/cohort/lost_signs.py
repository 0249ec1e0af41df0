"""Whether pixels were read with the wrong sign: a header that says unsigned of values that are not, or the reverse.

A small negative value that is read without its sign is as large as can be, and a large one that is read with a sign
is as negative as can be. Where the highest bit changes from one pixel to the next, values jump by nearly all of their
range then. In an image they rise over several pixels: a bright vessel beside fat, or metal in a CT, jumps by less.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from hcc_recurrence.cohort.stack_parts import SeriesError

# Of the range of the bits that are stored, half of all such pairs of neighbours jump by more than this fraction. In 51
# real MR whose noise is read without its sign it is 0.99; as they are, stretched to all of 12 bits and cut off there,
# 0.31 at most, and 0.90 where all that is dark was set to 0 besides.
JUMP_UNSIGNED = 0.93
# The same MR give 0.84 to 0.98 where values above half of the range are read with a sign. Values with a sign of their
# own pass 0 in small steps; padding of the lowest value beside a body gives 0.51.
JUMP_SIGNED = 0.8
# Fewer pairs, or pixels of fewer values, are a defect of a detector, or letters that were written into the image.
FEWEST_PAIRS, FEWEST_VALUES = 20, 3
REMEDY = "export the series again as the scanner made it: PixelRepresentation of its header does not fit its pixels"
REMEDY_OF_FILE = "make the file again from the series, with values that have a sign"


def sign_doubt(values: np.ndarray, header: Mapping[str, Any]) -> str:
    """Why the sign of an image's pixels cannot be what its header says; empty where it can.

    Args:
        values: (rows, columns), rescaled. header: with the slope and intercept, BitsStored and PixelRepresentation.
    """
    bits, slope = int(header.get("BitsStored", 16)), float(header.get("RescaleSlope", 1))
    is_signed = header.get("PixelRepresentation") == 1
    least = (JUMP_SIGNED if is_signed else JUMP_UNSIGNED) * 2.0**bits
    # Nearly all images are done with here.
    if float(values.max()) - float(values.min()) <= least * abs(slope):
        return ""
    stored = np.rint((values.astype(np.float64) - float(header.get("RescaleIntercept", 0))) / slope)
    is_high = stored < 0 if is_signed else stored >= 2 ** (bits - 1)
    jumps, high = [], []
    for axis in (0, 1):
        turned, flags = np.moveaxis(stored, axis, 0), np.moveaxis(is_high, axis, 0)
        change = flags[1:] != flags[:-1]
        one, other = turned[1:][change], turned[:-1][change]
        jumps.append(np.abs(one - other))
        high.append(np.where(flags[1:][change], one, other))
    distances = np.concatenate(jumps)
    if len(distances) < FEWEST_PAIRS or len(np.unique(np.concatenate(high))) < FEWEST_VALUES:
        return ""
    if (jump := float(np.median(distances))) <= least:
        return ""
    read = "values above half of the range became negative" if is_signed else "negative values lost their sign"
    return (
        f"has stored values that jump by {jump:.0f} of {2**bits} from one pixel to the next, in {len(distances)} "
        f"places, as where {read} ({'with' if is_signed else 'without'} a sign, as its header says)"
    )


def sign_doubt_of_volume(values: np.ndarray) -> str:
    """`sign_doubt` of the slices of an image file that is no DICOM, (z, y, x), of whole numbers of 16 bits; empty for
    others, which hold what a program has made of the pixels."""
    if values.dtype.kind not in "iu" or values.dtype.itemsize != 2:
        return ""
    header = {"PixelRepresentation": int(values.dtype.kind == "i")}
    return next((reason for reason in (sign_doubt(one, header) for one in values) if reason), "")


def check_sign(values: np.ndarray, header: Mapping[str, Any], name: str) -> None:
    """Raise SeriesError where `sign_doubt` has a reason.

    Args:
        name: of the file.
    """
    if reason := sign_doubt(values, header):
        raise SeriesError(f"{name} {reason}", REMEDY)
