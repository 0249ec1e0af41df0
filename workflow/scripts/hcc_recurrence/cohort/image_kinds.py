"""What tells images of one series apart that lie at one place: echo, kind of signal, b-value, kernel, tube voltage.

And which pixels cannot stand for what was measured, whatever their values: colours, eight-bit copies of a CT, other
units, lossy compression.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hcc_recurrence.cohort.dicom_files import holds, texts_of, word_of

if TYPE_CHECKING:
    from pydicom import Dataset

# Siemens writes the b-value where no standard tag was, under this private creator.
_SIEMENS, _SIEMENS_CREATOR, _SIEMENS_B_VALUE = "SIEMENS MR HEADER", 0x00190010, 0x0019100C
# GE says in a private number, and nowhere else, which part of a complex image it is.
_GE, _GE_CREATOR, _GE_PART = "GEMS_PARM_01", 0x00430010, 0x0043102F
_COMPLEX_PARTS = ("", "phase", "real", "imaginary")
KIND_TAGS = (
    *("EchoTime", "EchoNumbers", "ImageType", "ComplexImageComponent", "DiffusionBValue", "InversionTime"),
    *("ConvolutionKernel", "KVP", "FlipAngle", "SliceThickness", _SIEMENS_CREATOR, _SIEMENS_B_VALUE, _GE_CREATOR),
    _GE_PART,
)
PIXEL_TAGS = (
    *("SamplesPerPixel", "PhotometricInterpretation", "BitsStored", "HighBit", "RescaleType"),
    *("LossyImageCompression", "ModalityLUTSequence"),
)
_SEPARATOR = "|"
# RescaleType of a CT in Hounsfield units; US, unspecified, is what ITK writes.
_HOUNSFIELD_TYPES = ("", "HU", "US")
_GREY = ("", "MONOCHROME1", "MONOCHROME2")


def kind_of(data: Dataset, of_frame: Mapping[str, Any]) -> str:
    """What an image shows besides its place, as `echo 4.6 ms|echo number 1|type WATER|...`; empty fields are unknown.

    Args:
        of_frame: what the frame of an enhanced object says of it, by the name of the classic tag.
    """

    def value(tag: str) -> Sequence[str]:
        return _texts(of_frame[tag]) if tag in of_frame else texts_of(data, tag)

    # Values 1 and 2 of ImageType say where an image comes from; from 3 on what it shows.
    types = [t for t in value("ImageType")[2:] if t]
    shown = [*types, *value("ComplexImageComponent"), *_ge_part(data)]
    # The one of them that is no text.
    b_value = of_frame.get("DiffusionBValue", data.get("DiffusionBValue") if holds(data, "DiffusionBValue") else None)
    fields = (
        _number("echo {} ms", value("EchoTime")),
        _number("echo number {}", value("EchoNumbers")),
        " ".join(["type", *shown]) if shown else "",
        _number("b {}", _texts(b_value)) or _number("b {}", _siemens_b_value(data)),
        _number("inversion {} ms", value("InversionTime")),
        " ".join(["kernel", *kernel]) if (kernel := value("ConvolutionKernel")) else "",
        _number("{} kV", value("KVP")),
        _number("flip angle {}", value("FlipAngle")),
        _number("{} mm thick", value("SliceThickness")),
    )
    return _SEPARATOR.join(field.replace(_SEPARATOR, "/") for field in fields)


def _siemens_b_value(data: Dataset) -> list[str]:
    return texts_of(data, _SIEMENS_B_VALUE) if texts_of(data, _SIEMENS_CREATOR) == [_SIEMENS] else []


def _ge_part(data: Dataset) -> list[str]:
    if texts_of(data, _GE_CREATOR) != [_GE]:
        return []
    value = data.get(_GE_PART)
    value = value.value if value is not None else None
    number = int.from_bytes(value[:2], "little") if isinstance(value, bytes) else value
    return [_COMPLEX_PARTS[number]] if isinstance(number, int) and 0 < number < len(_COMPLEX_PARTS) else []


def _texts(value: Any) -> list[str]:
    if value is None or value == "":
        return []
    if isinstance(value, str) or not isinstance(value, Sequence):
        return [str(value).strip()]
    return [str(v).strip() for v in value]


def _number(words: str, texts: Sequence[str]) -> str:
    """The words with a number to two places, so that 4.6 and 4.6000001 are one echo; with the text where it is none."""
    if not texts:
        return ""
    try:
        return words.format(" ".join(f"{round(float(text), 2):g}" for text in texts))
    except ValueError:
        return words.format(" ".join(texts))


def mixed_kinds(kinds: Sequence[str]) -> list[str]:
    """Names of the kinds that images of one stack have, where they must not differ; empty where there is one."""
    if len(set(kinds)) < 2:
        return []
    # Other flip angles, and slices reformatted with another thickness, lie at the same places; within a stack both may
    # vary.
    strict = {kind.rsplit(_SEPARATOR, 2)[0] for kind in kinds}
    return sorted(kind_names(sorted(strict)).values()) if len(strict) > 1 else []


def flip_angle_of(kind: str) -> str:
    """The flip angle in a kind, in words; empty where it is unknown."""
    return kind.split(_SEPARATOR)[-2] if _SEPARATOR in kind else ""


def kind_names(kinds: Sequence[str]) -> dict[str, str]:
    """A short name for each kind: the first field that tells all of them apart, or all fields in which they differ."""
    fields = {kind: kind.split(_SEPARATOR) for kind in set(kinds)}
    columns = list(zip(*fields.values(), strict=True))
    for number, column in enumerate(columns):
        if len(set(column)) == len(fields) and all(column):
            return {kind: own[number] for kind, own in fields.items()}
    differ = [number for number, column in enumerate(columns) if len(set(column)) > 1]
    return {kind: ", ".join(own[n] for n in differ if own[n]) or "other" for kind, own in fields.items()}


def unusable_pixels(data: Dataset, of_frame: Mapping[str, Any], header: Mapping[str, Any]) -> str:
    """Why the stored pixels cannot give the values that were measured; empty where they can."""
    interpretation = "".join(texts_of(data, "PhotometricInterpretation"))
    if int(word_of(data, "SamplesPerPixel") or 1) > 1 or interpretation not in _GREY:
        return f"holds colours ({interpretation or 'several samples a pixel'}), not measured values"
    bits, highest = word_of(data, "BitsStored"), word_of(data, "HighBit")
    if bits is not None and highest is not None and int(highest) != int(bits) - 1:
        return f"stores {bits} bits up to bit {highest}, which readers read in different ways"
    if holds(data, "ModalityLUTSequence"):
        return "has a Modality LUT in place of rescale slope and intercept"
    if texts_of(data, "LossyImageCompression") == ["01"]:
        return "was compressed with loss: its values are no longer those of the scanner"
    if header.get("RescaleSlope") == 0:
        return "has the rescale slope 0"
    if header.get("Modality") == "CT":
        unit = " ".join(_texts(of_frame.get("RescaleType")) or texts_of(data, "RescaleType")).upper()
        if unit not in _HOUNSFIELD_TYPES:
            return f"is no CT in Hounsfield units: its RescaleType is {unit}"
        if bits is not None and int(bits) <= 8:
            return f"is no CT in Hounsfield units: {bits} bits a pixel hold no more than a windowed copy"
    return ""
