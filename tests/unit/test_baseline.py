"""Tables of patients: the papers' printed P values, and what a table says of awkward groups."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from printed_names import config_names, raw_names
from scipy.stats import mannwhitneyu, norm, ttest_ind

from hcc_recurrence.cohort.units import in_standard_unit
from hcc_recurrence.configuration import load_configuration, plain_values
from hcc_recurrence.figures.html import ratios_for_readers, write_html
from hcc_recurrence.figures.risk_factors import plot_forests
from hcc_recurrence.learning.clinical import coded, timing_note
from hcc_recurrence.learning.risk_factor_steps import panels_of
from hcc_recurrence.learning.risk_factors import fit_risk_factors
from hcc_recurrence.published import read_published
from hcc_recurrence.statistics.baseline import (
    NOTE,
    SPREADS,
    _median_survival,
    baseline_table,
    for_readers,
    sets_table,
)
from hcc_recurrence.statistics.group_tests import categorical_test, continuous_rule, continuous_test, is_skewed
from hcc_recurrence.statistics.survival import median_survival, median_survival_se

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


# Times to discontinuation of an intrauterine device, weeks, and whether it was one (Collett, Table 1.1).
DEVICE = (
    [10, 13, 18, 19, 23, 30, 36, 38, 54, 56, 59, 75, 93, 97, 104, 107, 107, 107],
    [1, 0, 0, 1, 0, 1, 1, 0, 0, 0, 1, 1, 1, 1, 0, 1, 0, 0],
)


@pytest.mark.parametrize("number", range(2, 62, 2))
def test_a_median_is_reached_where_exactly_half_are_free(number):
    """By hand: of an even number of patients who all recur, half are free after the recurrence of the first half."""
    time, event = np.arange(1.0, number + 1), np.ones(number, int)
    assert median_survival(time, event) == number / 2
    own = pd.DataFrame({"rfs_months": time, "rfs_event": event})
    assert _median_survival(own, "interval").startswith(f"{number / 2:.1f}")


def test_a_median_that_is_just_reached_is_not_called_not_reached():
    """By hand: 1/2 of the patients are free from month 20.6 on, and the last one is lost."""
    time, event = np.array([16.5, 20.0, 20.6, 70.2, 71.0, 72.0]), np.array([1, 1, 1, 0, 0, 0])
    assert median_survival(time, event) == 20.6
    assert _median_survival(pd.DataFrame({"rfs_months": time, "rfs_event": event}), "interval") == "20.6"


def test_the_standard_error_of_a_median_survival_is_that_of_collett():
    """Example 2.8: S(93) = 0.4662 with SE 0.1452; (0.5594 - 0.3729) / (97 - 75) between 0.55 and 0.45."""
    time, event = map(np.array, DEVICE)
    assert median_survival(time, event) == 93
    assert median_survival_se(time, event) == pytest.approx(0.1452 / ((0.5594 - 0.3729) / 22), rel=1e-3)
    ended = median_survival_se(np.minimum(time, 95), np.where(time > 95, 0, event))
    assert np.isnan(ended), "the curve ends above 0.45"
    assert np.isnan(median_survival_se(np.array([1.0, 2.0]), np.array([0, 0])))


def survivors(time, event):
    names = [f"p{i:02}" for i in range(2 * len(time))]
    split = pd.DataFrame({"patient_id": names, "split": ["train", "validation"] * len(time)})
    labels = pd.DataFrame({"patient_id": names, "er": np.repeat(event, 2), "rfs_event": np.repeat(event, 2)})
    return labels.assign(rfs_months=np.repeat(time, 2).astype(float)), split


@pytest.mark.parametrize(("spread", "words"), [("se", "93.0 (17.1)"), ("wald", "93.0 (59.4-126.6)")])
def test_the_median_recurrence_free_survival_is_printed_as_a_paper_does(spread, words):
    """Wang 2022 and Cui 2022; 93 +- 1.96 x 17.13 by hand."""
    labels, split = survivors(*DEVICE)
    row = cells(sets_table(pd.DataFrame(), labels, split, {}, {**TESTS, "rfs": spread}), "rfs")
    assert row["training"] == row["validation"] == words
    assert row["label"] == f"Recurrence-free survival, months, median ({SPREADS[spread]})"
    assert row["test validation"] == "Log-rank" and row["p validation"] == "1.000"


def test_of_a_few_patients_there_is_a_median_and_no_interval():
    labels, split = survivors(np.arange(1, 8), np.array([1, 1, 1, 1, 0, 0, 0]))
    for spread in SPREADS:
        assert (
            cells(sets_table(pd.DataFrame(), labels, split, {}, {**TESTS, "rfs": spread}), "rfs")["training"] == "4.0"
        )


def test_recurrences_have_the_median_time_and_range_of_all_and_of_early_ones(patients):
    _, labels, split, _ = patients
    table = sets_table(pd.DataFrame(), labels, split, {}, TESTS)
    train = labels[labels["patient_id"].isin(split.loc[split["split"] == "train", "patient_id"])]
    for variable, flag in (("months_to_recurrence", "rfs_event"), ("months_to_er", "er")):
        months = sorted(train.loc[train[flag] == 1, "rfs_months"])
        middle = (months[(len(months) - 1) // 2] + months[len(months) // 2]) / 2
        assert cells(table, variable)["training"] == f"{middle:.1f} ({months[0]:.1f}-{months[-1]:.1f})"
    assert cells(table, "recurrence")["training"].split(" ")[0] == str(train["rfs_event"].sum())


def test_the_sites_of_early_recurrence_are_those_of_yan_2023():
    """Text and Supplementary Table 6: of 77, 52 with an intrahepatic, 30 with an extrahepatic, 5 of them with both."""
    words = ["intrahepatic"] * 47 + ["extrahepatic"] * 25 + ["both"] * 5 + ["", "intrahepatic", "both"]
    names = [f"p{i:02}" for i in range(80)]
    labels = pd.DataFrame({"patient_id": names, "er": [1] * 78 + [0, 0], "rfs_event": 1, "rfs_months": 8.0})
    split = pd.DataFrame({"patient_id": names, "split": ["train"] * 70 + ["validation"] * 10})
    levels = pd.CategoricalDtype(["intrahepatic", "extrahepatic", "both"], ordered=True)
    sites = pd.Series(words, index=names).replace("", None).astype(levels)
    table = sets_table(pd.DataFrame(), labels, split, {}, TESTS, sites)
    rows = table[table["variable"] == "site"]
    assert list(rows["level"]) == list(levels.categories) and rows.iloc[0]["missing"] == "1"
    # A late recurrence is none of them.
    assert list(rows["total"]) == ["47 (61.0)", "25 (32.5)", "5 (6.5)"]
    assert list(rows["training"]) == ["47 (67.1)", "23 (32.9)", "0 (0.0)"] and rows.iloc[0]["test validation"]
    assert (sets_table(pd.DataFrame(), labels, split, {}, TESTS)["variable"] != "site").all()


def test_tables_for_print_name_things_once_and_have_p_as_journals_print_it(patients):
    clinical, labels, split, definitions = patients
    values, shown = coded(clinical, definitions, dict.fromkeys(definitions))
    printed = for_readers(sets_table(values, labels, split, shown, TESTS))
    assert {"P, validation", "test, external", "total"} <= set(printed.columns)
    text = printed.to_csv()
    assert "[" not in text and "(IQR)" in text and not printed["P, validation"].str.startswith("0.").any()
    printed = for_readers(baseline_table(values, labels, split, shown, TESTS))
    assert list(printed["patients"][printed["patients"] != ""]) == ["training", "validation", "external"]
    assert "P" in printed and "1.000" not in set(printed["P"])


@pytest.mark.parametrize("paper", ["cui2022", "wang2022", "yan2023", "zhang2025", "zhao2024"])
def test_no_table_or_forest_of_a_paper_prints_a_name_of_the_config(paper, tmp_path):
    """Every variable of every paper, with the levels, units and thresholds of the demo's cohorts."""
    config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    full = load_configuration(config, ROOT / "config" / "papers", ROOT / "workflow" / "schemas")
    settings = full["papers"][paper]["settings"]
    cohort = "demo_mr" if paper in ("yan2023", "zhao2024") else "demo_ct"
    declared = full["cohorts"][cohort]["clinical"]
    # Those that the demo's cohorts have not, its studies leave out by name.
    lacking = {v for study in config["studies"] if study["paper"] == paper for v in study.get("without", ())}
    assert set(settings["clinical"]) - set(declared) <= lacking
    definitions = {v: in_standard_unit(v, declared[v]) for v in settings["clinical"] if v in declared}
    generator, names = np.random.default_rng(7), [f"p{i:02}" for i in range(60)]
    clinical = pd.DataFrame(index=pd.Index(names, name="patient_id"))
    for variable, own in definitions.items():
        number = settings["clinical"][variable]
        middle = number["at_least"] if isinstance(number, dict) else number or 50
        codes = generator.integers(0, len(own["levels"]) or 2, 60).astype(float)
        clinical[variable] = codes if own["kind"] != "continuous" else middle * generator.uniform(0.2, 1.8, 60)
    er = np.tile([0, 1, 1, 0], 15)
    labels = pd.DataFrame({"patient_id": names, "er": er, "rfs_event": er, "rfs_months": np.where(er == 1, 9.0, 40.0)})
    labels["rfs_months"] += generator.uniform(0, 5, 60)
    split = pd.DataFrame({"patient_id": names, "split": ["train"] * 40 + ["validation"] * 20})
    tests = {key: settings[f"baseline_{key}"] for key in ("continuous", "yates", "fisher_below", "rfs")}
    coding = {v: cut for v, cut in settings["clinical"].items() if v in declared}
    values, shown = coded(clinical, definitions, coding)
    tables = [make(values, labels, split, shown, tests) for make in (baseline_table, sets_table)]
    keys = ("risk_factor_model", "clinical", "clinical_p", "cox_p", "none_significant", "entry_p", "removal_p")
    own = {key: settings[key] for key in keys if key in settings} | {"clinical": coding}
    found = fit_risk_factors(clinical, labels, split, definitions, own, {**full["evaluation"], "resamples": 5}, 24.0, 1)
    pages = [for_readers(table) for table in tables]
    pages.append(ratios_for_readers(panels_of(found.table, own["risk_factor_model"])))
    for page in pages:
        write_html(page, "t", tmp_path / "t.html", NOTE + timing_note(definitions))
        assert raw_names((tmp_path / "t.html").read_text(), config_names()) == set()
    figure = plot_forests(found.table, own["risk_factor_model"], "t")
    axes = [text.get_text() for axis in figure.axes for text in (*axis.get_yticklabels(), *axis.texts)]
    assert len(axes) > 10 and not set(axes) & config_names() and not any("_" in text for text in axes)


def test_the_er_rates_of_zhao_2024_are_compared_as_printed():
    """59.09 % of 132 against 54.55 % of 33, P = 0.782 (Baseline characteristics)."""
    assert round(categorical_test(np.array([[78, 54], [18, 15]]), rule_of("zhao2024"))[0], 3) == 0.782
