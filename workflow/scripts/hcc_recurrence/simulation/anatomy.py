"""A small upper abdomen with one or two liver tumours, rendered phase by phase.

Coordinates are millimetres in LPS (x to the patient's left, y to the back, z to the head) about the
centre of the volume. The scale is about 0.55 of an adult, so that a volume is small. Intensities
are Hounsfield units for CT and arbitrary units for MR, typical textbook values per phase.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

CT_HU = {
    # tissue: precontrast, arterial, portal, delayed
    "fat": (-100, -100, -98, -98),
    "muscle": (50, 55, 62, 62),
    "liver": (55, 66, 112, 98),
    "spleen": (46, 105, 122, 104),
    "bone": (320, 330, 340, 335),
    "marrow": (150, 160, 175, 170),
    "artery": (42, 290, 150, 118),
    "vein": (40, 75, 172, 122),
    "tumour": (44, 96, 96, 80),
    "necrosis": (22, 24, 28, 28),
}
MR_SIGNAL = {
    # tissue: precontrast, arterial, portal, delayed, hepatobiliary
    "fat": (150, 150, 150, 150, 150),
    "muscle": (210, 230, 260, 270, 250),
    "liver": (300, 350, 520, 500, 640),
    "spleen": (250, 470, 540, 480, 330),
    "bone": (60, 60, 65, 65, 60),
    "marrow": (180, 190, 215, 215, 200),
    "artery": (120, 980, 640, 560, 330),
    "vein": (120, 330, 720, 570, 330),
    "tumour": (260, 470, 440, 370, 270),
    "necrosis": (190, 200, 210, 215, 190),
}
PHASES = ("precontrast", "arterial", "portal", "delayed", "hepatobiliary")


@dataclass(frozen=True)
class Scanner:
    """One scanner's geometry and noise.

    spacing_mm and shape are (z, y, x); noise in HU or signal units; kernel is the standard deviation of
    the reconstruction kernel in pixels; gain scales MR signal; field_t is None for CT.
    """

    name: str
    manufacturer: str
    model: str
    modality: str
    spacing_mm: tuple[float, float, float]
    shape: tuple[int, int, int]
    noise: float
    kernel: float
    gain: float = 1.0
    field_t: float | None = None


SCANNERS = {
    s.name: s
    for s in (
        Scanner("ct_a", "Siemens", "Sensation 64", "CT", (4.0, 2.1, 2.1), (28, 70, 90), 14, 0.7),
        Scanner("ct_b", "Philips", "iCT 256", "CT", (3.5, 2.3, 2.3), (32, 64, 82), 11, 0.9),
        Scanner("mr_15", "GE", "Signa HDxt", "MR", (4.0, 2.2, 2.2), (28, 68, 86), 22, 0.6, 1.0, 1.5),
        Scanner("mr_30", "GE", "Signa HDxt", "MR", (3.5, 2.1, 2.1), (32, 72, 90), 20, 0.6, 1.7, 3.0),
    )
}


@dataclass(frozen=True)
class Tumour:
    """One tumour: centre (z, y, x) in mm, mean radius in mm, and what the risk shapes.

    irregularity: standard deviation of the radius over directions, as a share of the radius.
    texture: standard deviation inside the tumour, in HU (MR: times 4).
    rim: share of extra enhancement of the outer shell. necrosis: share of the radius that is dead.
    seed: draws shape and texture.
    """

    centre: tuple[float, float, float]
    radius_mm: float
    irregularity: float
    texture: float
    rim: float
    necrosis: float
    seed: int

    def neighbourhood(self, axes: list[np.ndarray]) -> tuple[tuple[slice, ...], list[np.ndarray]]:
        """The part of a grid that the tumour and its halo can reach, as slices and full coordinates."""
        # The local radius is at most 1.6 times the mean one, and the halo ends at 1.25 local radii.
        reach = 2.0 * self.radius_mm
        near = [np.flatnonzero(np.abs(a.ravel() - c) <= reach) for a, c in zip(axes, self.centre, strict=True)]
        box = tuple(slice(n[0], n[-1] + 1) if len(n) else slice(0, 0) for n in near)
        inner = np.ix_(*(a.ravel()[b] for a, b in zip(axes, box, strict=True)))
        return box, list(np.broadcast_arrays(*inner))

    def relative_depth(self, z: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Distance from the centre over the local radius: below 1 inside. Coordinates in mm."""
        generator = np.random.default_rng([self.seed, 1])
        offset = [axis - c for axis, c in zip((z, y, x), self.centre, strict=True)]
        distance = np.sqrt(sum(o * o for o in offset)) + 1e-6
        unit = [o / distance for o in offset]
        bumps = np.zeros_like(distance)
        for _ in range(7):
            frequency = generator.normal(0, 2.2, 3)
            phase = generator.uniform(0, 2 * np.pi)
            bumps += np.cos(sum(f * u for f, u in zip(frequency, unit, strict=True)) + phase)
        local = self.radius_mm * np.clip(1 + self.irregularity * bumps / np.sqrt(3.5), 0.5, 1.6)
        return distance / local

    def pattern(self, z: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Texture of unit variance that moves with the tumour: random waves of 6 to 14 mm."""
        generator = np.random.default_rng([self.seed, 2])
        total = np.zeros(np.broadcast(z, y, x).shape)
        waves = 20
        for _ in range(waves):
            direction = generator.normal(size=3)
            direction *= 2 * np.pi / (np.linalg.norm(direction) * generator.uniform(6, 14))
            phase = generator.uniform(0, 2 * np.pi)
            total += np.cos(
                direction[0] * (z - self.centre[0])
                + direction[1] * (y - self.centre[1])
                + direction[2] * (x - self.centre[2])
                + phase
            )
        return total / np.sqrt(waves / 2)


def voxel_axes(shape: tuple[int, int, int], spacing: tuple[float, float, float]) -> list[np.ndarray]:
    """Coordinates in mm about the centre of the volume, one open (broadcastable) array an axis."""
    axes = [(np.arange(n) - (n - 1) / 2) * s for n, s in zip(shape, spacing, strict=True)]
    return list(np.ix_(*axes))


def _ellipsoid(axes: list[np.ndarray], centre: tuple, radii: tuple) -> np.ndarray:
    return sum(((a - c) / r) ** 2 for a, c, r in zip(axes, centre, radii, strict=True) if r is not None) <= 1.0


def _tube(axes: list[np.ndarray], start: tuple, end: tuple, radius: float) -> np.ndarray:
    line = np.subtract(end, start)
    offset = [a - s for a, s in zip(axes, start, strict=True)]
    along = sum(o * v for o, v in zip(offset, line, strict=True)) / float(line @ line)
    along = np.clip(along, 0, 1)
    return sum((o - along * v) ** 2 for o, v in zip(offset, line, strict=True)) <= radius**2


def tumour_mask(
    tumour: Tumour, axes: list[np.ndarray], shift: tuple[float, float, float], scale: float = 1.0
) -> np.ndarray:
    """True inside the tumour, displaced by `shift` (z, y, x) mm; `scale` moves the boundary."""
    moved = [a - s for a, s in zip(axes, shift, strict=True)]
    mask = np.zeros(tuple(a.size for a in axes), bool)
    box, points = tumour.neighbourhood(moved)
    mask[box] = tumour.relative_depth(*points) <= scale
    return mask


def render(
    scanner: Scanner,
    spacing: tuple[float, float, float],
    phase: str,
    tumours: list[Tumour],
    shift: tuple[float, float, float],
    seed: int,
    marker: bool = False,
) -> np.ndarray:
    """One phase as float32 (z, y, x), in HU or MR signal.

    Args:
        spacing: (z, y, x) mm, which may differ a little from the scanner's nominal one.
        shift: breathing displacement of the organs, (z, y, x) mm; the body wall stays.
        seed: draws the noise and the bias field.
        marker: a dense tube beside the first tumour, such as a catheter: nothing of it is in the tumour.
    """
    table, column = (CT_HU if scanner.modality == "CT" else MR_SIGNAL), PHASES.index(phase)
    value = {tissue: levels[column] for tissue, levels in table.items()}
    generator = np.random.default_rng([seed, 3])
    fixed = voxel_axes(scanner.shape, spacing)
    axes = [a - s for a, s in zip(fixed, shift, strict=True)]
    air = -1000.0 if scanner.modality == "CT" else 5.0
    volume = np.full(scanner.shape, air)

    def paint(where: np.ndarray, tissue: str) -> None:
        np.copyto(volume, value[tissue], where=where)

    paint(_ellipsoid(fixed, (0, 0, 0), (None, 68, 90)), "fat")
    paint(_ellipsoid(fixed, (0, 0, 0), (None, 60, 82)), "muscle")
    paint(_ellipsoid(axes, (4, -4, -32), (52, 44, 44)), "liver")
    paint(_ellipsoid(axes, (12, -22, 10), (30, 22, 38)), "liver")
    paint(_ellipsoid(axes, (10, 24, 55), (30, 24, 18)), "spleen")
    paint(_ellipsoid(fixed, (0, 40, 0), (None, 15, 16)), "bone")
    paint(_ellipsoid(fixed, (0, 40, 0), (None, 12, 13)), "marrow")
    paint(_ellipsoid(axes, (0, 19, 8), (None, 6, 6)), "artery")
    paint(_ellipsoid(axes, (0, 20, -12), (None, 7, 8)), "vein")
    for start, end, radius in (
        ((-14, 2, 2), (2, -2, -22), 4.5),
        ((2, -2, -22), (14, -10, -48), 3.0),
        ((2, -2, -22), (-14, 6, -50), 2.6),
        ((16, 16, -12), (26, -12, -40), 2.6),
    ):
        paint(_tube(axes, start, end, radius), "vein")

    contrast = 1.0 if scanner.modality == "CT" else 4.0
    for tumour in tumours:
        box, points = tumour.neighbourhood(axes)
        depth, part = tumour.relative_depth(*points), volume[box]
        level = value["tumour"] + contrast * tumour.texture * tumour.pattern(*points)
        shell = np.exp(-(((depth - 0.9) / 0.08) ** 2))
        wash = {"arterial": 1.0, "portal": 0.5, "delayed": 0.7}.get(phase, 0.0)
        level += contrast * 55 * tumour.rim * wash * shell
        level = np.where(depth < tumour.necrosis, value["necrosis"], level)
        halo = contrast * 30 * tumour.rim * (phase == "arterial")
        around = part + halo * ((part == value["liver"]) & (depth < 1.25))
        volume[box] = np.where(depth <= 1.0, level, around)

    if marker:
        z, y, x = tumours[0].centre
        beside = 1.7 * tumours[0].radius_mm
        tube = _tube(axes, (z - 14, y + beside, x), (z + 14, y + beside, x), 3.0)
        np.copyto(volume, value["bone"], where=tube)
    volume = gaussian_filter(volume, 0.45)  # partial volume
    noise = gaussian_filter(generator.normal(size=volume.shape), (0.3, scanner.kernel, scanner.kernel))
    volume += scanner.noise * noise / noise.std()
    if scanner.modality == "MR":
        volume = np.abs(volume) * scanner.gain * _bias_field(scanner.shape, generator)
    return volume.astype(np.float32)


def _bias_field(shape: tuple[int, int, int], generator: np.random.Generator) -> np.ndarray:
    """A smooth multiplicative field, about +-25 %, as a surface coil leaves it."""
    z, y, x = np.ix_(*(np.linspace(-1, 1, n) for n in shape))
    a = generator.normal(0, 0.09, 6)
    return np.exp(a[0] * z + a[1] * y + a[2] * x + a[3] * y * x + a[4] * (y**2) + a[5] * (x**2 - 0.5))
