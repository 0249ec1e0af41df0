"""On which side of their images a reader's masks lie: masks of all patients that were saved mirrored are on the left.

The voxels of a mask that a program turned left to right, and saved with the geometry of the image, lie within the body
as a rule. The liver is on the right, and so are most of its tumours; one patient tells nothing, a cohort does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

# So many patients, of whom so many have their tumour on the left. Of tumours of the liver a fifth lie there; in images
# that were cropped to the liver, where it may be a third, chance makes four fifths of ten in one cohort of 200.
FEWEST_PATIENTS, MOST_LEFT = 10, 0.8
REMEDY = (
    "look at the page of all masks, quality/all_patients.html, or at some in a viewer; masks that were turned left to "
    "right have to be saved again"
)


def lies_left(shapes: Sequence[Mapping[str, Any]], mask: Mapping[str, Any], image: Mapping[str, Any]) -> bool:
    """Whether the middle of a mask lies left of the middle of its image, as the patient sees it.

    Args:
        shapes: of the mask's parts (`mask_shapes.shape_of`). mask, image: size, spacing, origin and direction, LPS.
    """
    boxes = np.array([shape["box"] for shape in shapes]).reshape(-1, 3, 2)
    # mm along the mask's own axes from the edge of its first voxel, (x, y, z).
    middle = (boxes[:, :, 0].min(axis=0) + boxes[:, :, 1].max(axis=0))[::-1] / 2 - np.array(mask["spacing"]) / 2
    half = (np.array(image["size"]) - 1) / 2 * image["spacing"]
    places = [
        np.array(g["origin"]) + np.array(g["direction"]).reshape(3, 3) @ along
        for g, along in ((mask, middle), (image, half))
    ]
    return bool(places[0][0] > places[1][0])


def said_of_sides(sides: Sequence[bool], reader: str) -> str:
    """Says that masks of a reader, one a patient, lie on the left for the most part; empty where they do not.

    Args:
        sides: of `lies_left`.
    """
    if len(sides) < FEWEST_PATIENTS or sum(sides) < MOST_LEFT * len(sides):
        return ""
    return (
        f"masks of {reader} lie left of the middle of the image in {sum(sides)} of {len(sides)} patients, and the "
        "liver is on the right: they may be mirrored"
    )
