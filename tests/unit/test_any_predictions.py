"""Whatever a cohort brings (few patients, one outcome, constant, half-known scores): tables, reasons, no exception."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from any_predictions import all_figures, all_tables, broken_promises, mangled
from figure_checks import shown_text, unreadable
from figures_against_tables import (
    confusion_contradictions,
    forest_contradictions,
    optimism_contradictions,
    pair_contradictions,
    roc_contradictions,
    time_contradictions,
)

from hcc_recurrence.figures.comparison import plot_delong
from hcc_recurrence.figures.numbers import figure_numbers
from hcc_recurrence.figures.performance import plot_roc
from hcc_recurrence.figures.style import take_title
from hcc_recurrence.statistics.auc import auc_delong
from hcc_recurrence.statistics.classification import metrics_table
from hcc_recurrence.statistics.concordance import bootstrap_p, percentile_interval
from hcc_recurrence.statistics.degenerate import (
    FEW,
    NOTHING,
    NOTHING_VARIES,
    ONE_OUTCOME,
    SAME_IN_RESAMPLES,
    SAME_ORDER,
    why_no_interval,
)
from hcc_recurrence.statistics.reliability import readings_table
from hcc_recurrence.statistics.survival import harrell_c


def whole_table(seed: int = 0) -> pd.DataFrame:
    """Three models on 50 patients of each set, strict (2 repeats of 3 folds) and as published."""
    generator = np.random.default_rng(seed)
    n = 150
    y = np.tile([0, 1], n // 2)
    months = np.where(y == 1, generator.uniform(1, 24, n), generator.uniform(24.1, 60, n)).round(1)
    event = np.where(y == 1, 1, generator.integers(0, 2, n))
    split = np.repeat(["train", "validation", "external"], 50)
    parts = []
    for model in ("CR", "RCR", "RCR score"):
        for repeat in (1, 2):
            p = 1 / (1 + np.exp(-(0.8 * (2 * y - 1) + generator.normal(size=n))))
            about = {"patient_id": [f"p{i:03d}" for i in range(n)], "model": model, "split": split, "y": y}
            about |= {
                "probability": p.round(4),
                "rfs_months": months,
                "rfs_event": event,
                "repeat": repeat,
                "seed": repeat,
            }
            rows, train = pd.DataFrame(about), split == "train"
            fold = np.where(train, np.arange(n) % 3 + 1, 0)
            parts.append(rows.assign(protocol="strict", fold=fold, estimate=np.where(train, "out_of_fold", "held_out")))
            if repeat == 1:
                estimate = np.where(train, "apparent", "held_out")
                parts.append(rows.assign(protocol="as_published", fold=0, estimate=estimate))
    return pd.concat(parts, ignore_index=True)


@pytest.mark.parametrize("seed", range(7))
def test_nothing_stops_and_no_interval_pretends(seed):
    rows = mangled(whole_table(seed), np.random.default_rng(seed))
    tables = all_tables(rows)
    assert broken_promises(rows, tables) == []
    if seed % 3 == 0:
        for protocol in ("strict", "as_published"):
            assert len(all_figures(rows, tables, protocol)) == 15
            plt.close("all")


def test_a_set_of_one_outcome_has_what_can_be_printed():
    rows = whole_table()
    rows = rows[(rows["split"] != "external") | (rows["y"] == 1)]
    tables = all_tables(rows)
    assert broken_promises(rows, tables) == []
    external = {name: t[t["split"] == "external"] for name, t in tables.items() if "split" in t}
    metrics = external["metrics"].set_index(["model", "protocol"]).loc[("RCR", "as_published")]
    assert metrics["tp"] + metrics["fn"] == metrics["n"] == 25 and metrics["remark"] == ONE_OUTCOME
    # 25 patients with the outcome: Wilson's interval of the sensitivity by its formula.
    k, z = metrics["tp"], 1.959963984540054
    half = z / (25 + z**2) * np.sqrt(k * (25 - k) / 25 + z**2 / 4)
    assert metrics["sensitivity_high"] == pytest.approx((k + z**2 / 2) / (25 + z**2) + half)
    assert (external["delong"]["remark"] == ONE_OUTCOME).all() and (external["delong"]["n"] == 25).all()
    assert external["training"]["remark"].str.endswith(f"external: {ONE_OUTCOME}").all()
    assert (external["calibration"]["remark"] == ONE_OUTCOME).all()
    assert external["calibration"]["ici"].isna().all() and external["calibration"]["brier"].notna().all()
    # All recurred until the horizon: C is known, the AUC at the horizon has nobody beyond it.
    survival = external["survival"].set_index(["model", "protocol"]).loc[("RCR", "as_published")]
    own = rows[(rows["model"] == "RCR") & (rows["protocol"] == "as_published") & (rows["split"] == "external")]
    assert survival["c"] == pytest.approx(harrell_c(own["rfs_months"], own["rfs_event"], own["probability"]))
    assert np.isnan(survival["auc_t"]) and "beyond the time" in survival["remark"]
    optimism = tables["optimism"].set_index(["model", "patients"]).loc[("RCR", "external")]
    assert optimism["remark"] == ONE_OUTCOME and np.isnan(optimism["optimism"])
    for protocol in ("strict", "as_published"):
        for name, figure in all_figures(rows, tables, protocol).items():
            assert unreadable(figure) == [], name
        plt.close("all")


def test_two_models_of_which_one_is_known_in_half_are_compared_on_that_half():
    rows = whole_table()
    rows = rows[(rows["model"] != "CR") | (rows["patient_id"].str[-1].astype(int) % 2 == 0)]
    pairs = all_tables(rows)["pairs"].set_index(["protocol", "split", "measure", "model", "other"])
    found = pairs.loc[("as_published", "validation", "c", "CR", "RCR")]
    own = rows[(rows["protocol"] == "as_published") & (rows["split"] == "validation")]
    own = own[own["patient_id"].str[-1].astype(int) % 2 == 0]
    c = {m: harrell_c(part["rfs_months"], part["rfs_event"], part["probability"]) for m, part in own.groupby("model")}
    assert found["difference"] == pytest.approx(c["CR"] - c["RCR"], abs=1e-12) and found["low"] < found["high"]


def test_one_rule_everywhere():
    """The same four cohorts in every table: two models alike, every pair right, one score, four of an outcome."""
    rows = whole_table(3)
    rows.loc[rows["protocol"] == "as_published", "probability"] = rows.loc[
        rows["protocol"] == "as_published", "probability"
    ].round(2)
    # CR is the same model in both protocols on the validation patients: no optimism, and no interval of it.
    cr = (rows["model"] == "CR") & (rows["split"] == "validation")
    strict = rows[cr & (rows["protocol"] == "strict") & (rows["repeat"] == 1)].set_index("patient_id")["probability"]
    rows.loc[cr, "probability"] = strict.loc[rows.loc[cr, "patient_id"]].to_numpy()
    # RCR score ranks as CR does.
    twin = (rows["model"] == "RCR score") & (rows["split"] == "validation")
    rows.loc[twin, "probability"] = (0.5 * strict.loc[rows.loc[twin, "patient_id"]]).to_numpy()
    rows.loc[rows["model"] == "RCR score", "model"] = "CR score"
    tables = all_tables(rows)
    assert broken_promises(rows, tables) == []
    optimism = tables["optimism"].set_index(["model", "patients"]).loc[("CR", "validation")]
    assert abs(optimism["optimism"]) < 1e-12 and np.isnan(optimism["low"])
    assert optimism["remark"] == SAME_IN_RESAMPLES
    delong = tables["delong"]
    alike = delong[(delong["split"] == "validation") & (delong["family"] == "CR")]
    assert (alike["remark"] == SAME_ORDER).all() and (alike["difference"] == 0).all()
    assert alike[["low", "high", "z", "p", "p_holm"]].isna().all(axis=None)
    pairs = tables["pairs"]
    alike = pairs[(pairs["split"] == "validation") & (pairs["model"] == "CR") & (pairs["other"] == "CR score")]
    assert (alike["remark"] == SAME_IN_RESAMPLES).all() and alike[["low", "p"]].isna().all(axis=None)


def test_the_rule_itself():
    assert why_no_interval((5, 5), 0.01) == ""
    assert why_no_interval((0, 9), 0.01, "silent") == ONE_OUTCOME
    assert why_no_interval((4, 9), 0.01) == FEW and why_no_interval((4, 9), 0.01, NOTHING) == NOTHING
    assert why_no_interval((9, 9), 1e-20) == why_no_interval((9, 9), np.nan) == NOTHING_VARIES
    assert why_no_interval((9, 9), 1e-20, same=SAME_ORDER) == SAME_ORDER
    # The bootstrap's rounding, and resamples of which most have no value.
    assert np.isnan(percentile_interval(1e-16 * np.arange(100))).all() and np.isnan(bootstrap_p(np.zeros(100)))
    sparse = np.r_[np.full(60, np.nan), np.arange(40.0)]
    assert np.isnan(percentile_interval(sparse)).all()
    assert percentile_interval(np.arange(101.0)) == (2.5, 97.5)
    perfect = auc_delong(np.repeat([0, 1], 8), np.arange(16.0))
    assert perfect.auc == 1 and np.isnan(perfect.low) and perfect.why == NOTHING_VARIES


def test_readers_who_agree_in_everything_have_no_interval():
    same = pd.DataFrame({"first": [0, 1] * 8, "again": [0, 1] * 8})
    few = pd.DataFrame({"first": [0, 1, 1, 0], "again": [0, 1, 0, 0]})
    table = readings_table({"a": same, "b": few}, {"a": "binary", "b": "binary"}).set_index("variable")
    assert table.loc["a", "value"] == 1 and table.loc["a", "remark"] == "nothing varies"
    # Hand: 3 of 4 agree, by chance (1/2 x 1/4 + 1/2 x 3/4) = 1/2: kappa 1/2.
    assert table.loc["b", "value"] == pytest.approx(0.5) and table.loc["b", "remark"] == "fewer than 10 patients"
    assert table[["low", "high"]].isna().all(axis=None)


def four_panels():
    """A published fit with a cross-validation of its own, as Zhang 2025's, and the names of its models."""
    names = {"CR": "Combined_preoperative", "RCR": "DL_2.5D_without_radiomics"}
    rows = whole_table()
    rows = rows[rows["model"].isin(names) & (rows["protocol"] == "as_published")].replace({"model": names})
    # The second model is known in no patient of that panel, and tells nobody apart in the validation set.
    crossed = rows[(rows["split"] == "train") & (rows["model"] == names["CR"])].assign(estimate="cross_validated")
    rows.loc[(rows["split"] == "validation") & (rows["model"] == names["RCR"]), "probability"] = 0.4
    return pd.concat([rows, crossed], ignore_index=True), [*names.values()]


def test_four_panels_can_be_read():
    rows, names = four_panels()
    metrics = metrics_table(rows)
    kinds = ("roc", "decision curve", "confusion", "waterfall", "kaplan meier", "aucs")
    figures = all_figures(rows, {"metrics": metrics}, "as_published", kinds)
    figures["variants"] = plot_roc(rows, metrics, "as_published", None, names, variants=True, unit="images")
    assert figures["variants"].axes[0].get_title() == "Training, cross-validated (n = 50 images, 25 ER)"
    for name, figure in figures.items():
        take_title(figure, keep=False)
        assert unreadable(figure) == [], name
        drawn = [axis.get_window_extent() for axis in figure.axes if axis.get_title() and axis.axison]
        assert len(drawn) >= 4, name
        # Inches: a panel that text has crowded out shows nothing.
        assert min(min(box.width, box.height) / figure.dpi for box in drawn) > 0.5, name
    plt.close("all")


def test_models_of_one_colour_differ_by_their_dashes():
    rows = whole_table()
    rows = rows[rows["model"] != "RCR score"].replace({"model": {"CR": "zhao2024:DL", "RCR": "zhang2025:Combined"}})
    models = sorted(rows["model"].unique())
    kinds = ("roc", "calibration", "decision curve", "survival calibration", "survival decision curve", "time auc")
    for name, figure in all_figures(rows, all_tables(rows), "strict", kinds).items():
        styles = {}
        for line in figure.axes[0].lines:
            model = next((m for m in models if str(line.get_label()).startswith(m)), None)
            if model:
                styles[model] = (line.get_color(), line._unscaled_dash_pattern)
        assert set(styles) == set(models), name
        assert styles[models[0]][0] == styles[models[1]][0], "both have the colour of the paper's model"
        assert styles[models[0]] != styles[models[1]], name
    plt.close("all")


def test_a_difference_of_aucs_is_row_minus_column_in_whatever_order_its_models_came():
    pair = {"protocol": "strict", "split": "validation", "estimate": "held_out", "p_holm": 0.2}
    for model, other, difference in (("A", "B", -0.25), ("B", "A", 0.25)):
        pairs = pd.DataFrame([pair | {"model": model, "other": other, "difference": difference}])
        # B stands in the row: its AUC is 0.25 larger.
        assert "+0.25" in shown_text(plot_delong(pairs, "strict"))
    untested = pd.DataFrame([pair | {"model": "A", "other": "B", "difference": 0.1, "p_holm": np.nan}])
    assert [text.get_text() for text in plot_delong(untested, "strict").axes[0].texts] == ["-"]
    plt.close("all")


COMPARED = ("roc", "aucs", "confusion", "delong", "time auc", "optimism")


def figures_numbers(rows, tables, protocol):
    """What is in the CSV of each figure that is compared with a table."""
    drawn = all_figures(rows, tables, protocol, COMPARED)
    numbers = {name: figure_numbers(figure) for name, figure in drawn.items()}
    plt.close("all")
    return numbers


def test_a_figures_numbers_are_those_of_the_tables():
    """Read from the drawing, and compared with the tables, of a cohort whole and of one mangled."""
    for seed in (0, 5):
        rows = whole_table(seed)
        rows = mangled(rows, np.random.default_rng(seed)) if seed else rows
        tables = all_tables(rows)
        for protocol in ("strict", "as_published"):
            numbers = figures_numbers(rows, tables, protocol)
            found = roc_contradictions(numbers["roc"], tables["metrics"], protocol)
            found += forest_contradictions(numbers["aucs"], tables["metrics"], protocol)
            found += confusion_contradictions(numbers["confusion"], tables["metrics"], protocol)
            found += pair_contradictions(numbers["delong"], tables["delong"], protocol)
            found += time_contradictions(numbers["time auc"], tables["time_auc"], protocol, 24.0)
            found += optimism_contradictions(numbers["optimism"], tables["optimism"])
            assert found == []
        if not seed:
            # And what is not the table's is found.
            metrics = tables["metrics"].assign(auc=tables["metrics"]["auc"] + 0.01, tp=tables["metrics"]["tp"] + 1)
            assert roc_contradictions(numbers["roc"], metrics, protocol)
            assert forest_contradictions(numbers["aucs"], metrics, protocol)
            assert confusion_contradictions(numbers["confusion"], metrics, protocol)
            turned = tables["delong"].assign(difference=-tables["delong"]["difference"])
            assert pair_contradictions(numbers["delong"], turned, protocol)
            assert time_contradictions(numbers["time auc"], tables["time_auc"].assign(auc=0.5), protocol, 24.0)
            assert optimism_contradictions(numbers["optimism"], tables["optimism"].assign(strict=0.5))
