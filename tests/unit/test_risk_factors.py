"""The regressions of clinical variables are those of each study's own model."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from figure_checks import shown_text, unreadable
from matplotlib.markers import CARETLEFTBASE, CARETRIGHTBASE

from hcc_recurrence.figures.forest import plot_ratio_forest
from hcc_recurrence.figures.html import ratios_for_readers, readable
from hcc_recurrence.figures.numbers import figure_numbers
from hcc_recurrence.figures.p_values import interval_text, p_text, ratio_text
from hcc_recurrence.files import read_csv, write_csv
from hcc_recurrence.learning.clinical import select_clinical
from hcc_recurrence.learning.risk_factor_steps import none_significant_note, panels_of
from hcc_recurrence.learning.risk_factors import fit_risk_factors
from hcc_recurrence.methods.yan2023.nomograms import select_variables
from hcc_recurrence.published import read_published
from hcc_recurrence.statistics.logistic import fit_logistic, logistic_table

ROOT = Path(__file__).parents[2]
LIMITS = {"univariable_p": 0.05, "entry_p": 0.05, "removal_p": 0.1, "cox_univariable_p": 0.2, "resamples": 5}
ZHAO = {"risk_factor_model": "significant", "clinical_p": 0.05, "none_significant": "no_variable"}
YAN = {"risk_factor_model": "forward", "clinical_p": 0.05, "entry_p": 0.05, "removal_p": 0.1}
# Table 3 of Zhao 2024, univariate: variable -> row of Table 1, odds ratio with interval, P.
PRINTED = {
    "afp": ("AFP>400", "2.95 (1.10-7.89)", 0.03),
    "alt": ("ALT>50", "1.75 (0.79-3.88)", 0.17),
    "ast": ("AST>40", "2.70 (1.26-5.82)", 0.01),
    "ggt": ("GGT>60", "1.98 (0.98-4.03)", 0.06),
    "bilirubin": ("TBIL>19", "1.49 (0.68-3.26)", 0.32),
    "albumin": ("ALB>=40", "0.78 (0.37-1.62)", 0.50),
    "diameter": ("diameter>5 cm", "2.75 (1.21-6.27)", 0.02),
    "tumour_number": ("multifocal", "1.78 (0.59-5.39)", 0.31),
    "margin_nonsmooth": ("non-smooth margin", "1.31 (0.65-2.67)", 0.45),
}
# Values on each side of the paper's thresholds.
SIDES = {
    "afp": (400, 401), "alt": (50, 51), "ast": (40, 41), "ggt": (60, 61), "bilirubin": (19, 20), "albumin": (39.9, 40),
    "diameter": (50, 51), "tumour_number": (1, 2), "margin_nonsmooth": (0, 1),
}  # fmt: skip
CUTS = {
    "afp": 400, "alt": 50, "ast": 40, "ggt": 60, "bilirubin": 19, "albumin": {"at_least": 40}, "diameter": 50,
    "tumour_number": 1, "margin_nonsmooth": None,
}  # fmt: skip


def training(y):
    names = [f"p{i:03}" for i in range(len(y))]
    months = np.where(y == 1, 1 + np.arange(len(y)) % 22, 40.0)
    labels = pd.DataFrame({"patient_id": names, "er": y, "rfs_months": months, "rfs_event": y})
    return names, labels, pd.DataFrame({"patient_id": names, "split": "train"})


def defined(names, kind="continuous"):
    return {v: {"kind": kind, "unit": "", "levels": [], "timing": "pre"} for v in names}


def test_table_3_of_zhao_2024_follows_from_the_counts_of_its_table_1():
    """Odds ratios of dichotomised variables: a raw AFP would print as 1.00 (1.00-1.00)."""
    y = np.repeat([1, 0], [78, 54])
    names, labels, split = training(y)
    counts = read_published(ROOT / "workflow" / "published", "group_tests")
    counts = counts[counts["groups"] == "training: ER, no ER"].set_index("variable")
    columns = {}
    for variable, (row, *_) in PRINTED.items():
        low, high = SIDES[variable]
        columns[variable] = [
            value
            for group in ("first", "second")
            for times, value in zip(map(int, counts.loc[row, group].split("/")), (high, low), strict=True)
            for _ in range(times)
        ]
    clinical = pd.DataFrame(columns, index=names, dtype=float)
    own = {**ZHAO, "clinical": CUTS}
    found = fit_risk_factors(clinical, labels, split, defined(columns), own, LIMITS, 24.0, 1)
    table = found.table[(found.table["source"] == "paper") & (found.table["step"] == "univariable")]
    table = table.set_index("variable")
    for variable, (_, ratio, p) in PRINTED.items():
        row = table.loc[variable]
        assert ratio_text(row["odds_ratio"], row["low"], row["high"]) == ratio, variable
        assert row["p"] == pytest.approx(p, abs=0.0055), variable
    together = found.table[(found.table["source"] == "paper") & (found.table["step"] == "multivariable")]
    assert set(together["variable"]) == {"afp", "ast", "diameter"}
    assert table.loc["afp", "label"] == "AFP > 400" and table.loc["albumin", "label"] == "Albumin ≥ 40"


@pytest.fixture
def patients():
    generator = np.random.default_rng(5)
    y = np.tile([0, 1, 1], 50)
    names, labels, split = training(y)
    clinical = pd.DataFrame(
        {
            "ast": np.exp(generator.normal(3.5 + 0.5 * y, 0.5)),
            "afp": np.exp(generator.normal(4 + 0.8 * y, 2)),
            "age": generator.normal(55, 10, 150),
            "cirrhosis": (generator.random(150) < 0.4 + 0.15 * y).astype(float),
        },
        index=names,
    )
    clinical.iloc[::17, 0] = np.nan
    definitions = defined(clinical)
    definitions["cirrhosis"]["kind"] = "binary"
    return clinical, labels, split, definitions


def coded_and_filled(clinical):
    raw = clinical.assign(ast=(clinical["ast"] > 40).astype(float).where(clinical["ast"].notna()))
    return raw.fillna(raw.median())


def test_the_table_is_the_one_that_the_clinical_model_of_zhao_and_zhang_came_from(patients):
    clinical, labels, split, definitions = patients
    own = {**ZHAO, "clinical": {"ast": 40}}
    found = fit_risk_factors(clinical, labels, split, definitions, own, LIMITS, 24.0, 1)
    kept, table = select_clinical(coded_and_filled(clinical), labels["er"].to_numpy(), 0.05)
    shown = found.table[(found.table["source"] == "paper") & found.table["step"].isin(["univariable", "multivariable"])]
    columns = ["variable", "odds_ratio", "low", "high", "p", "step"]
    pd.testing.assert_frame_equal(shown[columns].reset_index(drop=True), table[columns], check_dtype=False)
    assert set(shown.loc[shown["kept"].eq(True), "variable"]) == set(kept)
    assert {axis.name for axis in found.logistic.axes} == {{"ast": "AST > 40"}.get(v, v.upper()) for v in kept}


def test_the_table_of_yan_is_that_of_its_clinical_nomogram(patients):
    clinical, labels, split, definitions = patients
    own = {**YAN, "clinical": {"ast": 40}}
    found = fit_risk_factors(clinical, labels, split, definitions, own, LIMITS, 24.0, 1)
    chosen, alone = select_variables(labels["er"].to_numpy(float), coded_and_filled(clinical), YAN)
    shown = found.table[found.table["source"] == "paper"]
    columns = ["variable", "odds_ratio", "low", "high", "p"]
    pd.testing.assert_frame_equal(
        shown.loc[shown["step"] == "univariable", columns].reset_index(drop=True), alone[columns]
    )
    assert list(shown.loc[shown["step"] == "multivariable", "variable"]) == chosen


def test_what_the_paper_lacks_is_marked(patients):
    clinical, labels, split, definitions = patients
    for rule, first, others in (
        (
            "univariable",
            ["Logistic, univariable"],
            "Logistic, multivariable after forward selection (not in the paper)",
        ),
        ("cox_steps", ["Cox, univariable", "Cox, multivariable"], "Logistic, univariable (not in the paper)"),
    ):
        own = {"risk_factor_model": rule, "cox_p": 0.2, "clinical": {}}
        found = fit_risk_factors(clinical, labels, split, definitions, own, LIMITS, 24.0, 1)
        headings = [heading for heading, *_ in panels_of(found.table, rule)]
        assert headings[: len(first)] == first and others in headings
        table = ratios_for_readers(panels_of(found.table, rule))
        assert list(table.loc[table["step"] != "", "step"]) == headings
        assert not table["ratio (95% CI)"].str.contains(r"1\.00 \(1\.00-1\.00\)").any()
    with pytest.raises(ValueError, match="'backward' is none of"):
        fit_risk_factors(
            clinical,
            labels,
            split,
            definitions,
            {**YAN, "risk_factor_model": "backward", "clinical": {}},
            LIMITS,
            24,
            1,
        )


def test_no_variable_is_kept_where_none_is_independent_unless_the_setting_says_so():
    """Two variables that say the same: each significant alone, neither beside the other."""
    generator = np.random.default_rng(2)
    y = np.tile([0, 1], 40)
    size = generator.normal(30 + 6 * y, 8)
    x = pd.DataFrame({"size": size, "volume": size + generator.normal(0, 0.9, 80)})
    kept, table = select_clinical(x, y, 0.05)
    together = table[table["step"] == "multivariable"]
    assert len(together) == 2 and (together["p"] > 0.05).all() and kept == []
    assert select_clinical(x, y, 0.05, "candidates")[0] == ["size", "volume"]
    with pytest.raises(ValueError, match="none_significant: 'all'"):
        select_clinical(x, y, 0.05, "all")
    names, labels, split = training(y)
    x.index = names
    for choice, words in (("no_variable", "has none"), ("candidates", "all of them are kept")):
        own = {**ZHAO, "none_significant": choice, "clinical": {}}
        found = fit_risk_factors(x, labels, split, defined(x), own, LIMITS, 24.0, 1)
        assert words in none_significant_note(found.table)


def test_the_cr_model_has_the_odds_ratios_of_its_table():
    """No ridge penalty (scikit-learn's default would draw them towards 1)."""
    generator = np.random.default_rng(4)
    y = np.tile([0, 1], 60)
    x = pd.DataFrame(
        {"ast": (generator.random(120) < 0.3 + 0.3 * y).astype(float), "age": generator.normal(55, 10, 120)}
    )
    scale = x.std(ddof=0)
    model = fit_logistic(y, (x - x.mean()) / scale)
    weights, risk = np.array(list(model.coefficients.values())), model.predict((x - x.mean()) / scale)
    assert np.exp(weights / scale.to_numpy()) == pytest.approx(logistic_table(y, x)["odds_ratio"].to_numpy(), rel=1e-5)
    assert risk.mean() == pytest.approx(y.mean(), abs=1e-8)
    nothing = fit_logistic(np.array([0, 1, 1, 1]), pd.DataFrame(index=range(4)))
    assert nothing.predict(pd.DataFrame(index=range(2))).tolist() == [0.75, 0.75]


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ((2.949, 1.10, 7.89), "2.95 (1.10-7.89)"),
        ((1.0063, 1.0042, 1.0091), "1.006 (1.004-1.009)"),
        ((1.00072, 0.99934, 1.0021), "1.001 (0.999-1.002)"),
        ((0.74, 0.35, 1.53), "0.74 (0.35-1.53)"),
        ((11392.01, 7.534, 1.7e7), "11392 (7.53-1.7e+07)"),
        ((1.61e15, 5.63e10, 4.63e19), "1.6e+15 (5.6e+10-4.6e+19)"),
        ((float("nan"),) * 3, ""),
    ],
)
def test_no_ratio_and_no_limit_is_rounded_to_1(values, text):
    assert ratio_text(*values) == text


@pytest.mark.parametrize("exact", [0.525, 3.375, 0.6125, 12.345])
def test_a_table_in_memory_and_a_figure_from_its_file_round_to_the_same(exact, tmp_path):
    """21/40 as computed lies a little below: 0.52 stood in the table, and 0.53 beside it in the figure."""
    computed = exact * (1 - 3e-13)
    write_csv(pd.DataFrame({"ratio": [computed]}), str(tmp_path / "t.csv"))
    stored = read_csv(str(tmp_path / "t.csv"))["ratio"][0]
    assert stored == exact != computed
    assert ratio_text(computed, computed, computed) == ratio_text(stored, stored, stored)
    for digits in (1, 2, 3):
        assert interval_text(computed, computed, computed, digits) == interval_text(stored, stored, stored, digits)
    both = [readable(pd.DataFrame({"ratio": [value]}), 2)["ratio"][0] for value in (computed, stored)]
    assert both[0] == both[1] == f"{exact:.2f}"
    assert p_text(0.0265 * (1 - 3e-13)) == p_text(0.0265)


def test_an_interval_beyond_the_axis_ends_in_an_arrow():
    table = pd.DataFrame(
        {
            "variable": ["score", "afp"], "label": ["DSFR", "AFP"], "hazard_ratio": [11392.0, 1.87],
            "low": [7.53, 0.63], "high": [1.7e7, 5.58], "p": [0.012, 0.261],
        }
    )  # fmt: skip
    figure = plot_ratio_forest([("Cox", "hazard_ratio", table)], "cohort")
    axis = figure.axes[0]
    # 1.7e7 and the ratio itself lie beyond 1000, where the axis ends; all other ends are shown.
    arrows = [line for line in axis.lines if line.get_marker() in (CARETLEFTBASE, CARETRIGHTBASE)]
    assert [(line.get_marker(), list(line.get_ydata())) for line in arrows] == [(CARETRIGHTBASE, [1])]
    assert unreadable(figure) == [] and "11392 (7.53-1.7e+07)  P .012" in shown_text(figure)
    # No number of the table that stands beside the figure.
    numbers = figure_numbers(figure)
    assert sorted(numbers.loc[numbers["kind"] == "point", "x"]) == [1.87, 11392.0]
