"""A cohort of a few patients with one CT phase each as NIfTI, for plans: sheets, images and masks of a moment."""

from __future__ import annotations

import copy
import csv
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
import yaml
from workflow_runner import REPOSITORY

from hcc_recurrence.configuration import fill_defaults, load_configuration, schema_problems
from hcc_recurrence.plan import Plan
from hcc_recurrence.problems import InputError

SHAPE = (6, 16, 16)
SCHEMAS = REPOSITORY / "workflow/schemas"
AFP = {"column": "AFP", "unit": "ng/mL", "timing": "pre", "kind": "continuous"}
# Of Zhao 2024: all but AFP.
WITHOUT = [
    *(
        "sex",
        "age",
        "hepatitis",
        "alt",
        "ast",
        "ggt",
        "bilirubin",
        "albumin",
        "child_pugh",
        "diameter",
        "tumour_number",
    ),
    *("margin_nonsmooth", "necrosis", "haemorrhage", "capsule", "peritumoral_enhancement", "cirrhosis"),
]


def patient_row(number: int, **columns: str) -> dict[str, str]:
    """An ordinary row of the patients sheet; every other patient recurs early."""
    row = {"patient_id": f"P{number}", "centre": "A", "resection_date": "2018-01-10"}
    row["recurrence_date"] = "2018-09-10" if number % 2 else ""
    return {**row, "last_follow_up_date": "2021-06-01", "AFP": str(20 + 7 * number), **columns}


def write_rows(path: Path, rows: list[dict[str, str]]) -> None:
    """A CSV with the columns of the first row."""
    with open(path, "w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def write_cohort(folder: Path, patients: list[dict[str, str]]) -> None:
    """`patients.csv`, `series.csv`, `masks.csv`, and an image and a mask of each patient."""
    series, masks = [], []
    for number, row in enumerate(patients):
        name = row["patient_id"]
        image = np.full(SHAPE, -1000, np.int16)
        image[:, 3:13, 3:13] = 60
        mask = np.zeros(SHAPE, np.uint8)
        mask[2:5, 6:10, 6:10] = 1
        for array, file in ((image, f"{name}.nii.gz"), (mask, f"{name}_mask.nii.gz")):
            written = sitk.GetImageFromArray(array)
            written.SetSpacing((2.0, 2.0, 3.0))
            # No two files of a cohort are the same bytes, which would be refused as another patient's.
            written.SetOrigin((0.0, 0.0, 10.0 * number))
            sitk.WriteImage(written, str(folder / file))
        series.append({"patient_id": name, "phase": "portal", "path": f"{name}.nii.gz"})
        masks.append({"patient_id": name, "phase": "portal", "reader": "R1", "path": f"{name}_mask.nii.gz"})
    for kind, rows in (("patients", patients), ("series", series), ("masks", masks)):
        write_rows(folder / f"{kind}.csv", rows)


@lru_cache
def _configuration(config: str) -> dict[str, Any]:
    # The papers' files take half a second to read, and are the same for every test.
    study = {"paper": "zhao2024", "cohort": "c", "networks": False, "phases": {"portal": "portal"}, "without": WITHOUT}
    own = {"title": "c", "modality": "CT", "patients": ""}
    whole = {"preset": "demo", "studies": [study], "cohorts": {"c": own}, **json.loads(config)}
    return load_configuration(whole, REPOSITORY / "config/papers", SCHEMAS)


@lru_cache
def _schema() -> dict[str, Any]:
    return yaml.safe_load((SCHEMAS / "config.schema.yaml").read_text())


def make_plan(folder: Path, cohort: dict[str, Any] | None = None, **config: Any) -> Plan:
    """The plan of Zhao 2024's clinical and radiomics models on the cohort of `write_cohort`.

    Args: cohort: keys of the cohort. config: top-level keys.
    """
    own = {"title": "c", "modality": "CT", "data_root": str(folder), "clinical": {"afp": AFP}}
    own |= {kind: str(folder / f"{kind}.csv") for kind in ("patients", "series", "masks")}
    own |= cohort or {}
    schema = _schema()
    problems = schema_problems(own, {**schema["$defs"]["cohort"], "$defs": schema["$defs"]}, "config")
    if problems:
        raise InputError(problems)
    full = copy.deepcopy(_configuration(json.dumps(config, sort_keys=True)))
    full["cohorts"]["c"] = fill_defaults(own, schema["$defs"]["cohort"], schema)
    return Plan(full, Path(), None)


def problems_of(folder: Path, cohort: dict[str, Any] | None = None, **config: Any) -> list[tuple[str, str]]:
    """Patient and what is wrong, of every problem that the plan of a cohort is refused for; none where it is not."""
    try:
        make_plan(folder, cohort, **config)
    except InputError as error:
        return [(p.patient, p.what) for p in error.problems]
    return []
