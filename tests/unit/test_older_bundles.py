"""Bundles of earlier versions are read as what they meant, or refused; words follow the model's own outcome."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path

import pytest
import SimpleITK as sitk
import yaml
from applied_models import about_model, applied_tables, distribution_of_training
from made_bundle import CROP, GRID, UNET, about_of, write_made
from workflow_runner import REPOSITORY

from hcc_recurrence.endpoint import EARLY_RECURRENCE, Endpoint, use_endpoint
from hcc_recurrence.exported.about import of_what
from hcc_recurrence.exported.bundle import read_bundle
from hcc_recurrence.exported.older import ENTRY_KEYS, MEANT_BEFORE, TRAINING_KEYS
from hcc_recurrence.exported.pages import AppliedModel, overview_page, patient_page, render
from hcc_recurrence.files import ModelFileError

DEATH = Endpoint("death on the list", "death", "death", "overall survival", "listing", "")


@pytest.mark.parametrize("kind", sorted(ENTRY_KEYS))
def test_a_key_that_is_new_in_the_config_must_say_what_older_bundles_meant(kind):
    """Fails with each new key: then write into `exported/older.py` what was done before it existed, or that it only
    trains."""
    schema = yaml.safe_load((REPOSITORY / "workflow/schemas/config.schema.yaml").read_text())
    entry = schema["properties"][kind]["additionalProperties"]
    entry = schema["$defs"][entry["$ref"].rpartition("/")[2]] if "$ref" in entry else entry
    known = [*ENTRY_KEYS[kind], *TRAINING_KEYS.get(kind, ())]
    assert sorted(known) == sorted(entry["properties"]) and all(k in ENTRY_KEYS[k0] for k0, k in MEANT_BEFORE)


@pytest.mark.parametrize(("kind", "entry", "key"), [("crops", CROP, "margin"), ("unets", UNET, "pool")])
def test_an_entry_without_a_key_that_decides_inputs_is_refused(tmp_path, kind, entry, key):
    config = {kind: {"box": {name: value for name, value in entry.items() if name != key}}}
    path = write_made(tmp_path, about_of(config=config, schema_version=1))
    with pytest.raises(ModelFileError, match=rf"config\.{kind}\.box does not say {key}, which decides what"):
        read_bundle(path, tmp_path / "own")


def test_images_of_a_model_from_before_n4_had_settings_are_corrected_as_they_were(tmp_path):
    """By ITK's own: SimpleITK's filter says what they are."""
    corrector = sitk.N4BiasFieldCorrectionImageFilter()
    grid = {name: value for name, value in GRID.items() if not name.startswith("n4_")} | {"bias_correction": "n4"}
    about = about_of(config={"grids": {"own": grid}}, schema_version=1)
    read = read_bundle(write_made(tmp_path, about), tmp_path / "own").about["config"]["grids"]["own"]
    assert read["n4_iterations"] == list(corrector.GetMaximumNumberOfIterations())
    assert read["n4_convergence"] == corrector.GetConvergenceThreshold()


def test_a_bundle_of_the_first_version_has_the_words_that_its_pages_had(tmp_path):
    about = about_of(schema_version=1)
    assert "words" not in about["endpoint"]
    read = read_bundle(write_made(tmp_path, about), tmp_path / "own").about
    assert read["endpoint"] == {**about["endpoint"], "words": asdict(EARLY_RECURRENCE)}
    assert {key: value for key, value in read.items() if key != "endpoint"} == {
        key: value for key, value in about.items() if key != "endpoint"
    }


def test_a_horizon_is_printed_only_where_the_outcome_has_times():
    assert of_what(EARLY_RECURRENCE, "730 days") == "early recurrence (within 730 days)"
    assert of_what(Endpoint("lung metastasis", column="lung"), "730 days") == "lung metastasis"


def pages_of(outcome, months):
    about = {
        **about_model(),
        "endpoint": {"name": outcome.name, "horizon_months": months, "words": asdict(outcome)},
    }
    distribution = distribution_of_training()
    tables = applied_tables(about, distribution, ["p1", "p2"])
    models = [AppliedModel(about, distribution, *tables)]
    folder = REPOSITORY / "workflow/report"
    return (
        render(folder, "applied_patient.html.j2", patient_page("p1", "here", models)),
        render(folder, "applied_overview.html.j2", overview_page("here", ["p1", "p2"], models)),
    )


def test_pages_of_another_outcome_never_speak_of_recurrence():
    for page in pages_of(DEATH, 24.0):
        text = re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL).replace("hcc-recurrence", "")
        assert not re.search(r"recur|resection|hepatocellular", text, re.IGNORECASE)
        assert "death on the list within 24 months of listing" in text
    patient, overview = pages_of(Endpoint("lung metastasis", "LM", column="lung"), None)
    assert "Probability of lung metastasis." in patient and "month" not in overview
    assert "early recurrence within 24 months of resection" in pages_of(EARLY_RECURRENCE, 24.0)[0]


@pytest.mark.parametrize("place", ["workflow/scripts/hcc_recurrence/exported", "workflow/report"])
def test_no_text_of_exported_models_names_an_outcome_by_itself(place):
    """Words of an outcome come from `endpoint`; a docstring or comment may explain, and keys of files stay."""
    named = re.compile(
        r"(?<!hcc_)(?<!hcc-)(?<!no_)\b(early recurrence|recurrences?|recurred|recurs?|resection)\b", re.I
    )
    allowed = ("EARLY_RECURRENCE", '"""', "#", "after resection of a hepatocellular carcinoma")
    found = []
    for file in sorted(Path(REPOSITORY, place).glob("*")):
        if file.suffix == ".py" or file.name.startswith("applied_"):
            text = re.sub(r'"""(.|\n)*?"""', "", file.read_text(encoding="utf-8"))
            lines = [line for line in text.splitlines() if named.search(line) and not any(a in line for a in allowed)]
            found += [f"{file.name}: {line.strip()}" for line in lines]
    assert found == []


@pytest.fixture(autouse=True)
def words_of_every_other_test():
    yield
    use_endpoint({})
