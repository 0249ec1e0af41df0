"""The figures that every predictions table gets: readable, and true to the tables."""

from __future__ import annotations

import itertools

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from figure_checks import shown_text, unreadable

from hcc_recurrence.figures.activation import plot_activation
from hcc_recurrence.figures.classification import plot_confusion, plot_waterfall
from hcc_recurrence.figures.comparison import plot_agreement, plot_aucs, plot_delong, plot_seeds
from hcc_recurrence.figures.flow_chart import flow_counts, kind_of_reason, plot_flow_chart
from hcc_recurrence.figures.forest import plot_optimism
from hcc_recurrence.figures.heatmap import pair_matrix, plot_heat_maps
from hcc_recurrence.figures.nomogram import plot_nomogram
from hcc_recurrence.figures.null_control import plot_null_control
from hcc_recurrence.figures.numbers import figure_numbers
from hcc_recurrence.figures.p_values import p_text
from hcc_recurrence.figures.performance import plot_calibration, plot_decision_curve, plot_roc
from hcc_recurrence.figures.registration import plot_registration
from hcc_recurrence.figures.risk_factors import plot_corrected_calibration, plot_forests
from hcc_recurrence.figures.style import COLOURS, model_colours
from hcc_recurrence.figures.survival import plot_kaplan_meier
from hcc_recurrence.figures.training import plot_training
from hcc_recurrence.learning.predictions import main_models
from hcc_recurrence.learning.risk_factors import fit_risk_factors
from hcc_recurrence.statistics.baseline import baseline_table
from hcc_recurrence.statistics.classification import metrics_table
from hcc_recurrence.statistics.comparisons import agreement_table, auc_by_seed, delong_pairs, optimism_table
from hcc_recurrence.statistics.measures import survival_tables
from hcc_recurrence.statistics.nomogram import Axis, NomogramModel


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def predictions():
    """Three models in both protocols on 60 training, 30 validation and 30 external patients; 2 repeats of 3 folds."""
    generator = np.random.default_rng(1)
    n = 120
    y = np.tile([0, 1], n // 2)
    z = y + generator.normal(size=n)
    split = np.repeat(["train", "validation", "external"], [60, 30, 30])
    months = np.where(y == 1, generator.uniform(2, 23, n), generator.uniform(25, 70, n)).round(1)
    event = np.where(y == 1, 1, generator.integers(0, 2, n))
    rows = []
    for model, noise in (("CR", 2.0), ("RCR", 0.5), ("Radiomics", 0.8), ("Radiomics LR", 0.8)):
        for seed in (6, 7):
            p = (1 / (1 + np.exp(-(z - 0.5 + noise * generator.normal(size=n))))).round(3)
            for i in range(n):
                about = {
                    "patient_id": f"p{i:03d}",
                    "model": model,
                    "split": split[i],
                    "repeat": seed - 5,
                    "seed": seed,
                    "y": y[i],
                    "probability": p[i],
                    "rfs_months": months[i],
                    "rfs_event": event[i],
                }
                train = split[i] == "train"
                strict = {"estimate": "out_of_fold" if train else "held_out", "fold": i // 2 % 3 + 1 if train else 0}
                rows.append({**about, "protocol": "strict", **strict})
                if seed == 6:
                    better = float(np.clip(p[i] + (0.2 if y[i] else -0.2) * train, 0, 1))
                    published = {"estimate": "apparent" if train else "held_out", "fold": 0, "probability": better}
                    rows.append({**about, "protocol": "as_published", **published})
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def metrics(predictions):
    return metrics_table(predictions)


@pytest.mark.parametrize("protocol", ["strict", "as_published"])
def test_every_figure_of_a_study_is_readable(predictions, metrics, protocol):
    models = main_models(predictions, ["CR", "RCR", "Radiomics"])
    everything = sorted(predictions["model"].unique())
    figures = {
        "roc": plot_roc(predictions, metrics, protocol, 0.9, everything),
        "calibration": plot_calibration(predictions, protocol, models, 30, 1),
        "decision curve": plot_decision_curve(predictions, protocol, models),
        "confusion": plot_confusion(predictions, protocol, models),
        "waterfall": plot_waterfall(predictions, protocol, models),
        "kaplan meier": plot_kaplan_meier(predictions, protocol, models),
        "aucs": plot_aucs(metrics.assign(published=0.8), protocol, "cohort (simulated)", 0.9),
        "delong": plot_delong(delong_pairs(predictions, everything), protocol),
        "agreement": plot_agreement(agreement_table(predictions, everything), protocol),
        "optimism": plot_optimism(optimism_table(predictions, 50, 1), "Optimism on a cohort"),
        "seeds": plot_seeds(auc_by_seed(predictions), "cohort"),
    }
    for name, figure in figures.items():
        assert unreadable(figure) == [], name
        for axis in figure.axes:
            if axis.axison and axis.get_label() != "<colorbar>" and name not in ("delong", "agreement", "kaplan meier"):
                assert axis.get_xlabel() and axis.get_title(), name


def test_bars_of_risks_that_hardly_differ_are_seen(predictions):
    """A network that says 0.50 to 0.51 of everyone had a waterfall without bars; others keep the axis of all."""
    near = predictions.assign(probability=0.5 + 0.01 * predictions["probability"])
    for rows, reach in ((predictions, 1.0), (near, 0.05)):
        axis = plot_waterfall(rows, "strict", ["RCR"]).axes[0]
        tallest = max(abs(bar.get_height()) for bar in axis.patches)
        assert axis.get_ylim()[1] <= reach and tallest > (0.3 if reach < 1 else 0.05) * axis.get_ylim()[1]


def test_confusion_and_survival_figures_say_what_the_tables_say(predictions, metrics):
    row = metrics.set_index(["model", "protocol", "split"]).loc[("RCR", "strict", "validation")]
    text = shown_text(plot_confusion(predictions, "strict", ["RCR"]))
    for name in ("tp", "fn", "tn", "fp"):
        assert f"{name.upper()} {row[name]:.1f}\n" in text
    table, _ = survival_tables(predictions, ["RCR"], 24, 20, 1)
    line = table.set_index(["protocol", "split"]).loc[("strict", "validation")]
    figure = plot_kaplan_meier(predictions, "strict", ["RCR"])
    # The dotted line of the horizon is no result: it stands in no row of the figure's numbers.
    assert set(figure_numbers(figure)["kind"]) <= {"line", "band", "text"}
    text = shown_text(figure)
    assert f"log-rank P {p_text(line['log_rank_p'])}" in text
    assert f"high risk, n = {line['n_high']}" in text and f"low risk, n = {line['n_low']}" in text


def test_no_word_of_a_survival_panel_touches_a_curve_where_groups_are_small(predictions):
    """Both groups of fewer than five: the longest legend there is, in one column and in three."""
    few = predictions.groupby(["model", "protocol", "split", "repeat"], group_keys=False).head(8)
    for models in (["CR"], ["CR", "RCR"]):
        figure = plot_kaplan_meier(few, "strict", models)
        figure.canvas.draw()
        said = 0
        for axis in figure.axes:
            if legend := axis.get_legend():
                words = [text for text in legend.get_texts() if text.get_text().strip()]
                said += sum("no curve of fewer than 5" in text.get_text() for text in words)
                lowest = min(text.get_window_extent().y0 for text in words)
                assert lowest > axis.transData.transform((0, 1.0))[1] + 3
        assert said >= 2


def _lab(rgb):
    """CIELAB (D65) of linear sRGB."""
    to_xyz = np.array(
        [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]]
    )
    ratio = np.clip(to_xyz @ rgb, 0, None) / to_xyz.sum(axis=1)
    x, y, z = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_every_colour_is_seen_on_white_and_told_from_the_others_by_colour_blind_readers():
    """Contrast as WCAG 2 defines it; red- and green-blind sight by Machado, Oliveira and Fernandes 2009, severity 1."""
    blind = {
        "none": np.eye(3),
        "protanopia": np.array(
            [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
        ),
        "deuteranopia": np.array(
            [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]]
        ),
    }
    coded = np.array([[int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)] for c in COLOURS])
    linear = np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)
    contrast = 1.05 / (linear @ [0.2126, 0.7152, 0.0722] + 0.05)
    assert contrast.min() > 2.3
    for name, matrix in blind.items():
        places = [_lab(np.clip(matrix @ colour, 0, 1)) for colour in linear]
        nearest = min(np.linalg.norm(a - b) for a, b in itertools.combinations(places, 2))
        assert nearest > 10, name
    signatures = model_colours(["Clinical", "DL_2.5D", "DL_3D", "Combined"])
    assert len(set(signatures.values())) == 4
    for name, matrix in blind.items():
        own = [_lab(np.clip(matrix @ linear[COLOURS.index(c)], 0, 1)) for c in signatures.values()]
        assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(own, 2)) > 20, name


def test_a_model_has_one_colour_everywhere():
    study = model_colours(["CR", "RCR", "Radiomics", "Radiomics LR"])
    comparison = model_colours(["zhao2024:CR", "zhao2024:RCR", "Volume", "BCLC", "NLR", "ALBI"])
    assert comparison["zhao2024:RCR"] == study["RCR"] and comparison["zhao2024:CR"] == study["CR"]
    assert len(set(comparison.values())) == 6 and set(comparison.values()) <= set(COLOURS)
    assert len(set(study.values())) == 4


# A hand case: b = 2 over 0 to 1 (2 units), b = -0.1 over 10 to 50 (4 units, so 100 points).
HAND = NomogramModel("logistic", (Axis("invasion", 2.0, 0, 1, ("no", "yes")), Axis("ast", -0.1, 10, 50)), -1.0)


def test_nomogram_points_of_a_hand_case():
    invasion, ast = HAND.axes
    assert [HAND.points(ast, v) for v in (50, 30, 10)] == pytest.approx([0, 50, 100])
    assert HAND.points(invasion, 1) == pytest.approx(50)
    patient = {"invasion": 1, "ast": 10}
    assert HAND.total_points(patient) == pytest.approx(150)
    # -1 + 2 - 1 = 0
    assert HAND.linear_predictor(patient) == pytest.approx(0) and HAND.risk(patient) == pytest.approx(0.5)
    for case in (patient, {"invasion": 0, "ast": 50}, {"invasion": 1, "ast": 22.5}):
        assert HAND.risk_of_points(HAND.total_points(case)) == pytest.approx(HAND.risk(case))
        assert HAND.points_of_risk(HAND.risk(case)) == pytest.approx(HAND.total_points(case))
    assert NomogramModel.from_dict(HAND.to_dict()) == HAND


def test_cox_nomogram_is_one_less_survival_to_the_power_of_the_hazard():
    model = NomogramModel("cox", (Axis("GGT", 0.006, 10, 300), Axis("AFP", 0.858, 0, 1)), 0.9, 0.6)
    patient = {"GGT": 50, "AFP": 1}
    assert model.risk(patient) == pytest.approx(1 - 0.6 ** np.exp(0.3 + 0.858 - 0.9))
    assert model.risk_of_points(model.total_points(patient)) == pytest.approx(model.risk(patient))
    assert model.points_of_risk(model.risk(patient)) == pytest.approx(model.total_points(patient))


def test_a_nomogram_is_drawn_with_its_worked_patient():
    figure = plot_nomogram(HAND, "Nomogram", {"invasion": 1, "ast": 10}, "P007")
    text = shown_text(figure)
    assert "Worked patient P007: invasion yes, ast 10; 150 points, risk 0.50" in text
    assert "Total points" in text and unreadable(figure) == []
    assert "No variable was selected" in shown_text(plot_nomogram(None, "Nomogram"))


def risk_factor_inputs(n=120, separated=False):
    generator = np.random.default_rng(3)
    z = generator.normal(size=n)
    patients = [f"p{i:03d}" for i in range(n)]
    y = (z + generator.normal(size=n) > 0).astype(int)
    labels = pd.DataFrame(
        {
            "patient_id": patients,
            "centre": "A",
            "er": y,
            "rfs_months": np.where(y == 1, generator.uniform(1, 23, n), 40.0),
            "rfs_event": y,
            "excluded_because": "",
        }
    )
    split = pd.DataFrame({"patient_id": patients, "split": ["train"] * 90 + ["validation"] * 30})
    clinical = pd.DataFrame(
        {"size": 30 + 8 * z, "noise": generator.normal(size=n), "same": 1.0, "flag": (z > 0.3).astype(float)},
        index=patients,
    )
    if separated:
        clinical["marker"] = labels["er"].to_numpy().astype(float)
    clinical.iloc[[0, 5], 0] = np.nan
    definitions = {
        c: {
            "kind": "binary" if c in ("flag", "marker") else "continuous",
            "unit": "mm" if c == "size" else "",
            "levels": [],
            "timing": "pre",
        }
        for c in clinical
    }
    own = {"clinical": {}, "risk_factor_model": "forward", "clinical_p": 0.05, "entry_p": 0.05, "removal_p": 0.1}
    settings = {"univariable_p": 0.05, "entry_p": 0.05, "removal_p": 0.1, "cox_univariable_p": 0.2, "resamples": 20}
    return clinical, labels, split, definitions, own, settings


def test_risk_factors_find_the_true_one_and_draw_both_nomograms():
    found = fit_risk_factors(*risk_factor_inputs(), 24.0, 1)
    table = found.table.set_index(["analysis", "step", "variable"])
    assert set(found.table["source"]) == {"paper", "additional"}
    assert "same" not in table.index.get_level_values("variable")
    assert table.loc[("logistic", "multivariable", "size"), "p"] < 0.01
    assert ("logistic", "multivariable", "noise") not in table.index
    assert found.logistic and "Size, mm" in [a.name for a in found.logistic.axes]
    assert found.cox and found.worked_patient.startswith("p")
    # The model's risks are those of the fitted regression: their mean is the observed share.
    clinical, labels, split, *_ = risk_factor_inputs()
    train = split.loc[split["split"] == "train", "patient_id"]
    filled = clinical.loc[train].fillna(clinical.loc[train].median())
    filled = filled.rename(columns={"size": "Size, mm", "flag": "Flag", "noise": "Noise"})
    risks = [found.logistic.risk(row) for row in filled.to_dict("records")]
    assert np.mean(risks) == pytest.approx(labels.set_index("patient_id").loc[train, "er"].mean(), abs=1e-6)
    for figure in (
        plot_forests(found.table, "forward", "cohort"),
        plot_nomogram(found.logistic, "Logistic nomogram", found.worked_values, found.worked_patient),
        plot_nomogram(found.cox, "Cox nomogram", found.worked_values, found.worked_patient),
        plot_corrected_calibration(found.calibration, found.optimism.to_dict("records"), "cohort"),
    ):
        assert unreadable(figure) == []


def test_validation_patients_have_no_say_in_the_risk_factors():
    clinical, labels, split, definitions, own, settings = risk_factor_inputs()
    first = fit_risk_factors(clinical, labels, split, definitions, own, settings, 24.0, 1)
    outside = split.loc[split["split"] == "validation", "patient_id"]
    clinical.loc[outside, "size"] += 500
    labels.loc[labels["patient_id"].isin(outside), "er"] = 1 - labels["er"]
    again = fit_risk_factors(clinical, labels, split, definitions, own, settings, 24.0, 1)
    pd.testing.assert_frame_equal(first.table, again.table)


def test_separation_is_named_and_not_hidden():
    found = fit_risk_factors(*risk_factor_inputs(separated=True), 24.0, 1)
    marker = found.table[(found.table["variable"] == "marker") & (found.table["analysis"] == "logistic")].iloc[0]
    assert marker["method"] == "Firth" and marker["low"] > 1
    figure = plot_forests(found.table, "forward", "cohort")
    assert "Firth" in shown_text(figure)
    cox = found.table[(found.table["variable"] == "marker") & (found.table["analysis"] == "cox")].iloc[0]
    assert np.isnan(cox["hazard_ratio"])
    assert "no estimate" in shown_text(plot_forests(found.table.assign(source="paper"), "cox_steps", "cohort"))


def test_nothing_selected_is_said_in_every_figure():
    clinical, labels, split, definitions, own, settings = risk_factor_inputs()
    settings["cox_univariable_p"] = 0.01
    found = fit_risk_factors(clinical[["noise"]], labels, split, definitions, own, settings, 24.0, 1)
    assert found.logistic is None and found.cox is None
    assert "No variable was selected" in shown_text(plot_forests(found.table, "forward", "cohort"))
    figure = plot_corrected_calibration(found.calibration, found.optimism.to_dict("records"), "cohort")
    assert "No variable was selected" in shown_text(figure)


def test_a_cohort_without_clinical_variables_has_empty_tables():
    clinical, labels, split, _, own, settings = risk_factor_inputs()
    found = fit_risk_factors(clinical[[]], labels, split, {}, own, settings, 24.0, 1)
    assert found.table.empty and found.logistic is None and found.cox is None
    assert baseline_table(clinical[[]], labels, split, {}, {}).empty
    assert "No variable was selected" in shown_text(plot_forests(found.table, "forward", "cohort"))


def test_figures_of_a_study_without_validation_patients(predictions, metrics):
    own = predictions[predictions["split"] == "train"]
    numbers = metrics[metrics["split"] == "train"]
    for figure in (
        plot_kaplan_meier(own, "strict", ["CR", "RCR"]),
        plot_confusion(own, "strict", ["CR", "RCR"]),
        plot_waterfall(own, "strict", ["CR", "RCR"]),
        plot_aucs(numbers.assign(published=np.nan), "strict", "cohort", None),
        plot_optimism(optimism_table(own, 20, 1), "cohort"),
    ):
        assert unreadable(figure) == []


def test_reasons_of_one_kind_are_one_line_of_the_flow_chart():
    kinds = {
        "slices are not evenly spaced (2 mm expected, found 4 mm between 1 and 5 mm): a slice is probably missing": (
            "slices are not evenly spaced: a slice is probably missing"
        ),
        "column ast_u_l: 'n/a' is not a number": "column ast_u_l: a cell is not a number",
        "has no voxel of value 7; it has 1, 2": "has no voxel of value 7",
        "lies on another grid than the image (another phase): mask 3 x 4 x 5 voxels; image 3 x 4 x 6": (
            "lies on another grid than the image"
        ),
        "is the same as a file of patient P-1, P2": "is the same as a file of another patient",
        "has no portal series": "has no portal series",
    }
    assert {reason: kind_of_reason(reason) for reason in kinds} == kinds


def test_flow_chart_counts_everyone_once():
    labels = pd.DataFrame(
        {
            "patient_id": list("abcdefgh"),
            "er": [1, 0, 1, 0, np.nan, np.nan, 1, 0],
            "excluded_because": [""] * 4
            + ["recurrence-free but followed for less than 730 days"] * 2
            + ["portal: no mask"] * 2,
        }
    )
    split = pd.DataFrame({"patient_id": list("abcd"), "split": ["train", "train", "validation", "external"]})
    reasons, parts = flow_counts(labels, split)
    assert dict(reasons) == {"portal: no mask": 2, "recurrence-free but followed for less than 730 days": 2}
    assert parts == {"train": (2, 1), "validation": (1, 1), "external": (1, 0)}
    figure = plot_flow_chart(labels, split, "cohort")
    text = shown_text(figure)
    assert "Left out, n = 4" in text and "n = 8" in text and "ER 2 (50%)" in text and unreadable(figure) == []


@pytest.mark.parametrize("sets", [["train"], ["train", "external"], ["train", "validation", "external"]])
def test_no_box_of_a_flow_chart_covers_another_and_lines_end_at_the_edges_of_boxes(sets):
    """With twenty reasons to leave patients out, and patients who train the segmentation network."""
    reasons = [f"reason {chr(97 + n)} that is rather long and says what is wrong with this series" for n in range(20)]
    labels = pd.DataFrame({"patient_id": range(30), "er": [1, 0] * 15, "excluded_because": reasons + [""] * 10})
    split = pd.DataFrame({"patient_id": range(20, 26), "split": (sets * 6)[:6]})
    figure = plot_flow_chart(labels, split, "cohort")
    figure.draw_without_rendering()
    texts = [text for text in figure.axes[0].texts if text.get_text()]
    boxes = [text.get_bbox_patch().get_window_extent() for text in texts]
    assert len(boxes) == 4 + len(sets)
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))
    heads = [text.arrow_patch for text in figure.axes[0].texts if not text.get_text()]
    heads = [patch for patch in heads if patch.get_arrowstyle().__class__.__name__ == "CurveFilledB"]
    assert len(heads) == 3 + len(sets)
    for patch in heads:
        x, y = patch.get_transform().transform(patch.get_path().vertices[:3])[-1]
        # To one pixel, and to the middle of a side: no head touches a corner.
        near = [box for box in boxes if box.x0 - 2 <= x <= box.x1 + 2 and box.y0 - 2 <= y <= box.y1 + 2]
        assert any(min(abs(x - (b.x0 + b.x1) / 2), abs(y - (b.y0 + b.y1) / 2)) < 2 for b in near), (x, y)


def test_heat_map_of_classifiers_and_selectors():
    """The grid of Yan 2023: 5 classifiers by 3 selectors, with intervals in the cells."""
    matrix = pd.DataFrame(
        np.linspace(0.5, 0.9, 15).reshape(5, 3),
        index=["RF", "SVM", "LASSO", "AdaBoost", "GP"],
        columns=["F", "RFE", "Relief"],
    )
    detail = matrix.map(lambda v: f"({v - 0.1:.2f}-{v + 0.1:.2f})")
    panels = [(phase, matrix) for phase in ("arterial", "portal", "hepatobiliary")]
    figure = plot_heat_maps(panels, "AUC by classifier and selector", "AUC", (0.4, 1.0), detail=[detail] * 3)
    text = shown_text(figure)
    assert "0.90\n(0.80-1.00)" in text and "AdaBoost" in text and unreadable(figure) == []
    pairs = pd.DataFrame({"model": ["a", "a", "b"], "other": ["b", "c", "c"], "p": [0.1, 0.2, 0.3]})
    lower = pair_matrix(pairs, "p", ["a", "b", "c"])
    assert lower.loc["c", "b"] == 0.3 and np.isnan(lower.loc["b", "b"])


def test_null_control_figure():
    generator = np.random.default_rng(0)
    rows = [
        {"model": m, "protocol": p, "split": s, "estimate": e, "permutation": k, "auc": generator.normal(0.5, 0.05)}
        for m in ("CR", "RCR", "Radiomics LR")
        for p, s, e in (("strict", "train", "out_of_fold"), ("as_published", "train", "apparent"))
        for k in range(1, 21)
    ]
    aucs = pd.DataFrame(rows)
    keys = ["model", "protocol", "split", "estimate"]
    observed = aucs[keys].drop_duplicates().assign(observed=[0.61, 0.95, 0.62, 0.96, 0.63, float("nan")])
    figure = plot_null_control(aucs, observed, ["CR", "RCR", "Radiomics LR"], "cohort")
    assert "20 permuted outcomes" in shown_text(figure) and unreadable(figure) == []
    # A mark of each model's AUC of the real outcomes, in its row (the first model on top), and a word for it.
    lines = [[line for line in axis.lines if line.get_marker() == "v"] for axis in figure.axes]
    marks = [{round(float(line.get_ydata()[0])): float(line.get_xdata()[0]) for line in own} for own in lines]
    assert marks[0] == {2: 0.61, 1: 0.62, 0: 0.63}
    assert marks[1][2] == 0.95 and marks[1][1] == 0.96 and np.isnan(marks[1][0])
    assert [text.get_text() for text in figure.legends[0].get_texts()][-1] == "real outcomes"


def test_p_values_as_journals_print_them():
    # As AMA has it: rounded to .050 it would not seem significant beside an interval without 1.
    assert [p_text(p) for p in (0.0494, 0.0497, 0.04996, 0.05, 0.0502)] == [".049", ".0497", ".04996", ".050", ".050"]
    assert [p_text(p) for p in (0.0004, 0.0123, 0.5, 1.0, float("nan"))] == ["<.001", ".012", ".500", ">.99", ""]


def test_the_check_of_figures_finds_cut_and_overlapping_text():
    figure, axis = plt.subplots()
    axis.text(0.5, 0.5, "first text")
    axis.text(0.51, 0.5, "second text")
    figure.text(0.9, 0.01, "a text that leaves the figure at its right side")
    assert {p.split(":")[0] for p in unreadable(figure)} == {"cut", "overlap"}


def test_score_cam_shows_every_phase_with_and_without_its_map():
    generator = np.random.default_rng(0)
    images = generator.uniform(size=(4, 3, 24, 24))
    masks = np.zeros((4, 24, 24), np.uint8)
    masks[:, 4:20, 6:18] = 1
    maps = [[generator.uniform(size=(24, 24)) for _ in range(3)] for _ in range(4)]
    patients = pd.DataFrame(
        {
            "patient_id": ["MR001", "MR002", "MR003", "MR004"],
            "er": [1, 0, 1, 0],
            "probability": [0.912, 0.08, 0.1, 0.95],
            "kind": [f"{w}, predicted {r}" for r in ("right", "wrong") for w in ("recurrence", "no recurrence")],
        }
    )
    phases = ["arterial", "portal", "delayed"]
    figure = plot_activation(patients, images, masks, maps, phases, "a title (simulated)")
    assert unreadable(figure) == []
    text = shown_text(figure)
    assert "risk 0.91" in text and "delayed" in text and "with map" in text and "predicted wrong" in text
    panels = [a for a in figure.axes if a.images]
    assert len(panels) == 24 and sum(len(a.images) == 2 for a in panels) == 12
    # Two columns of a journal; a phase alone has one, in which its images are as large.
    assert figure.get_figwidth() * 25.4 == pytest.approx(180)
    # A map without a response says so: a dark image alone looks like one that was not drawn.
    assert "0 everywhere" not in text
    empty = [
        [np.zeros((24, 24)) if (row, place) == (1, 2) else m for place, m in enumerate(own)]
        for row, own in enumerate(maps)
    ]
    dark = plot_activation(patients, images, masks, empty, phases, "a title (simulated)")
    assert unreadable(dark) == [] and shown_text(dark).count("0 everywhere") == 1
    alone = plot_activation(patients, images[:, :1], masks, [m[:1] for m in maps], phases[:1], "a title (simulated)")
    assert alone.get_figwidth() * 25.4 == pytest.approx(85) and unreadable(alone) == []
    widths = [
        next(a for a in drawn.axes if a.images).get_window_extent().width / drawn.dpi * 25.4
        for drawn in (figure, alone)
    ]
    assert min(widths) > 20 and widths[1] == pytest.approx(widths[0], rel=0.15)


def test_training_shows_every_fit_and_the_epoch_that_was_kept():
    rows = [
        {"model": m, "fit": f"strict.1.{f}", "epoch": e, "fitted_loss": 0.8 / e, "inner_loss": 0.7, "best": 4}
        for m in ("ResNet-10", "ResNet-18", "ResNet-34")
        for f in range(6)
        for e in range(1, 11)
    ]
    figure = plot_training(pd.DataFrame(rows), "a title (simulated)")
    assert unreadable(figure) == []
    assert shown_text(figure).count("6 fits, kept epoch 4") == 3
    assert len(figure.axes[0].lines) == 2 * (6 + 1)


def test_registration_shows_failed_ones_apart():
    table = pd.DataFrame(
        {
            "phase": ["delayed", "portal"] * 6,
            "shift_mm": np.linspace(0.5, 6, 12),
            "angle_deg": np.linspace(0.1, 2, 12),
            "dice_before": np.linspace(0.4, 0.95, 12),
            "dice_after": np.linspace(0.8, 0.9, 12),
            "failed": ["", "the tumour masks overlap less", *[""] * 10],
        }
    )
    figure = plot_registration(table, "a title (simulated)")
    assert unreadable(figure) == []
    assert "portal: 1 failed, not used" in shown_text(figure) and "delayed: 6 registered" in shown_text(figure)


def test_curves_of_one_colour_have_other_dashes_also_where_they_are_variants(predictions, metrics):
    """Two names whose colours are the same, as those of two papers' variants may be."""
    names = ["CR", "RCR"]
    other = {"CR": "a:CR", "RCR": "b:CR"}
    renamed, numbers = (t[t["model"].isin(names)].replace({"model": other}) for t in (predictions, metrics))
    figure = plot_roc(renamed, numbers, "strict", None, list(other.values()), variants=True)
    curves = [line for line in figure.axes[0].lines if line.get_label().startswith(("a:CR", "b:CR"))]
    assert len(curves) == 2 and curves[0].get_color() == curves[1].get_color()
    assert curves[0].is_dashed() and curves[1].is_dashed()
    assert curves[0]._dash_pattern != curves[1]._dash_pattern


def test_cells_too_small_for_two_numbers_have_one():
    names = [f"zhao2024:model {i}" for i in range(20)]
    large = pd.DataFrame(0.5, index=names, columns=names)
    figure = plot_heat_maps([("Validation", large)], "t", "P", (0, 1), detail=[large.map("{:+.2f}".format)])
    assert unreadable(figure) == []
    assert {t.get_text() for t in figure.axes[0].texts} == {"0.50"}
    few = large.iloc[:4, :4]
    figure = plot_heat_maps([("Validation", few)], "t", "P", (0, 1), detail=[few.map("{:+.2f}".format)])
    assert {t.get_text() for t in figure.axes[0].texts} == {"0.50\n+0.50"}
