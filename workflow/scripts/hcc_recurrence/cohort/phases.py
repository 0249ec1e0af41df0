"""Which contrast phase a series probably is, with the evidence; nothing where that is weak or contradicts itself."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# Words of descriptions, in English, German, French and Chinese. A text that fits two phases tells nothing.
WORDS = {
    "precontrast": r"pre[ -]?(con|liver)|\bpre\b|non[ -]?con|un-?enh|plain|nativ|without|sans inj|平扫",
    "arterial": r"arter|\bart\b|\bap\b|\bhap\b|动脉",
    "portal": r"portal|\bpvp?\b|\bven\b|venous|ven[oö]s|porto?vein|门静?脉|门脉",
    "delayed": r"delay|\bdel\b|equil|\blate\b|sp[aä]t|tardi|transitional|延迟|平衡",
    "hepatobiliary": r"hepato-?bil|\bhbp\b|20 ?min|肝胆",
}
# Seconds from the start of the injection: the papers' own phases lie at 30, 60, 120 s and 20 min.
SECONDS = {
    "precontrast": (-7200, 5),
    "arterial": (15, 48),
    "portal": (52, 105),
    "delayed": (115, 600),
    "hepatobiliary": (900, 3600),
}
# HU of the aorta and the portal vein in a mask that names them.
UNENHANCED_HU = 80.0
CLEARLY = 1.25


@dataclass(frozen=True)
class PhaseGuess:
    """A phase ("" where it is unclear), how sure (high, medium, low), and what speaks for it."""

    phase: str
    confidence: str
    evidence: str


def seconds_of(clock: str) -> float | None:
    """Seconds since midnight of a DICOM time (HHMMSS.ffffff, or a date and time)."""
    text = clock[8:] if len(clock.split(".")[0]) >= 12 else clock
    if not re.match(r"^\d{4,6}(\.\d+)?$", text):
        return None
    digits = text.split(".")[0].ljust(6, "0")
    return int(digits[:2]) * 3600 + int(digits[2:4]) * 60 + float(text[4:] or 0)


def phases_of_words(text: str) -> list[str]:
    """Phases whose words stand in a description; underscores are spaces."""
    plain = text.replace("_", " ").lower()
    return [phase for phase, words in WORDS.items() if re.search(words, plain)]


def phase_of_delay(seconds: float, modality: str) -> str:
    """The phase of a delay after the start of the injection; empty between two phases."""
    for phase, (low, high) in SECONDS.items():
        if low <= seconds <= high and not (phase == "hepatobiliary" and modality == "CT"):
            return phase
    return ""


def phase_of_vessels(aorta_hu: float, portal_hu: float) -> str:
    """The phase of a CT by the mean of aorta and portal vein, HU; empty where neither is clearly the brighter one."""
    if max(aorta_hu, portal_hu) < UNENHANCED_HU:
        return "precontrast"
    if aorta_hu > CLEARLY * portal_hu:
        return "arterial"
    return "portal" if portal_hu >= aorta_hu else ""


def guess_phase(header: Mapping[str, Any], vessels: tuple[float, float] | None = None) -> PhaseGuess:
    """The phase of one series by its own header.

    Words, times and vessels each may name a phase; where two of them name the same one the confidence is high, where
    they name different ones the phase is unclear.

    Args:
        header: SeriesDescription, ProtocolName, ContrastBolusAgent, ContrastBolusStartTime, AcquisitionTime, Modality.
        vessels: mean of aorta and portal vein, HU.
    """
    named: dict[str, str] = {}
    evidence: list[str] = []
    own = str(header.get("SeriesDescription", ""))
    words = phases_of_words(own)
    if len(words) == 1:
        named["words"] = words[0]
        evidence.append(f"description says {words[0]}")
    elif words:
        evidence.append(f"description fits {' and '.join(words)}")
    start, taken = (seconds_of(str(header.get(k, ""))) for k in ("ContrastBolusStartTime", "AcquisitionTime"))
    if start is not None and taken is not None:
        delay = taken - start
        phase = phase_of_delay(delay, str(header.get("Modality", "")))
        evidence.append(f"{delay:.0f} s after the injection" + ("" if phase else ", between two phases"))
        if phase:
            named["time"] = phase
    if vessels is not None:
        phase = phase_of_vessels(*vessels)
        evidence.append(f"aorta {vessels[0]:.0f} HU, portal vein {vessels[1]:.0f} HU")
        if phase:
            named["vessels"] = phase
    if "time" not in named and not named.get("vessels") and not header.get("ContrastBolusAgent"):
        evidence.append("no contrast agent named")
    phases = set(named.values())
    if len(phases) > 1:
        return PhaseGuess("", "low", "; ".join(evidence) + ": they contradict each other")
    if not phases:
        return PhaseGuess("", "low", "; ".join(evidence) or "nothing tells it")
    contrast = bool(header.get("ContrastBolusAgent"))
    phase = phases.pop()
    if phase == "precontrast" and contrast and named.keys() == {"words"}:
        return PhaseGuess("", "low", "; ".join(evidence) + "; but a contrast agent is named")
    return PhaseGuess(phase, "high" if len(named) > 1 else "medium", "; ".join(evidence))


def unclear_where_twice(guesses: Sequence[PhaseGuess]) -> list[PhaseGuess]:
    """Of one study: where two series would be the same phase neither is."""
    phases = [guess.phase for guess in guesses]
    return [
        PhaseGuess("", "low", f"{g.evidence}; {phases.count(g.phase)} series of the study look {g.phase}")
        if g.phase and phases.count(g.phase) > 1
        else g
        for g in guesses
    ]
