"""A cohort of as many simulated CT patients as asked for, for plans and not for runs."""

from __future__ import annotations

from pathlib import Path

import yaml
from workflow_runner import REPOSITORY

from hcc_recurrence.simulation.risk import RiskModel
from hcc_recurrence.simulation.sheets import CohortPlan, draw_sheets

# Of Yan 2023, on CT: what the simulated patients' sheet does not have.
WITHOUT = ["bclc", "capsule_type", "enhancement_type", "halo", "peritumoral_hypointensity", "satellite_nodules"]
STUDIES = [
    {"paper": "zhao2024", "phases": {"arterial": "arterial", "portal": "portal", "delayed": "precontrast"}},
    {
        "paper": "yan2023",
        "phases": {"arterial": "arterial", "portal": "portal", "hepatobiliary": "precontrast"},
        "without": WITHOUT,
    },
    {"paper": "zhang2025"},
    {"paper": "wang2022"},
    {"paper": "cui2022"},
]


def write_large_cohort(folder: Path, patients: int, studies: list[dict], **config) -> None:
    """`sheets/` and `big.yaml`: two centres, three phases, two readers of every patient, the published settings."""
    centres = {"A": (patients - patients // 3, ("ct_a",)), "B": (patients // 3, ("ct_b",))}
    sheets = draw_sheets(CohortPlan("P", 5, centres, ("precontrast", "arterial", "portal"), patients, RiskModel()))
    (folder / "sheets").mkdir()
    for name, frame in sheets.items():
        frame.to_csv(folder / "sheets" / f"{name}.csv", index=False)
    cohort = yaml.safe_load((REPOSITORY / "config/config.yaml").read_text())["cohorts"]["demo_ct"]
    files = {name: str(folder / "sheets" / f"{name}.csv") for name in ("simulation", "patients", "series", "masks")}
    window = {"grid": "yan_ct", "fit": "slices", "size_voxels": [3, 224, 224], "window": [-100, 200]}
    whole = {
        "preset": "published",
        "studies": [{**study, "cohort": "big"} for study in studies],
        "cohorts": {"big": {**cohort, **files, "title": "big"}},
        "grids": {"yan_ct": {"spacing_mm": [1, 1, 1]}},
        "crops": {"yan_ct": window},
        "overrides": {"yan2023": {"crops": "yan_ct"}},
        **config,
    }
    (folder / "big.yaml").write_text(yaml.safe_dump(whole))
