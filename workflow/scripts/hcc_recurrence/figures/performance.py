"""ROC curves, calibration, decision curves: figures of a predictions table."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.metrics import roc_curve

from hcc_recurrence.figures.style import PAGE_INCHES, model_colours, use_style
from hcc_recurrence.statistics.calibration import calibration_bins, calibration_measures
from hcc_recurrence.statistics.classification import mean_over_repeats
from hcc_recurrence.statistics.decision_curve import decision_curve

ESTIMATE_TEXT = {
    ("train", "out_of_fold"): "Training, out of fold",
    ("train", "apparent"): "Training, apparent",
    ("validation", "held_out"): "Validation",
    ("external", "held_out"): "External",
}
PROTOCOL_TEXT = {"strict": "strict", "as_published": "as published"}


def panels(predictions: pd.DataFrame, protocol: str) -> list[tuple[str, pd.DataFrame]]:
    """Title and averaged rows of each split and estimate of a protocol, training first."""
    averaged = mean_over_repeats(predictions[predictions["protocol"] == protocol])
    found = []
    for key, text in ESTIMATE_TEXT.items():
        rows = averaged[(averaged["split"] == key[0]) & (averaged["estimate"] == key[1])]
        if len(rows) and rows["y"].nunique() == 2:
            one = rows.drop_duplicates("patient_id")
            found.append((f"{text} (n = {len(one)}, {int(one['y'].sum())} ER)", rows))
    return found


def main_models(predictions: pd.DataFrame) -> list[str]:
    """The models a paper is about: those without a classifier's name behind them (one word)."""
    return sorted(m for m in predictions["model"].unique() if " " not in m)


def _axes(number: int, height: float) -> tuple[plt.Figure, list[plt.Axes]]:
    use_style()
    width = min(PAGE_INCHES, 3.6 * number)
    figure, axes = plt.subplots(1, number, figsize=(max(width, 3.6), height), squeeze=False)
    return figure, list(axes[0])


def plot_roc(
    predictions: pd.DataFrame, metrics: pd.DataFrame, protocol: str, reachable: float | None
) -> plt.Figure:
    """ROC curve of each model, one panel a split; AUC with its interval in the legend.

    Args:
        metrics: from `metrics_table`, so that figure and table cannot differ.
        reachable: best reachable AUC of a simulated cohort, named under the figure; None for real ones.
    """
    found = panels(predictions, protocol)
    models = sorted(predictions["model"].unique())
    colours = model_colours(models)
    figure, axes = _axes(len(found), 4.6)
    table = metrics[metrics["protocol"] == protocol].set_index(["model", "split", "estimate"])
    for axis, (title, rows) in zip(axes, found, strict=True):
        for model in models:
            own = rows[rows["model"] == model]
            false_positive, true_positive, _ = roc_curve(
                own["y"], own["probability"], drop_intermediate=False
            )
            line = table.loc[(model, own["split"].iloc[0], own["estimate"].iloc[0])]
            axis.plot(
                false_positive,
                true_positive,
                color=colours[model],
                linewidth=1.6 if " " not in model else 0.9,
                linestyle="-" if " " not in model else "--",
                label=f"{model} {line['auc']:.2f} ({line['auc_low']:.2f}-{line['auc_high']:.2f})",
            )
        axis.plot([0, 1], [0, 1], color="0.6", linewidth=0.8, linestyle=":")
        axis.set(title=title, xlabel="1 - specificity", ylabel="Sensitivity", aspect="equal")
        axis.legend(title="AUC (95% CI)", loc="upper center", bbox_to_anchor=(0.5, -0.2), frameon=False)
    text = f"Protocol: {PROTOCOL_TEXT[protocol]}."
    if reachable is not None:
        text += f" Simulated cohort: the best reachable AUC is {reachable:.2f}."
    figure.suptitle(text, fontsize=8)
    return figure


def plot_calibration(predictions: pd.DataFrame, protocol: str, models: list[str]) -> plt.Figure:
    """Observed share of early recurrence against the predicted one, in quantile groups.

    Five groups below 100 patients, ten above (METHODS.md 1.6).
    """
    found = panels(predictions, protocol)
    colours = model_colours(sorted(predictions["model"].unique()))
    figure, axes = _axes(len(found), 4.2)
    for axis, (title, rows) in zip(axes, found, strict=True):
        axis.plot([0, 1], [0, 1], color="0.6", linewidth=0.8, linestyle=":")
        for model in models:
            own = rows[rows["model"] == model]
            groups = calibration_bins(own["y"], own["probability"], 5 if len(own) < 100 else 10)
            measures = calibration_measures(own["y"], own["probability"])
            error = [groups["observed"] - groups["low"], groups["high"] - groups["observed"]]
            axis.errorbar(
                groups["predicted"],
                groups["observed"],
                yerr=np.clip(error, 0, None),
                color=colours[model],
                marker="o",
                markersize=3,
                linewidth=1.2,
                elinewidth=0.6,
                capsize=2,
                label=f"{model}: slope {measures.slope:.2f}, intercept {measures.intercept:+.2f}, "
                f"Brier {measures.brier:.3f}",
            )
        axis.set(
            title=title,
            xlabel="Predicted probability",
            ylabel="Observed early recurrence",
            xlim=(-0.02, 1.02),
            ylim=(-0.02, 1.02),
            aspect="equal",
        )
        axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), frameon=False)
    figure.suptitle(f"Protocol: {PROTOCOL_TEXT[protocol]}. Bars: 95% Wilson intervals.", fontsize=8)
    return figure


def plot_decision_curve(predictions: pd.DataFrame, protocol: str, models: list[str]) -> plt.Figure:
    """Net benefit over threshold probabilities, beside treating all and treating none."""
    found = panels(predictions, protocol)
    colours = model_colours(sorted(predictions["model"].unique()))
    thresholds = np.arange(0.05, 0.951, 0.01)
    figure, axes = _axes(len(found), 3.6)
    for axis, (title, rows) in zip(axes, found, strict=True):
        wide = rows.pivot(index="patient_id", columns="model", values="probability")
        outcome = rows.drop_duplicates("patient_id").set_index("patient_id")["y"].loc[wide.index]
        curve = decision_curve(outcome.to_numpy(), {m: wide[m].to_numpy() for m in models}, thresholds)
        for name, part in curve.groupby("model"):
            reference = name in ("all", "none")
            axis.plot(
                part["threshold"],
                part["net_benefit"],
                color={"all": "0.45", "none": "0.1"}.get(name, colours.get(name)),
                linestyle=":" if reference else "-",
                linewidth=1.0 if reference else 1.4,
                label={"all": "treat all", "none": "treat none"}.get(name, name),
            )
        top = max(outcome.mean(), 0.05)
        axis.set(
            title=title,
            xlabel="Threshold probability",
            ylabel="Net benefit",
            ylim=(-0.15 * top - 0.02, 1.15 * top),
            xlim=(0, 1),
        )
        axis.legend(frameon=False, ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.22))
    figure.suptitle(f"Protocol: {PROTOCOL_TEXT[protocol]}", fontsize=8)
    return figure
