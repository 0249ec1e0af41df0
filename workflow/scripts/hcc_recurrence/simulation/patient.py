"""One simulated patient, from a row of `simulation.csv` to DICOM files and masks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hcc_recurrence.simulation.anatomy import SCANNERS, Tumour, render, tumour_mask, voxel_axes
from hcc_recurrence.simulation.dicom_writer import (
    SeriesHeader,
    write_nifti,
    write_rtstruct,
    write_seg,
    write_series,
)

TUMOUR_LABEL = "Tumour"
MASK_SUFFIX = {"seg": "seg.dcm", "rtstruct": "rtstruct.dcm", "nifti": "nii.gz"}


@dataclass(frozen=True)
class SimulatedPatient:
    """The columns of `simulation.csv`: what the latent risk and chance made of one patient."""

    patient_id: str
    seed: int
    scanner: str
    latent_risk: float
    radius_mm: float
    second_radius_mm: float
    irregularity: float
    texture: float
    rim: float
    necrosis: float
    mask_format: str
    readers: int
    study_date: str
    birth_year: int
    sex: str
    # Something dense beside the tumour; only sheets of cohorts with it have the column.
    marker: int = 0

    @classmethod
    def from_row(cls, row: Mapping[str, object]) -> SimulatedPatient:
        """Build from a mapping of text or numbers, such as one row of the sheet."""
        kinds = {name: {"int": int, "float": float, "str": str}[kind] for name, kind in cls.__annotations__.items()}
        return cls(**{name: kind(row[name]) for name, kind in kinds.items() if name in row})


def place_tumours(patient: SimulatedPatient) -> list[Tumour]:
    """The main tumour, and a second smaller one where the row has it, both inside the liver."""
    generator = np.random.default_rng([patient.seed, 10])
    reach = max(40.0 - patient.radius_mm, 4.0)
    direction = generator.normal(size=3)
    direction *= reach * generator.uniform(0.2, 0.75) / np.linalg.norm(direction)
    centre = np.array([4.0, -6.0, -36.0]) + direction * np.array([1.0, 0.75, 0.7])
    shape = (patient.irregularity, patient.texture, patient.rim, patient.necrosis)
    tumours = [Tumour(tuple(centre), patient.radius_mm, *shape, seed=patient.seed)]
    if patient.second_radius_mm > 0:
        second = (12.0 + generator.uniform(-8, 8), -26.0, 16.0 + generator.uniform(-4, 4))
        tumours.append(Tumour(second, patient.second_radius_mm, *shape, seed=patient.seed + 1))
    return tumours


def reader_mask(tumour: Tumour, axes: list[np.ndarray], shift: np.ndarray, reader: int, seed: int) -> np.ndarray:
    """What a reader draws: the true outline, a little larger or smaller and a little displaced."""
    generator = np.random.default_rng([seed, 20, reader])
    scale = 1.0 + generator.normal(0, 0.012 + 0.012 * reader)
    moved = shift + generator.normal(0, 0.15 + 0.15 * reader, 3)
    return tumour_mask(tumour, axes, tuple(moved), scale)


def simulate_patient(patient: SimulatedPatient, phases: list[str], folder: Path) -> None:
    """Write every phase as a DICOM series in `folder/<phase>/` and the readers' masks of the largest
    tumour as `folder/masks/<phase>.R<n>.<format>`.
    """
    scanner = SCANNERS[patient.scanner]
    generator = np.random.default_rng([patient.seed, 30])
    jitter = generator.uniform(0.97, 1.03, 2)
    spacing = (
        scanner.spacing_mm[0],
        round(scanner.spacing_mm[1] * jitter[0], 4),
        round(scanner.spacing_mm[2] * jitter[0], 4),
    )
    origin = tuple(
        round(-(n - 1) / 2 * s + o, 3)
        for n, s, o in zip(scanner.shape[::-1], spacing[::-1], generator.uniform(-20, 20, 3), strict=True)
    )
    gain = float(jitter[1]) if scanner.modality == "MR" else 1.0
    tumours = place_tumours(patient)
    axes = voxel_axes(scanner.shape, spacing)
    (folder / "masks").mkdir(parents=True, exist_ok=True)
    for number, phase in enumerate(phases):
        shift = generator.normal(0, (2.5, 0.8, 0.6))
        header = SeriesHeader(
            patient=patient.patient_id,
            phase=phase,
            modality=scanner.modality,
            manufacturer=scanner.manufacturer,
            model=scanner.model,
            field_t=scanner.field_t,
            spacing=spacing,
            origin=origin,
            study_date=patient.study_date,
            birth_year=patient.birth_year,
            sex=patient.sex,
        )
        seed = patient.seed * 10 + number
        volume = gain * render(scanner, spacing, phase, tumours, tuple(shift), seed, bool(patient.marker))
        slices = write_series(volume, header, folder / phase)
        for reader in range(1, patient.readers + 1):
            mask = reader_mask(tumours[0], axes, shift, reader, patient.seed)
            path = folder / "masks" / f"{phase}.R{reader}.{MASK_SUFFIX[patient.mask_format]}"
            if patient.mask_format == "seg":
                write_seg(mask, slices, TUMOUR_LABEL, path)
            elif patient.mask_format == "rtstruct":
                write_rtstruct(mask, slices, TUMOUR_LABEL, path)
            else:
                write_nifti(mask, header, 1, path)
