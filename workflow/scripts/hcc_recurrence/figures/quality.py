"""Pictures in which people see a flipped mask, a wrong phase or a wrong patient: planes with outlines of masks."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import SimpleITK as sitk

CT_WINDOW_HU = (-160.0, 240.0)
MR_PERCENTILES = (1.0, 99.0)
# Millimetres a pixel of a picture, and of a thumbnail.
PIXEL_MM, THUMBNAIL_MM = 1.0, 1.5
# The reader whose masks the models use, then the others.
COLOURS = ((86, 180, 233), (230, 159, 0), (0, 158, 115), (204, 121, 167))
GAP = 6
NOTE_PIXELS = 11
PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 14px system-ui, sans-serif; margin: 1.5em; }}
h1 {{ font-size: 1.5em; }}
td, th {{ padding: 2px 6px; text-align: left; vertical-align: top; }}
img {{ width: 300px; height: auto; }}
small {{ color: #8a3b00; display: block; max-width: 15em; }}
</style></head><body><main><h1>{title}</h1><p>{note}</p>
<table><thead><tr><th>patient</th>{head}</tr></thead><tbody>
{body}
</tbody></table></main></body></html>
"""


def three_planes(image: sitk.Image, masks: Mapping[str, sitk.Image], modality: str) -> np.ndarray:
    """Axial, coronal and sagittal plane through the tumour with the outline of each mask, (y, x, 3) uint8.

    The first mask places the planes: the axial one at its largest section, the others at that section's centre. Without
    a mask they go through the middle. Anterior and cranial are up, the patient's right is on the left.

    Args:
        masks: by reader, on the image's grid; the one that the models use first.
    """
    voxels, outlines, spacing = _oriented(image, masks)
    shown = grey_values(voxels, modality)
    place = _place(outlines, voxels.shape)
    planes = [_plane(shown, outlines, spacing, axis, place[axis], PIXEL_MM) for axis in (0, 1, 2)]
    height = max(p.shape[0] for p in planes)
    padded = [np.pad(p, ((0, height - p.shape[0]), (0, GAP), (0, 0)), constant_values=255) for p in planes]
    return np.concatenate(padded, axis=1)


def thumbnail(image: sitk.Image, masks: Mapping[str, sitk.Image], modality: str) -> np.ndarray:
    """The axial plane alone, small, (y, x, 3) uint8; see `three_planes`."""
    voxels, outlines, spacing = _oriented(image, masks)
    place = _place(outlines, voxels.shape)
    return _plane(grey_values(voxels, modality), outlines, spacing, 0, place[0], THUMBNAIL_MM)


def grey_values(voxels: np.ndarray, modality: str) -> np.ndarray:
    """0 to 255: a soft tissue window for CT, the middle 98 % of the values above 0 for MR."""
    if modality == "CT":
        low, high = CT_WINDOW_HU
    else:
        inside = voxels[voxels > 0]
        low, high = np.percentile(inside if inside.size else voxels, MR_PERCENTILES)
    return (np.clip((voxels - low) / max(high - low, 1e-6), 0, 1) * 255).astype(np.uint8)


def _oriented(
    image: sitk.Image, masks: Mapping[str, sitk.Image]
) -> tuple[np.ndarray, list[np.ndarray], tuple[float, float, float]]:
    """Arrays (z, y, x) of an LPS orientation, and the spacing along them, mm."""
    import SimpleITK as sitk

    turned = sitk.DICOMOrient(image, "LPS")
    arrays = [sitk.GetArrayFromImage(sitk.DICOMOrient(mask, "LPS")) > 0 for mask in masks.values()]
    return sitk.GetArrayFromImage(turned), arrays, turned.GetSpacing()[::-1]


def _place(outlines: Sequence[np.ndarray], shape: Sequence[int]) -> tuple[int, int, int]:
    if not outlines or not outlines[0].any():
        return tuple(n // 2 for n in shape)
    z = int(outlines[0].sum(axis=(1, 2)).argmax())
    y, x = (int(np.round(np.mean(v))) for v in np.nonzero(outlines[0][z]))
    return z, y, x


def _plane(
    shown: np.ndarray, outlines: Sequence[np.ndarray], spacing: Sequence[float], axis: int, index: int, pixel_mm: float
) -> np.ndarray:
    from PIL import Image
    from scipy.ndimage import binary_erosion

    grey = np.take(shown, index, axis)
    sizes = [s for k, s in enumerate(spacing) if k != axis]
    height, width = (max(1, round(n * s / pixel_mm)) for n, s in zip(grey.shape, sizes, strict=True))
    picture = np.repeat(np.asarray(Image.fromarray(grey).resize((width, height)))[..., None], 3, axis=2).copy()
    for mask, colour in reversed(list(zip(outlines, COLOURS, strict=False))):
        section = np.take(mask, index, axis).astype(np.uint8) * 255
        large = np.asarray(Image.fromarray(section).resize((width, height), Image.Resampling.NEAREST)) > 0
        picture[large & ~binary_erosion(large)] = colour
    # In LPS z goes up the patient: cranial belongs on top.
    return picture if axis == 0 else picture[::-1]


def encoded(picture: np.ndarray, note: str = "") -> bytes:
    """A picture as JPEG, a fifth of the size of a PNG: a page holds a thousand. Outlines keep their colour sharp.

    Args: note: what stands in a strip below it.
    """
    from PIL import Image, ImageDraw, ImageFont

    whole, stream = Image.fromarray(picture), io.BytesIO()
    if note:
        font = ImageFont.load_default(size=NOTE_PIXELS)
        strip = Image.new("RGB", (whole.width, 2 * NOTE_PIXELS), "white")
        ImageDraw.Draw(strip).text((whole.width - 4, NOTE_PIXELS), note, "#a04000", font, anchor="rm")
        whole = Image.fromarray(np.concatenate([picture, np.asarray(strip)]))
    whole.save(stream, "JPEG", optimize=True, quality=85, subsampling=0)
    return stream.getvalue()


def carried_words(row: Any) -> str:
    """What stands under the picture of a phase whose mask was propagated there; a row of `carry_masks`."""
    words = f"mask propagated from {row.from_phase}"
    if row.by == "physical_space":
        return f"{words} as it lies"
    if isinstance(row.failed, str) and row.failed:
        return f"{words} as it lies: registration failed ({row.failed})"
    return f"{words}, moved {row.shift_mm:.1f} mm, turned {row.angle_deg:.1f}°"


def lesion_words(found: int, said: int | None, kept: str) -> str:
    """What stands under a picture where a mask holds several lesions, or another number than the sheet; else nothing.

    Args:
        found: separate lesions in the mask. said: number of tumours in the patients sheet, None where it has none.
        kept: which of several lesions are used, `largest` or `all`.
    """
    words = [f"{found} lesions in the mask, {'the largest is' if kept == 'largest' else 'all are'} used"] * (found > 1)
    if said is not None and said != found:
        words.append(f"the sheet says {said}" if words else f"1 lesion in the mask, the sheet says {said}")
    return "; ".join(words)


def thumbnail_page(
    rows: Mapping[str, Mapping[str, bytes]],
    title: str,
    note: str,
    marks: Mapping[tuple[str, str], str],
    larger: Mapping[tuple[str, str], str],
) -> str:
    """One HTML page with a row a patient and a picture a phase, without outside references.

    Args:
        rows: patient -> phase -> JPEG. marks: (patient, phase) -> what stands under a picture. larger: (patient, phase)
            -> the picture of three planes that a click opens, from the page's folder.
    """
    phases = list(dict.fromkeys(phase for row in rows.values() for phase in row))
    head = "".join(f"<th>{html.escape(phase)}</th>" for phase in phases)
    body = [
        f"<tr><td>{html.escape(patient)}</td>"
        + "".join(_cell(patient, phase, row[phase], marks, larger) if phase in row else "<td></td>" for phase in phases)
        + "</tr>"
        for patient, row in rows.items()
    ]
    return PAGE.format(title=html.escape(title), note=html.escape(note), head=head, body="\n".join(body))


def _cell(
    patient: str, phase: str, jpeg: bytes, marks: Mapping[tuple[str, str], str], larger: Mapping[tuple[str, str], str]
) -> str:
    picture = f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"
    mark, name = html.escape(marks.get((patient, phase), "")), html.escape(f"{patient} {phase}")
    image = f'<img alt="{name}, axial plane with the outline of the mask" src="{picture}">'
    link = html.escape(larger.get((patient, phase), ""))
    image = f'<a href="{link}" aria-label="{name}: three planes">{image}</a>' if link else image
    return f"<td>{image}<small>{mark}</small></td>"
