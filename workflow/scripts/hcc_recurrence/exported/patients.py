"""What is measured of a patient beside the inputs of a model, and all of it beside the training patients."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from hcc_recurrence.exported.distribution import ball_diameter_mm
from hcc_recurrence.exported.inputs import DEEP, source_of_features
from hcc_recurrence.exported.outside import DELAY, INSIDE, OUTSIDE, Row, compared, features_row
from hcc_recurrence.exported.phase_evidence import air_level, liver_level, phase_rows
from hcc_recurrence.files import read_csv
from hcc_recurrence.radiomics.tables import AUTOMATIC

if TYPE_CHECKING:
    from hcc_recurrence.exported.bundle import Bundle

# Of the row of outside.csv that says who drew the outline, where no person did.
OUTLINE = "outline of the tumour"


def mask_file(folders: Iterable[Path], phase: str, reader: str) -> Path | None:
    """The mask of one phase that models use: a person's, or the segmentation network's, which lies in a folder of its
    own; None where there is none."""
    files = (folder / f"{phase}.{reader}.nii.gz" for folder in folders)
    return next((file for file in files if file.is_file()), None)


@dataclass(frozen=True)
class Measured:
    """Of one patient. phases: of the model -> of the cohort. readers: phase of the cohort -> whose mask is used.
    acquisition: a row a phase, index phase. liver: HU by phase of the cohort, of CT. air: the lowest values by phase of
    the cohort, whatever the modality."""

    phases: Mapping[str, str]
    readers: Mapping[str, str]
    acquisition: pd.DataFrame
    modality: str
    liver: Mapping[str, float] = field(default_factory=dict)
    air: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(
        cls, images: Path, masks: Sequence[Path], phases: Mapping[str, str], readers: Mapping[str, str], modality: str
    ) -> Measured:
        """From the folder of a patient's images as they were acquired, and those of his masks."""
        acquisition = read_csv(images / "acquisition.csv").set_index("phase")
        liver, air = {}, {}
        for phase in dict.fromkeys(phases.values()):
            import SimpleITK as sitk

            image = sitk.ReadImage(str(images / f"{phase}.nii.gz"))
            voxels = sitk.GetArrayViewFromImage(image)
            air[phase] = air_level(voxels)
            mask = mask_file(masks, phase, readers.get(phase, ""))
            if mask is not None and modality == "CT":
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
    drawn = _outline_row(bundle, measured)
    return [*([summary] if summary else []), *about_phases, *([drawn] if drawn else []), *rows]


def _outline_row(bundle: Bundle, measured: Measured) -> Row | None:
    """Whether the outline is a network's where the model learned from outlines of persons; None where it is no
    network's, or the model reads none."""
    here = [phase for phase in measured.phases.values() if measured.readers.get(phase) == AUTOMATIC]
    if not here or source_of_features(bundle.about) == DEEP:
        return None
    like_training = bundle.about["config"].get("masks", {}).get("source") == AUTOMATIC
    words = f"drawn by a segmentation network in {', '.join(here)}"
    if like_training:
        return Row(OUTLINE, "tumour", "network", "", "", "", INSIDE, f"{words}, as of training patients without masks")
    return Row(
        OUTLINE, "tumour", "network", "", "", "", OUTSIDE, f"{words}: the model learned from outlines of persons"
    )


def _is_read(bundle: Bundle, known: Mapping[str, Any]) -> bool:
    """Whether a distribution is of something that the models read; of features and variables only those."""
    reads = bundle.about["reads"]
    if known["group"] == "features":
        return known["item"] in reads["features"]
    return known["group"] != "clinical" or known["item"] in reads["clinical"]
