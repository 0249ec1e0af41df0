"""The demo preset changes sizes and epochs, never a definition, and says so where it meets real patients."""

from __future__ import annotations

import copy

import pytest
import yaml
from workflow_runner import REPOSITORY

from hcc_recurrence.config_entries import published_name
from hcc_recurrence.configuration import load_configuration, plain_values
from hcc_recurrence.planning.studies import Studies
from hcc_recurrence.presets import ENTRIES, SETTINGS, WARNING, default_preset, preset_mark, with_thresholds
from hcc_recurrence.problems import InputError

PAPERS, SCHEMAS = REPOSITORY / "config/papers", REPOSITORY / "workflow/schemas"
CONFIG = yaml.safe_load((REPOSITORY / "config/config.yaml").read_text())
FILES = {file.stem: plain_values(yaml.safe_load(file.read_text())) for file in sorted(PAPERS.glob("*.yaml"))}
REAL = {"title": "Ours", "modality": "MR", "patients": "patients.csv"}


def load(**changes):
    return load_configuration({**copy.deepcopy(CONFIG), **changes}, PAPERS, SCHEMAS)


@pytest.mark.parametrize("paper", FILES)
def test_the_demo_preset_changes_only_what_the_list_allows(paper):
    published, demo = (FILES[paper]["settings"][preset] for preset in ("published", "demo"))
    changed = {key for key, value in demo.items() if published[key] != value}
    assert changed <= SETTINGS
    # No definition is on the list: thresholds, tests and their limits, phases, timing, coding, selection, fusion.
    assert not SETTINGS & {"clinical", "phases", "timing", "visual", "selectors", "fusion", "standardise", "choose"}
    assert not {key for key in SETTINGS if key.endswith(("_p", "_r", "_threshold", "_alpha", "_below"))}
    for key in ("radiomics", "crops", "split", "unet"):
        if key in demo:
            assert published_name(demo[key]) == published[key], "the paper's own entry, smaller"


@pytest.mark.parametrize("paper", FILES)
def test_named_entries_of_the_demo_preset_differ_in_sizes_alone(paper):
    everything = {}
    for file in FILES.values():
        for kind, entries in file["entries"].items():
            assert not set(everything.get(kind, {})) & set(entries), "two papers must not mean one name differently"
            everything.setdefault(kind, {}).update(entries)
    for kind, entries in FILES[paper]["entries"].items():
        for name, entry in entries.items():
            published = everything[kind][published_name(name)]
            changed = {key for key in {*entry, *published} if entry.get(key) != published.get(key)}
            assert changed <= ENTRIES[kind], (kind, name)


@pytest.mark.parametrize("paper", FILES)
def test_the_demo_preset_takes_fewer_of_the_published_choices_and_no_others(paper):
    published, demo = (FILES[paper]["settings"][preset] for preset in ("published", "demo"))
    for key in ("feature_numbers", "training_shares"):
        assert set(demo.get(key, [])) <= set(published.get(key, []))
    for name, grid in demo.get("learners", {}).items():
        assert all(set(values) <= set(published["learners"][name][p]) for p, values in grid.items())
    for parameter, values in demo.get("regression_grid", {}).items():
        assert set(values) <= set(published["regression_grid"][parameter])
    assert set(demo.get("learners", {})) == set(published.get("learners", {}))
    if "classifiers" in demo:
        assert set(demo["classifiers"]) == set(published["classifiers"])
    if "lasso_penalties" in demo:
        assert demo["lasso_penalties"][:2] == published["lasso_penalties"][:2], "from the same to the same"
    for name, network in demo.get("networks", {}).items():
        own = published["networks"][name]
        assert network["architecture"] == own["architecture"]
        assert published_name(network.get("crops", "")) == own.get("crops", "")
    if "augmentation" in demo:
        assert set(demo["augmentation"]) == set(published["augmentation"])


def test_the_threshold_of_a_real_patient_is_the_papers_in_both_presets():
    """27 mm is not a large tumour of Zhao 2024, whatever the preset; a simulated body of half the size has its own."""
    studies = [{"paper": "zhao2024", "cohort": "ours", "split": "zhao2024"}, CONFIG["studies"][0]]
    for preset in ("published", "demo"):
        full = load(preset=preset, studies=studies, cohorts={**copy.deepcopy(CONFIG["cohorts"]), "ours": REAL})
        plan = Studies(full)
        assert plan.settings("zhao2024", "ours")["clinical"]["diameter"] == 50
        assert plan.settings("zhao2024", "demo_mr")["clinical"]["diameter"] == 25
        assert plan.settings("zhao2024", "demo_mr")["clinical"]["afp"] == 484


def test_a_threshold_of_a_cohort_keeps_the_papers_rule():
    papers = {"diameter": {"at_least": 50}, "afp": 400, "age": None, "sex": None}
    assert with_thresholds(papers, {"diameter": 25, "age": 60}) == {**papers, "diameter": {"at_least": 25}}
    cohorts = copy.deepcopy(CONFIG["cohorts"])
    cohorts["demo_mr"]["thresholds"] = {"diametre": 25}
    with pytest.raises(InputError, match=r"no paper dichotomises 'diametre'.*did you mean 'diameter'"):
        load(cohorts=cohorts)


def test_without_a_preset_real_patients_have_the_published_one():
    """The workflow's own config.yaml, on which a person's file is laid, once named the demo preset for both."""
    assert "preset" not in CONFIG and load()["preset"] == "demo"
    cohorts = {**copy.deepcopy(CONFIG["cohorts"]), "ours": REAL}
    own = {"paper": "zhao2024", "cohort": "ours"}
    full = load(cohorts=cohorts, studies=[own])
    assert full["preset"] == "published" and full["papers"]["zhao2024"]["settings"]["epochs"] == 200
    assert full["evaluation"]["resamples"] == 1000 and full["null_control"]["permutations"] == 200
    assert default_preset(load(cohorts=cohorts, studies=[own, CONFIG["studies"][0]])) == "published"
    assert load(cohorts=cohorts, studies=[own], preset="demo")["preset"] == "demo"


def test_tables_and_report_warn_where_the_demo_preset_meets_real_patients():
    cohorts = {**copy.deepcopy(CONFIG["cohorts"]), "ours": REAL}
    full = load(cohorts=cohorts, studies=[{"paper": "zhao2024", "cohort": "ours"}, CONFIG["studies"][0]], preset="demo")
    assert preset_mark(full, "ours") == WARNING and preset_mark(full, "demo_mr") == ""
    assert preset_mark({**full, "preset": "published"}, "ours") == ""
    plan = Studies(full)
    assert plan.random_weights(["zhao2024"], "ours").startswith(f"{WARNING}; Trained from random weights")
    assert "Demo" not in plan.random_weights(["zhao2024"], "demo_mr")
    # A forest plot of clinical variables is of no network.
    assert plan.random_weights(["zhao2024"], "ours", networks=False) == WARNING


def test_tables_say_that_the_published_optimiser_of_zhao_hardly_moves_random_weights():
    """Beside the numbers, and only where such networks are trained; not with the alternative that the docs name."""
    cohorts = {**copy.deepcopy(CONFIG["cohorts"]), "ours": REAL}

    def mark(overrides=None, **study):
        own = {"paper": "zhao2024", "cohort": "ours", **study}
        full = load(cohorts=cohorts, studies=[own], overrides={"zhao2024": overrides or {}})
        return Studies(full).random_weights(["zhao2024"], "ours")

    assert "hardly moves random weights" in mark() and "Trained from random weights" in mark()
    assert mark(networks=False) == ""
    adam = {"optimiser": "adam", "learning_rate": 0.001, "batch": 8}
    assert "hardly" not in mark(adam) and "Trained from random weights" in mark(adam)
