"""Exported models applied: what a run would do, and what it is refused for in words; nothing is fitted."""

from __future__ import annotations

import pytest
import yaml
from made_bundle import CROP, UNET, about_of, write_made
from workflow_runner import Workspace

RADIOMICS = {"resample_patient": 3, "extract_radiomics": 3, "collect_radiomics": 2}
ALWAYS = {"convert_patient": 3, "measure_tumours": 1, "apply_model": 1, "compare_with_training": 1, "apply": 1}


@pytest.fixture
def applied(fresh_copy) -> Workspace:
    """Three of the tiny cohort's patients without outcomes, and a config that applies a model to them."""
    sheets = fresh_copy.folder / "sheets"
    for sheet in ("patients", "series", "masks"):
        lines = (sheets / f"{sheet}.csv").read_text().splitlines()
        kept = [line for line in lines[1:] if line.startswith(("T001", "T002", "T003"))]
        (sheets / f"{sheet}.csv").write_text("\n".join([lines[0], *kept]) + "\n")
    path = sheets / "patients.csv"
    rows = [line.split(",") for line in path.read_text().splitlines()]
    outcome = [n for n, name in enumerate(rows[0]) if name.endswith("_date")]
    kept = [[cell for n, cell in enumerate(row) if n not in outcome] for row in rows]
    path.write_text("".join(",".join(row) + "\n" for row in kept))
    config = yaml.safe_load((fresh_copy.folder / "tiny.yaml").read_text())
    cohort = {key: value for key, value in config["cohorts"]["tiny"].items() if key not in ("thresholds", "strata")}
    written = {"models": ["zhao2024.mine.zip"], "cohorts": {"new": cohort}}
    (fresh_copy.folder / "tiny.yaml").write_text(yaml.safe_dump(written))
    write_made(fresh_copy.folder, about_of())
    return fresh_copy


def jobs(workspace):
    """Of a dry run of `apply`, without those that make pages."""
    found = workspace.jobs(target="apply")
    return {rule: number for rule, number in found.items() if not {"page", "overview"} & set(rule.split("_"))}


def test_the_jobs_are_those_that_make_inputs_and_none_fits_anything(applied):
    assert jobs(applied) == {**ALWAYS, **RADIOMICS}
    # A second model that reads crops shares what it can.
    crop = {**CROP, "grid": "iso2"}
    about = about_of("cui2022.mine", config={"crops": {"box": crop}, "radiomics": {}})
    about["config"]["settings"] = {"crops": "box", "networks": {"SS": {"architecture": "x", "crops": "box"}}}
    about["reads"] = {
        "features": [],
        "clinical": [],
        "images": [{"name": "SS", "crops": "box", "shape": [1, 4, 32, 32]}],
    }
    write_made(applied.folder, about)
    applied.config(models=["zhao2024.mine.zip", "cui2022.mine"])
    twice = {"apply_model": 2, "compare_with_training": 2}
    assert jobs(applied) == {
        **ALWAYS,
        **RADIOMICS,
        **twice,
        "crop_patient": 3,
        "collect_crops": 1,
        "explain_applied": 1,
    }


def test_patients_whom_nobody_outlined_are_segmented_by_a_models_network(applied):
    """No sheet of masks; the pages and the comparison wait for the network's outlines."""
    about = about_of("wang2022.mine", config={"unets": {"net": UNET}, "radiomics": {}})
    about["config"]["settings"] |= {"unet": "net", "radiomics": "", "clinical": {}}
    about["reads"] = {"features": ["arterial__f1"], "clinical": [], "images": []}
    write_made(applied.folder, about)
    config = yaml.safe_load((applied.folder / "tiny.yaml").read_text())
    config["cohorts"]["new"].pop("masks")
    applied.config(models=["zhao2024.mine", "wang2022.mine"], masks={"source": "unet"}, cohorts=config["cohorts"])
    found = jobs(applied)
    assert (
        found["take_unet"] == 2
        and found["segment_patients"] == 1
        and not [rule for rule in found if rule.startswith("train")]
    )
    page = "results/new/applied/patients/T001.html"
    assert applied.jobs(target=page)["segment_patients"] == 1


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda w: w.cohort_of("new", modality="CT"), ["model zhao2024.mine: was fitted on MR, and the cohort is CT"]),
        (
            lambda w: w.byte("zhao2024.mine.zip"),
            ["zhao2024.mine.zip: cannot be unpacked (Bad CRC-32 for file 'LICENSE')"],
        ),
        (lambda w: w.config(models=[]), ["models is empty, and there are no studies: nothing would be applied"]),
    ],
)
def test_what_is_wrong_is_said_without_a_traceback(applied, spoil, words):
    spoil(_Spoiler(applied))
    result = applied.snakemake("--cores", "1", "apply")
    text = result.stdout + result.stderr
    assert result.returncode != 0 and "Traceback" not in text, text
    assert not [word for word in words if word not in text], text


class _Spoiler:
    """Changes of a folder that has models to apply."""

    def __init__(self, workspace: Workspace):
        self.workspace, self.config = workspace, workspace.config

    def cohort_of(self, name: str, **changes) -> None:
        config = yaml.safe_load((self.workspace.folder / "tiny.yaml").read_text())
        config["cohorts"][name].update(changes)
        self.config(cohorts=config["cohorts"])

    def byte(self, name: str) -> None:
        """One byte of the licence, which nothing reads."""
        file = self.workspace.folder / name
        content = file.read_bytes()
        assert content.count(b"none\n") == 1
        file.write_bytes(content.replace(b"none\n", b"nona\n"))


def test_images_of_another_modality_are_refused_by_their_headers(applied):
    about = about_of(modality="CT")
    about["config"]["cohort"]["modality"] = "CT"
    write_made(applied.folder / "ct", about)
    spoiler = _Spoiler(applied)
    spoiler.cohort_of("new", modality="CT")
    applied.config(models=["ct/zhao2024.mine"])
    text = applied.refuse()
    assert "patient T001, arterial series T001/arterial: has modality MR, the cohort is CT" in text
