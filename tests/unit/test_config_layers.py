"""A person's config: read strictly, laid on the workflow's and the papers', with every problem in words."""

from __future__ import annotations

import copy
import json
import re
import shutil

import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from workflow_runner import REPOSITORY

from hcc_recurrence import config_ranges
from hcc_recurrence.cohort.thresholds import in_standard_units
from hcc_recurrence.cohort.units import unit_factor
from hcc_recurrence.command_line import config_file_problems, config_problems
from hcc_recurrence.config_entries import join_entries, unused_entries
from hcc_recurrence.config_layers import join_layers, load_layers, read_file
from hcc_recurrence.config_ranges import WORDS, radiomics_problems, setting_problems
from hcc_recurrence.configuration import load_configuration
from hcc_recurrence.learning.clinical import NONE_SIGNIFICANT, dichotomise
from hcc_recurrence.learning.risk_factor_steps import STEPS
from hcc_recurrence.problems import InputError
from hcc_recurrence.statistics import group_tests
from hcc_recurrence.statistics.baseline import SPREADS

PAPERS, SCHEMAS = REPOSITORY / "config/papers", REPOSITORY / "workflow/schemas"
CONFIG = yaml.safe_load((REPOSITORY / "config/config.yaml").read_text())
WHOLE = {"title": "Ours", "modality": "MR", "patients": "ours.csv"}


def load(**changes):
    return load_configuration({**copy.deepcopy(CONFIG), **changes}, PAPERS, SCHEMAS)


def refused(**changes):
    """The problems of a config that must be refused, as one text."""
    with pytest.raises(InputError) as caught:
        load(**changes)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "words", "remedy"),
    [
        ("a: 1\nb: [1, 2}\n", "line 2, column 9 ('b: [1, 2}')", "a bracket or quote that is not closed"),
        ("a:\n  b: 1\n\tc: 2\n", "line 3, column 1 ('c: 2'): a tab", "replace the tab with blanks"),
        ("a: 1\n b: 2\n", "line 2, column 3", "indent as above"),
        ("title: CT: two centres\n", "a second colon", "put text with a colon in quotes"),
        ('path: "C:\\data"\n', "a backslash between double quotes", "write / in paths"),
        ("cohorts:\n  c: {patients: *.csv}\n", "line 2", "put text that begins with *"),
        ("preset：demo\n", "is text, not keys with values", "the line holds '：'; write ':'"),
        ("a: 1\nseed：3\n", "line 2", "the line holds '：'; write ':'"),
        ("preset:\u00a0demo\n", "is text", "a blank that is none (U+00A0)"),
        ("", "is empty", "example_own_patients.yaml"),
        ("# nothing\n", "is empty", "example_own_patients.yaml"),
        ("- a\n- b\n", "is a list", "write keys such as `studies:`"),
        ("[1, 2]", "is a list", "write keys such as `studies:`"),
        ("a: 1\nb: 2\na: 3\n", "the key a (lines 1 and 3) stands twice", "remove one"),
        ("c:\n  x:\n    k: 1\n  x:\n    k: 2\n", "the key c.x (lines 2 and 4) stands twice", "remove one"),
        ("s:\n- {p: 1, p: 2}\n", "the key s[1].p (lines 2 and 2) stands twice", "remove one"),
        ('{"a": 1, "a": 2}', "the key a stands twice", "remove one"),
        ("splits: {t: {validation_from: 2018-02-30}}\n", "holds a value that means nothing", "2018-01-31"),
        ("a: \x07\n", "line 1: a character that YAML does not allow (U+0007)", "remove it"),
    ],
)
def test_a_broken_config_file_is_named_with_its_line(text, words, remedy):
    (what, what_to_do), *_ = config_problems(text)
    assert words in what and remedy in what_to_do


@given(st.dictionaries(st.text("ab", min_size=1, max_size=2), st.integers() | st.lists(st.integers(), max_size=2)))
@settings(max_examples=25)
def test_any_map_of_keys_is_read_and_a_key_added_twice_is_not(values):
    values = {"k": 1, **values}
    for text in (yaml.safe_dump(values), json.dumps(values), json.dumps(values, indent="\t")):
        assert config_problems(text) == []
    assert "the key k (" in config_problems(yaml.safe_dump(values) + "k: 2\n")[0][0]


def test_anchors_and_merged_maps_are_no_doubled_keys():
    assert config_problems("a: &a {x: 1}\nb:\n  <<: *a\n  x: 2\n") == []
    assert config_file_problems(REPOSITORY / "config/config.yaml") == []


def test_files_that_cannot_be_read(tmp_path):
    (tmp_path / "utf16.yaml").write_bytes("a: 1\n".encode("utf-16"))
    (tmp_path / "mark.yaml").write_bytes("a: 1\n".encode("utf-8-sig"))
    assert "UTF-8" in config_file_problems(tmp_path / "utf16.yaml")[0][0]
    assert config_file_problems(tmp_path / "mark.yaml") == []
    assert config_file_problems(tmp_path / "no.yaml")[0][0] == "there is no such file"
    assert config_file_problems(tmp_path)[0][0] == "is a folder"
    with pytest.raises(InputError, match="is not written in UTF-8"):
        read_file(tmp_path / "utf16.yaml")


def test_values_that_can_only_be_mistakes(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text(
        'seed: .nan\nsplits: {t: {validation_from: 2018-01-01}}\ncohorts: {2019: {no: 1, data_root: "D:\\tables"}}\n'
    )
    values, problems = read_file(file)
    assert values["splits"]["t"]["validation_from"] == "2018-01-01" and "2019" in values["cohorts"]
    text = "\n".join(map(str, problems))
    assert len(problems) == 3 and "seed: nan is not a number" in text
    assert "cohorts.2019: the key False is not text" in text
    assert re.search(r"cohorts.2019.data_root: .* holds a tab", text)


def test_a_cohort_written_in_full_takes_nothing_from_the_demos_of_its_name(tmp_path):
    """It would be simulated, with the constants and variables of the demo, without a word."""
    own = {"studies": [], "cohorts": {"demo_mr": WHOLE, "demo_ct": {"er_days": 365}}}
    joined = join_layers(CONFIG, [own])
    assert joined["cohorts"]["demo_mr"] == WHOLE
    assert joined["cohorts"]["demo_ct"] == {**CONFIG["cohorts"]["demo_ct"], "er_days": 365}
    assert joined["studies"] == [] and joined["seed"] == CONFIG["seed"]


def test_files_and_command_line_are_laid_on_each_other(tmp_path):
    base, mine = tmp_path / "base.yaml", tmp_path / "mine.yaml"
    base.write_text(yaml.safe_dump({"seed": 1, "cohorts": {"a": {"title": "A", "reader": "R1"}}, "studies": [1]}))
    mine.write_text(yaml.safe_dump({"grids": None, "cohorts": {"a": {"reader": "R2"}}}))
    entries = ["keep_going=true", "evaluation={resamples: 50}", "dicom_root=2019", "seed=7"]
    config, problems = load_layers(base, [mine], entries, texts=("dicom_root",))
    assert problems == [] and config == {
        "seed": 7,
        "cohorts": {"a": {"title": "A", "reader": "R2"}},
        "studies": [1],
        "keep_going": True,
        "evaluation": {"resamples": 50},
        "dicom_root": "2019",
    }
    assert "studies" not in load_layers(base, [mine], [], replace=True)[0]
    mine.write_text("cohorts: {ours: {title: A}}\n")
    _, problems = load_layers(base, [mine], ["masks={source: unet"])
    assert "is no YAML; put it in quotes" in str(problems[0])
    _, problems = load_layers(base, [mine], [])
    assert "cohorts has 'ours', and there are no studies" in problems[0].what


@pytest.mark.parametrize("preset", ["published", "demo"])
@pytest.mark.parametrize(
    ("kind", "name", "change"),
    [
        ("radiomics", "zhao2024", {"bin_width": 25}),
        ("grids", "iso1", {"interpolator": "bspline"}),
        ("crops", "zhang2025_views", {"window": [-100, 200]}),
        ("splits", "zhao2024", {"validation_fraction": 0.3}),
        ("unets", "wang2022", {"inner_fraction": 0.3}),
    ],
)
def test_a_part_of_a_named_entry_takes_the_rest_from_the_papers(preset, kind, name, change):
    before, after = load(preset=preset)[kind], load(preset=preset, **{kind: {name: change}})[kind]
    demo = {"iso1": "iso2"}.get(name, f"{name}_demo")
    for entry in (name, demo):
        assert after[entry] == {**before[entry], **change}
    assert {k: v for k, v in after.items() if k not in (name, demo)} == {
        k: v for k, v in before.items() if k not in (name, demo)
    }
    small = load(preset=preset, **{kind: {demo: change}})[kind]
    assert small[demo] == {**before[demo], **change} and small[name] == before[name]


def test_an_entry_of_ones_own_is_whole_and_an_empty_part_switches_off():
    papers = {"a": {"x": 1, "windows": {"p": [1, 2]}}, "a_demo": {"x": 2, "windows": {"p": [1, 2]}}}
    joined = join_entries(papers, {"a": {"windows": {}}, "b": {"x": 3}})
    assert joined == {"a": {"x": 1, "windows": {}}, "a_demo": {"x": 2, "windows": {}}, "b": {"x": 3}}
    assert join_entries(papers, {"a": {"x": 9}, "a_demo": {"x": 7}})["a_demo"]["x"] == 7


def test_every_problem_of_named_entries_and_overrides_at_once():
    text = refused(
        radiomics={"zhao2024": {"bin_widht": 25}, "zao2024": {"bin_width": 3}, "zhang2025": 25},
        splits={"zhao2024": {"folds": -1}},
        keep_going="yes",
        pathvars={"result": "/scratch"},
        seed="7",
        cohorts={**CONFIG["cohorts"], "o": {**WHOLE, "er_days": "730", "external_centres": [1], "reader": None}},
    )
    for words in (
        "unknown key 'bin_widht' in radiomics.zhao2024. What to do: remove it; did you mean 'bin_width'?",
        "radiomics.zao2024: lacks the key 'grid'. What to do: did you mean 'zhao2024'",
        "radiomics.zhang2025: '25' is a number; a map of keys and values is needed",
        "splits.zhao2024.folds: -1 is less than the minimum of 2",
        "keep_going: 'yes' is text; true or false is needed. What to do: write true or false, without quotes",
        "cohorts.o.er_days: '730' is text; a whole number is needed. What to do: write 730 without quotes",
        "cohorts.o.external_centres[1]: '1' is a number; text is needed. What to do: put it in quotes",
        "cohorts.o.reader: is empty; text is needed. What to do: give it a value, or remove the line",
        "pathvars: 'result' is not one of ['results', 'logs', 'benchmarks', 'resources']. What to do: did",
        "seed: '7' is text; a whole number is needed. What to do: write 7 without quotes",
    ):
        assert words in text
    text = refused(
        overrides={
            "zhao24": {},
            "zhao2024": {
                "bin_width": 25,
                "epochs": "1e2",
                "spacing_mm": [2, 2, 2],
                "clinical": {"afp": {"atleast": 400}},
                "networks": {"ResNet-10": {"wieghts": "w.pth"}, "Mine": {}},
            },
        },
        splits={"t": {"kind": "temporal", "folds": 5, "validation_from": "2018-13-01"}},
    )
    for words in (
        "overrides names the unknown paper 'zhao24'. What to do: did you mean 'zhao2024'?",
        "unknown key 'bin_width' in overrides.zhao2024. What to do: it is a key of radiomics: write radiomics: "
        "{zhao2024: {bin_width: 25}}",
        "it is a key of grids: write grids: {iso1: {spacing_mm: [2, 2, 2]}}",
        "overrides.zhao2024.epochs: '1e2' is text; the paper's own value is a number (4)",
        "overrides.zhao2024.clinical.afp: {'atleast': 400} is no threshold. What to do: 400 (1 above it)",
        "overrides.zhao2024.networks.ResNet-10: unknown key 'wieghts'. What to do: did you mean 'weights'?",
        "overrides.zhao2024.networks.Mine: lacks the key 'architecture'",
        "splits.t.validation_from: '2018-13-01' is not a date",
    ):
        assert words in text


def test_values_of_the_right_type_that_mean_nothing_are_refused():
    own = {
        "phases": ["portal", "venous"],
        "icc_threshold": 9,
        "lasso_folds": 1,
        "classifiers": ["LR", "RF"],
        "univariable_p": 0,
        "timing": "preop",
        "l1_penalties": 2.5,
    }
    radiomics = {"zhao2024": {"wavelet": "coif99"}, "zhang2025": {"log_sigma_mm": [1, 2, 3]}}
    text = refused(overrides={"zhao2024": own}, radiomics=radiomics)
    for words in (
        "overrides.zhao2024.phases: ['portal', 'venous'] cannot be used. What to do: write each phase once, of",
        "overrides.zhao2024.icc_threshold: 9 cannot be used. What to do: write a number above 0, at most 1",
        "overrides.zhao2024.lasso_folds: 1 cannot be used. What to do: write a whole number from 2 upwards",
        "overrides.zhao2024.classifiers: ['LR', 'RF'] cannot be used. What to do: write at least one of LR, SVM",
        "overrides.zhao2024.univariable_p: 0 cannot be used",
        "overrides.zhao2024.timing: 'preop' cannot be used. What to do: write pre or any",
        "overrides.zhao2024.l1_penalties: 2.5 cannot be used",
        "radiomics.zhao2024.wavelet: 'coif99' is no wavelet",
        "radiomics.zhang2025: its filters give 1130 features, expected_features says 1037",
    ):
        assert words in text


def test_unknown_words_of_a_papers_statistics_are_refused_before_the_first_job():
    own = {
        "risk_factor_model": "backward",
        "none_significant": "all",
        "baseline_continuous": {"age": "welch", "agee": "student"},
        "baseline_fisher_below": -1,
    }
    text = refused(overrides={"zhao2024": own, "wang2022": {"cox_p": 2, "risk_factor_model": "cox"}})
    for words in (
        "overrides.zhao2024.risk_factor_model: 'backward' cannot be used. What to do: write significant or forward or",
        "overrides.zhao2024.none_significant: 'all' cannot be used. What to do: write no_variable or candidates",
        "overrides.zhao2024.baseline_continuous: lacks the key 'default'",
        "overrides.zhao2024.baseline_continuous.age: 'welch' cannot be used. What to do: write student or mann_whitney",
        "overrides.zhao2024.baseline_continuous.agee: the paper has no such clinical variable. What to do: did",
        "overrides.zhao2024.baseline_fisher_below: -1 cannot be used. What to do: write a number from 0 upwards",
        "overrides.wang2022.risk_factor_model: 'cox' cannot be used. What to do: write significant or forward or cox_s",
        "overrides.wang2022.cox_p: 2 cannot be used",
    ):
        assert words in text, words


def test_the_same_words_are_known_to_the_code_that_reads_them():
    assert WORDS["risk_factor_model"] == tuple(STEPS) and WORDS["none_significant"] == NONE_SIGNIFICANT
    assert WORDS["baseline_rfs"] == tuple(SPREADS)
    assert config_ranges.CONTINUOUS_RULES == group_tests.CONTINUOUS_RULES


def test_a_papers_own_file_is_checked_as_an_override_is(tmp_path):
    shutil.copytree(PAPERS, tmp_path / "papers")
    file = tmp_path / "papers" / "zhao2024.yaml"
    text = file.read_text().replace("value: significant", "value: stepwise").replace("unit: IU/mL", "unit: mol/L")
    file.write_text(text)
    with pytest.raises(InputError) as error:
        load_configuration(copy.deepcopy(CONFIG), tmp_path / "papers", SCHEMAS)
    for words in (
        "zhao2024.yaml: settings.published.risk_factor_model: 'stepwise' cannot be used. What to do: write significant",
        "zhao2024.yaml: settings.published.clinical.afp: unit 'mol/L' is unknown. What to do: write one of ng/mL",
    ):
        assert words in str(error.value), str(error.value)


def test_a_threshold_in_the_papers_unit_is_compared_in_the_tables_unit():
    """Zhao 2024 cuts AFP at 400 IU/mL; 1 IU is 1.21 ng."""
    assert load()["papers"]["zhao2024"]["settings"]["clinical"]["afp"] == 484
    own = {
        "afp": {"at_least": 20, "unit": "ug/L"},
        "diameter": {"above": 5, "unit": "cm"},
        "albumin": {"at_least": 3.5, "unit": "g/dL"},
    }
    clinical = load(overrides={"zhao2024": {"clinical": own}})["papers"]["zhao2024"]["settings"]["clinical"]
    assert (clinical["afp"], clinical["diameter"], clinical["albumin"]) == ({"at_least": 20}, 50, {"at_least": 35})
    wrong = {
        "afp": {"above": 400, "unit": "mol/L"},
        "cirrhosis": {"above": 0, "unit": "years"},
        "ast": {"above": 40, "at_least": 40},
        "alt": {"above": "40"},
        "ggt": {"unit": "U/L"},
    }
    text = refused(overrides={"zhao2024": {"clinical": wrong}})
    for words in (
        "clinical.afp: unit 'mol/L' is unknown. What to do: write one of ng/mL, ug/L, ng/dL, IU/mL",
        "clinical.cirrhosis: no unit of cirrhosis can be converted",
        "clinical.ast: {'above': 40, 'at_least': 40} is no threshold",
        "clinical.alt: {'above': '40'} is no threshold",
        "clinical.ggt: {'unit': 'U/L'} is no threshold",
    ):
        assert words in text, words


def test_a_value_on_the_threshold_in_either_unit_is_on_the_same_side():
    """400 IU/mL in a sheet of IU/mL and 484 ng/mL in one of ng/mL are not above 400 IU/mL; 401 and 485 are."""
    cut = in_standard_units({"afp": {"above": 400, "unit": "IU/mL"}})
    for unit, on, above in (("IU/mL", 400, 401), ("ng/mL", 484, 485), ("kIU/L", 400, 401)):
        values = pd.DataFrame({"afp": [v * unit_factor("afp", unit) for v in (on, above)]})
        assert dichotomise(values, cut)["afp"].tolist() == [0, 1], unit


def test_the_papers_own_settings_and_features_are_within_their_ranges():
    from hcc_recurrence.networks.vgg import POOLS, TAPS

    for preset in ("published", "demo"):
        full = load(preset=preset)
        assert not [p for name, paper in full["papers"].items() for p in setting_problems(name, paper["settings"])]
        assert radiomics_problems(full["radiomics"], full["radiomics"]) == []
    assert WORDS["pool"] == POOLS and WORDS["tap"] == TAPS


def test_overrides_of_clinical_variables_and_networks_take_the_rest_from_the_paper():
    own = {"clinical": {"afp": 20}, "networks": {"ResNet-18": {"batch": 4}}, "fusion_network": "ResNet-18"}
    settings = load(overrides={"zhao2024": own})["papers"]["zhao2024"]["settings"]
    before = load()["papers"]["zhao2024"]["settings"]
    assert settings["clinical"] == {**before["clinical"], "afp": 20}
    assert settings["networks"] == {"ResNet-18": {**before["networks"]["ResNet-18"], "batch": 4}}


def test_paths_of_another_system_or_of_a_shell_are_refused():
    text = refused(
        cohorts={
            **CONFIG["cohorts"],
            "o": {**WHOLE, "series": "sheets\\series.csv", "data_root": "~/dicom", "masks": "masks.csv "},
        },
        studies=[{"paper": "zhao2024", "cohort": "o"}],
    )
    assert "cohorts.o.series: 'sheets\\\\series.csv' holds a backslash. What to do: write / in its place" in text
    assert "cohorts.o.data_root: '~/dicom' begins with ~" in text
    assert "cohorts.o.masks: 'masks.csv ' begins or ends with a blank" in text


def test_entries_that_change_nothing_are_named():
    own = {
        "radiomics": {"zhao2024": {"bin_width": 7}, "mine": {"grid": "iso1", "bin_width": 1, "expected_features": 107}}
    }
    full = load(**own)
    assert unused_entries(full, own) == [
        "config: radiomics.mine changes nothing: no study of this run uses it (used: zhang2025_demo, zhao2024_demo)"
    ]
