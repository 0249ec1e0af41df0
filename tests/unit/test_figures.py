"""Figures say what the tables say."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from hcc_recurrence.figures.coefficients import plot_coefficients, readable_feature
from hcc_recurrence.figures.performance import (
    mean_roc,
    plot_calibration,
    plot_decision_curve,
    plot_roc,
)
from hcc_recurrence.figures.survival import plot_survival_decision_curve
from hcc_recurrence.learning.predictions import main_models
from hcc_recurrence.statistics.classification import metrics_table


@pytest.fixture(scope="module")
def predictions():
    """Two models, training out of fold in two repeats of four folds, and validation; ties on purpose."""
    generator = np.random.default_rng(0)
    rows = []
    for model, noise in (("CR", 0.8), ("Radiomics LR", 0.4)):
        for seed in (1, 2):
            for i in range(60):
                train = i < 40
                y = i % 2
                rows.append(
                    {
                        "patient_id": f"p{i:02d}",
                        "model": model,
                        "protocol": "strict",
                        "split": "train" if train else "validation",
                        "estimate": "out_of_fold" if train else "held_out",
                        "fold": i // 2 % 4 + 1 if train else 0,
                        "repeat": seed,
                        "seed": seed,
                        "y": y,
                        "probability": round(float(np.clip(0.3 + 0.4 * y + noise * generator.normal() / 2, 0, 1)), 1),
                        "rfs_months": 30.0,
                        "rfs_event": 0,
                    }
                )
    return pd.DataFrame(rows)


def models_of(predictions):
    return sorted(predictions["model"].unique())


def test_the_area_under_the_drawn_curve_is_the_printed_auc(predictions):
    metrics = metrics_table(predictions).set_index(["model", "split"])
    for (model, split), rows in predictions.groupby(["model", "split"]):
        x, y = mean_roc(rows)
        assert (np.diff(x) >= 0).all() and x[0] == y[0] == 0 and x[-1] == y[-1] == 1
        assert np.trapezoid(y, x) == pytest.approx(metrics.loc[(model, split), "auc"], abs=1e-6)


def test_the_legend_prints_the_tables_auc_and_the_cohorts_best(predictions):
    metrics = metrics_table(predictions)
    figure = plot_roc(predictions, metrics, "strict", 0.92, models_of(predictions))
    text = " ".join(t.get_text() for legend_axis in figure.axes for t in legend_axis.findobj(plt.Text))
    for row in metrics.itertuples():
        assert f"{row.model} {row.auc:.2f} ({row.auc_low:.2f}-{row.auc_high:.2f})" in text
    assert "oracle AUC is 0.92" in figure.get_suptitle()
    assert "(n = 40, 20 ER)" in text
    assert "reachable" not in plot_roc(predictions, metrics, "strict", None, models_of(predictions)).get_suptitle()
    plt.close("all")


def test_every_axis_has_a_name_and_no_text_is_cut(predictions):
    """Every text of every figure lies inside the figure."""
    metrics, models = metrics_table(predictions), main_models(predictions, ["CR"])
    assert models == ["CR"]
    figures = [
        plot_roc(predictions, metrics, "strict", 0.9, models_of(predictions)),
        plot_calibration(predictions, "strict", models, 40, 1),
        plot_decision_curve(predictions, "strict", models),
    ]
    for figure in figures:
        figure.canvas.draw()
        box = figure.bbox
        for axis in figure.axes:
            if axis.axison:
                assert axis.get_xlabel() and axis.get_ylabel() and axis.get_title()
            legend = axis.get_legend()
            texts = [axis.title, axis.xaxis.label, axis.yaxis.label, *(legend.get_texts() if legend else [])]
            for text in texts if axis.axison else texts[3:]:
                extent = text.get_window_extent()
                if text.get_text():
                    assert extent.x0 >= box.x0 - 1 and extent.x1 <= box.x1 + 1, text.get_text()
                    assert extent.y0 >= box.y0 - 1 and extent.y1 <= box.y1 + 1, text.get_text()
    plt.close("all")


def test_features_are_named_for_readers():
    assert readable_feature("portal__log-sigma-3-0-mm-3D_glcm_Contrast") == "portal: LoG 3.0 mm, glcm Contrast"
    assert readable_feature("arterial__wavelet-LLH_firstorder_Mean") == "arterial: wavelet LLH, firstorder Mean"
    assert readable_feature("ast") == "AST" and readable_feature("necrosis") == "Intratumoral necrosis"
    assert (
        readable_feature("enhancement_type=3") == "Arterial enhancement type: 3"
        and readable_feature("mp-MR") == "mp-MR"
    )
    assert readable_feature("hbv_dna_high") == "hbv dna high"


def test_a_model_without_variables_says_so():
    frame = pd.DataFrame(
        [
            {
                "protocol": "strict",
                "repeat": 1,
                "fold": 0,
                "seed": 1,
                "model": "CR",
                "step": "univariable",
                "variable": "a",
                "coefficient": 0.1,
            }
        ]
    )
    figure = plot_coefficients(frame, "strict", "CR")
    assert "No variable was selected" in [t.get_text() for t in figure.axes[0].texts]
    plt.close("all")


@pytest.mark.parametrize("survival", [False, True])
def test_a_decision_curve_treats_whoever_has_exactly_the_threshold(survival):
    """Risks of a forest of 100 trees. By hand at 0.06, 0.35 and 0.70: TP/n - FP/n t/(1 - t) with risk >= t treated."""
    risk = np.repeat([0.06, 0.35, 0.70, 0.02], 10)
    y = np.tile([1, 0, 1, 0, 1, 0, 1, 1, 0, 1], 4)
    rows = pd.DataFrame({"patient_id": [f"p{i}" for i in range(40)], "model": "RF", "y": y, "probability": risk})
    rows = rows.assign(protocol="strict", split="external", estimate="held_out", repeat=1, fold=0, seed=0)
    rows = rows.assign(rfs_months=np.where(y == 1, 6.0, 30.0), rfs_event=y)
    figure = (
        plot_survival_decision_curve(rows, "strict", ["RF"], 24.0)
        if survival
        else plot_decision_curve(rows, "strict", ["RF"])
    )
    if survival:
        assert figure.get_suptitle().endswith("Recurrence within 24 months.")
    line = next(one for one in figure.axes[0].lines if str(one.get_label()).startswith("RF"))
    drawn = dict(zip(np.round(line.get_xdata(), 2), line.get_ydata(), strict=True))
    for threshold in (0.06, 0.35, 0.70):
        # Sixty percent of each group of risk recur.
        treated = (risk >= threshold).mean()
        assert drawn[threshold] == pytest.approx(treated * (0.6 - 0.4 * threshold / (1 - threshold))), threshold
    plt.close(figure)
