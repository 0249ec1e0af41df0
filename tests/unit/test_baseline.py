"""Tables of patients: the papers' printed P values, and what a table says of awkward groups."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy.stats import mannwhitneyu, norm, ttest_ind

from hcc_recurrence.configuration import plain_values
from hcc_recurrence.learning.clinical import coded
from hcc_recurrence.published import read_published
from hcc_recurrence.statistics.baseline import baseline_table, for_readers, sets_table
from hcc_recurrence.statistics.group_tests import categorical_test, continuous_rule, continuous_test, is_skewed

ROOT = Path(__file__).parents[2]
PRINTED = read_published(ROOT / "workflow" / "published", "group_tests")
TESTS = {"continuous": {"default": "shapiro"}, "yates": False, "fisher_below": 5}


def rule_of(paper):
    whole = yaml.safe_load((ROOT / "config" / "papers" / f"{paper}.yaml").read_text())
    settings = plain_values(whole["settings"]["published"])
    return {key: settings[f"baseline_{key}"] for key in ("continuous", "yates", "fisher_below")}


@pytest.mark.parametrize("paper", sorted(PRINTED["paper"].unique()))
def test_each_papers_rule_gives_its_printed_p_values_from_its_printed_counts(paper):
    tests = rule_of(paper)
    for row in PRINTED[PRINTED["paper"] == paper].to_dict("records"):
        counts = np.array([[int(v) for v in row[c].split("/")] for c in ("first", "second")])
        p, name = categorical_test(counts, tests)
        if row["p"].startswith("<"):
            assert p < float(row["p"][1:]), row
        else:
            digits = max(len(row["p"].partition(".")[2]), 2)
            assert p == pytest.approx(float(row["p"]), abs=0.55 * 10.0**-digits), (row, p, name)


def test_a_rule_of_its_own_goes_before_the_default_and_an_unknown_one_is_refused():
    assert continuous_rule("age", {"default": "mann_whitney", "age": "student"}) == "student"
    assert continuous_rule("alt", {"default": "mann_whitney", "age": "student"}) == "mann_whitney"
    with pytest.raises(ValueError, match="'welch' is none of student, mann_whitney, shapiro"):
        continuous_rule("age", {"default": "welch"})


def test_shapiro_decides_between_mean_and_median():
    generator = np.random.default_rng(1)
    normal, skewed = norm.ppf(np.tile(np.linspace(0.02, 0.98, 30), 2), 50, 10), np.exp(generator.normal(3, 2, 60))
    assert not is_skewed([normal[:30], normal[30:]], "shapiro") and is_skewed([skewed[:30], normal[30:]], "shapiro")
    assert is_skewed([np.ones(5), np.ones(2)], "shapiro")
    assert continuous_test(normal[:30], normal[30:], False) == (
        ttest_ind(normal[:30], normal[30:]).pvalue,
        "Student's t",
    )
    assert continuous_test(skewed[:30], skewed[30:], True)[0] == mannwhitneyu(skewed[:30], skewed[30:]).pvalue
    assert (
        continuous_test(np.ones(4), np.ones(4), True)[1] == "" and continuous_test(normal[:1], normal, False)[1] == ""
    )


@pytest.fixture
def patients():
    generator = np.random.default_rng(3)
    names = [f"p{i:02}" for i in range(60)]
    split = pd.DataFrame({"patient_id": names, "split": ["train"] * 40 + ["validation"] * 14 + ["external"] * 6})
    labels = pd.DataFrame(
        {
            "patient_id": names,
            "er": [*generator.permutation([0, 1] * 20), *[0, 1] * 7, *[0] * 6],
            "rfs_event": 1,
        }
    )
    labels["rfs_months"] = np.where(labels["er"] == 1, generator.uniform(1, 23, 60), generator.uniform(25, 60, 60))
    labels.loc[labels["er"] == 0, "rfs_event"] = [i % 2 for i in range((labels["er"] == 0).sum())]
    clinical = pd.DataFrame(
        {
            "afp": np.exp(generator.normal(4, 2, 60)),
            "age": generator.normal(55, 10, 60),
            "differentiation_poor": generator.integers(0, 3, 60).astype(float),
            "cirrhosis": generator.integers(0, 2, 60).astype(float),
            "ki67_high": np.nan,
        },
        index=pd.Index(names, name="patient_id"),
    )
    clinical.iloc[[0, 45], 3] = np.nan
    binary = {"kind": "binary", "unit": "", "levels": [], "timing": "pre"}
    definitions = {
        "afp": {"kind": "continuous", "unit": "ng/mL", "levels": [], "timing": "pre"},
        "age": {"kind": "continuous", "unit": "years", "levels": [], "timing": "pre"},
        "differentiation_poor": {
            **binary,
            "kind": "categorical",
            "levels": ["well", "moderate", "poor"],
            "timing": "post",
        },
        "cirrhosis": binary,
        "ki67_high": binary,
    }
    return clinical, labels, split, definitions


def cells(table, variable, **where):
    rows = table[table["variable"] == variable]
    for key, value in where.items():
        rows = rows[rows[key] == value]
    return rows.iloc[0]


def test_variables_are_compared_in_the_studys_own_coding(patients):
    clinical, labels, split, definitions = patients
    cuts = {**dict.fromkeys(definitions), "age": {"at_least": 60}}
    values, shown = coded(clinical, definitions, cuts)
    table = baseline_table(values, labels, split, shown, TESTS)
    train = table[table["split"] == "train"]
    assert list(train.loc[train["variable"] == "age", "level"]) == ["< 60", "≥ 60"]
    assert list(train.loc[train["variable"] == "differentiation_poor", "level"]) == ["well", "moderate", "poor"]
    afp = cells(train, "afp")
    assert afp["label"] == "AFP, ng/mL, median [IQR]" and afp["test"] == "Mann-Whitney U"
    er = labels.set_index("patient_id").loc[split.loc[split["split"] == "train", "patient_id"], "er"]
    own = clinical.loc[er.index, "afp"]
    assert float(afp["p"]) == pytest.approx(mannwhitneyu(own[er == 0], own[er == 1]).pvalue, abs=6e-4)
    both = int(cells(train, "age", level="≥ 60")["total"].split(" ")[0])
    assert both == (clinical.loc[er.index, "age"] >= 60).sum()
    assert cells(train, "ki67_high")["missing"] == "40" and cells(train, "ki67_high")["p"] == ""
    # The external patients have one outcome: counts, and no P.
    external = table[table["split"] == "external"]
    assert len(external) and (external["p"] == "").all() and cells(external, "cirrhosis")["early recurrence"] == ""
    assert "missing" in set(for_readers(table)["level"])


def test_sets_are_compared_with_training_and_recurrences_are_counted(patients):
    clinical, labels, split, definitions = patients
    values, shown = coded(clinical, definitions, dict.fromkeys(definitions))
    table = sets_table(values, labels, split, shown, TESTS)
    assert {"training", "validation", "external", "p validation", "test external", "total"} <= set(table.columns)
    assert cells(table, "n")["training"] == "40" and cells(table, "n")["external"] == "6"
    assert cells(table, "er")["external"] == "0 (0.0)" and cells(table, "er")["training"] == "20 (50.0)"
    assert cells(table, "er")["test validation"] == "Chi-squared" and cells(table, "er")["p validation"] == "1.000"
    assert cells(table, "months_to_er")["external"] == "-"
    assert cells(table, "rfs")["test validation"] == "Log-rank"
    train, validation = (
        clinical.loc[split.loc[split["split"] == s, "patient_id"], "afp"] for s in ("train", "validation")
    )
    assert float(cells(table, "afp")["p validation"]) == pytest.approx(mannwhitneyu(train, validation).pvalue, abs=6e-4)


def test_the_er_rates_of_zhao_2024_are_compared_as_printed():
    """59.09 % of 132 against 54.55 % of 33, P = 0.782 (Baseline characteristics)."""
    assert round(categorical_test(np.array([[78, 54], [18, 15]]), rule_of("zhao2024"))[0], 3) == 0.782
