"""What is measured of a patient beside the inputs of a model, and all of it beside the training patients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from hcc_recurrence.exported.distribution import ball_diameter_mm
from hcc_recurrence.exported.outside import DELAY, Row, compared, features_row
from hcc_recurrence.exported.phase_evidence import air_level, liver_level, phase_rows
from hcc_recurrence.files import read_csv

if TYPE_CHECKING:
    from hcc_recurrence.exported.bundle import Bundle


@dataclass(frozen=True)
class Measured:
    """Of one patient. phases: of the model -> of the cohort. readers: phase of the cohort -> whose mask is used.
    acquisition: a row a phase, index phase. liver, air: HU by phase of the cohort, of CT."""

    phases: Mapping[str, str]
    readers: Mapping[str, str]
    acquisition: pd.DataFrame
    modality: str
    liver: Mapping[str, float] = field(default_factory=dict)
    air: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(
        cls, images: Path, masks: Path, phases: Mapping[str, str], readers: Mapping[str, str], modality: str
    ) -> Measured:
        """From the folders of a patient's images and masks as they were acquired."""
        acquisition = read_csv(images / "acquisition.csv").set_index("phase")
        liver, air = {}, {}
        for phase in dict.fromkeys(phases.values()) if modality == "CT" else ():
            import SimpleITK as sitk

            image = sitk.ReadImage(str(images / f"{phase}.nii.gz"))
            voxels = sitk.GetArrayViewFromImage(image)
            air[phase] = air_level(voxels)
            mask = masks / f"{phase}.{readers.get(phase, '')}.nii.gz"
            if mask.is_file():
                drawn = sitk.GetArrayFromImage(sitk.ReadImage(str(mask)))
                liver[phase] = liver_level(voxels, drawn, image.GetSpacing()[::-1])
        return cls(phases, readers, acquisition, modality, liver, air)

    def parameter(self, phase: str, name: str) -> Any:
        """A scan parameter of one of the model's phases; None where no header says it."""
        own = self.phases.get(phase, phase)
        if own not in self.acquisition.index or name not in self.acquisition:
            return None
        value = self.acquisition.at[own, name]
        return None if pd.isna(value) else value


def rows_of_patient(
    bundle: Bundle, measured: Measured, features: pd.Series, clinical: pd.Series, tumours: pd.DataFrame
) -> list[Row]:
    """Every input of a patient beside the training patients, a summary of the features first.

    Args:
        features, clinical: what the models read, by name. tumours: phase, reader, volume_ml of the patient.
    """
    volumes = {(row.phase, row.reader): row.volume_ml for row in tumours.itertuples()}

    def value_of(known: Mapping[str, Any]) -> Any:
        item, group = known["item"], known["group"]
        if group == "features":
            return features.get(item)
        if group == "clinical":
            value = clinical.get(item)
            if known["kind"] == "numeric" or value is None or pd.isna(value):
                return value
            return known["levels"][int(value)]
        phase, _, name = item.partition("__")
        if group == "tumour":
            own = measured.phases.get(phase, phase)
            volume = volumes.get((own, measured.readers.get(own, "")))
            return volume if volume is None or name == "volume_ml" else ball_diameter_mm(volume)
        return measured.parameter(phase, name)

    rows = [compared(known, value_of(known)) for known in bundle.distribution["inputs"] if _is_read(bundle, known)]
    summary = features_row(rows)
    delays = {phase: measured.parameter(model, DELAY) for model, phase in measured.phases.items()}
    known_delays = {phase: float(delay) for phase, delay in delays.items() if delay is not None}
    about_phases = phase_rows(measured.phases, known_delays, measured.liver, measured.air, measured.modality)
    return [*([summary] if summary else []), *about_phases, *rows]


def _is_read(bundle: Bundle, known: Mapping[str, Any]) -> bool:
    """Whether a distribution is of something that the models read; of features and variables only those."""
    reads = bundle.about["reads"]
    if known["group"] == "features":
        return known["item"] in reads["features"]
    return known["group"] != "clinical" or known["item"] in reads["clinical"]
