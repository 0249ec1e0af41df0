"""ROC curves, calibration, decision curves: figures of a predictions table."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from hcc_recurrence.endpoint import endpoint
from hcc_recurrence.figures.p_values import auc_text
from hcc_recurrence.figures.style import model_colours, use_style, width_of
from hcc_recurrence.statistics.calibration import (
    calibration_band,
    calibration_bins,
    calibration_measures,
    smooth_calibration,
)
from hcc_recurrence.statistics.classification import both_outcomes
from hcc_recurrence.statistics.decision_curve import THRESHOLDS, decision_curve
from hcc_recurrence.statistics.degenerate import FEW, LEAST_FOR_SMOOTHING, models_of_nothing, smoothed, why_no_interval
from hcc_recurrence.statistics.measures import groups_for
from hcc_recurrence.statistics.single_models import mean_and_spread, rounded

ESTIMATE_TEXT = {
    ("train", "out_of_fold"): "Training, out of fold",
    ("train", "cross_validated"): "Training, cross-validated",
    ("train", "apparent"): "Training, apparent",
    ("validation", "held_out"): "Validation",
    ("external", "held_out"): "External",
}
DASHES = ("-", (0, (4, 1.2)), (0, (1, 1)), (0, (4, 1, 1, 1)))
# Of variants, none of which is a whole line.
VARIANT_DASHES = ((0, (4, 1.2)), (0, (1, 1)), (0, (4, 1, 1, 1)), (0, (8, 2)))
# More panels beside each other leave no room for their titles and legends.
MOST_BESIDE = 3
# Of a legend in 7 points: inches a line, letters an inch, and letters that the handle takes.
LEGEND_LINE, LEGEND_LETTERS, HANDLE_LETTERS = 0.15, 17.5, 5
PROTOCOL_TEXT = {"strict": "strict", "as_published": "as published"}


def panels(predictions: pd.DataFrame, protocol: str, unit: str = "") -> list[tuple[str, pd.DataFrame]]:
    """Title and rows (every repeat) of each split and estimate of a protocol, training first.

    Args:
        unit: what the rows are of, where they are not of patients: `images`.
    """
    own = rounded(predictions[predictions["protocol"] == protocol])
    found = []
    for key, text in ESTIMATE_TEXT.items():
        rows = own[(own["split"] == key[0]) & (own["estimate"] == key[1])]
        if len(rows):
            one = rows.drop_duplicates("patient_id")
            count = f"{len(one)} {unit}".strip()
            found.append((f"{text} (n = {count}, {int(one['y'].sum())} {endpoint().abbreviation})", rows))
    return found


def model_dashes(models: Sequence[str], colours: dict[str, str], kinds: Sequence[Any] = DASHES) -> dict[str, Any]:
    """How the line of each model is drawn: models of different papers may have one colour, which dashes tell apart."""
    return {
        model: kinds[[m for m in models if colours[m] == colours[model]].index(model) % len(kinds)] for model in models
    }


def silent_models(predictions: pd.DataFrame, protocol: str, rows: pd.DataFrame) -> dict[str, str]:
    """The models of a panel that tell nobody apart, and what a figure says in place of their curve (`degenerate`).

    Args:
        rows: of the panel, from `panels`.
    """
    own = predictions[
        (predictions["protocol"] == protocol)
        & (predictions["split"] == rows["split"].iloc[0])
        & (predictions["estimate"] == rows["estimate"].iloc[0])
    ]
    return {model: words for (model, *_), words in models_of_nothing(own).items()}


def without_curve(predictions: pd.DataFrame, protocol: str, rows: pd.DataFrame) -> dict[str, str]:
    """The models of a panel that have no curve, and why: they tell nobody apart, or there are too few patients.

    Args:
        rows: of the panel, from `panels`.
    """
    found = {}
    for model, own in rows.groupby("model"):
        y = own.drop_duplicates("patient_id")["y"]
        why = why_no_interval((int(y.sum()), int((1 - y).sum())))
        if why:
            found[model] = why
    return found | silent_models(predictions, protocol, rows)


def say_nothing(axis: plt.Axes, label: str) -> None:
    """A line of the legend without a curve."""
    axis.plot([], [], " ", label=label)


def say_reasons(axis: plt.Axes, models: list[str], silent: dict[str, str]) -> None:
    """Why models have no curve, each in a line of the legend; one line where the reason is the same for all."""
    reasons = [silent.get(model) for model in models]
    if len(models) > 1 and len(set(reasons)) == 1 and reasons[0]:
        say_nothing(axis, f"all models: {reasons[0]}")
        return
    for model in [m for m in models if m in silent]:
        say_nothing(axis, f"{model}: {silent[model]}")


def canvas(number: int, lines: int) -> tuple[plt.Figure, list[plt.Axes], list[plt.Axes]]:
    """Square panels, at most three beside each other, and below each an empty panel for its legend of so many lines."""
    use_style()
    width = width_of(number)
    across = number if number <= MOST_BESIDE else -(-number // 2)
    down = -(-number // across)
    side, legend = width / across, LEGEND_LINE * lines + 0.1
    figure, axes = plt.subplots(
        2 * down,
        across,
        figsize=(width, down * (side + legend + 0.45)),
        squeeze=False,
        height_ratios=[side, legend] * down,
    )
    drawn, legends = axes[::2].ravel(), axes[1::2].ravel()
    for empty in [*legends, *drawn[number:]]:
        empty.axis("off")
    return figure, list(drawn[:number]), list(legends[:number])


def legend_below(axis: plt.Axes, below: plt.Axes, columns: int = 1, title: str | None = None) -> None:
    """The legend of a panel in the empty one below it, in one column where several have no room.

    Lines wider than the panel are broken, and the figure grows by them.
    """
    handles, labels = axis.get_legend_handles_labels()
    figure, grid = below.figure, below.get_gridspec()
    inches = figure.get_figwidth() / grid.ncols
    if any(len(label) > inches / columns * LEGEND_LETTERS - HANDLE_LETTERS for label in labels):
        columns = 1
    letters = int(inches / columns * LEGEND_LETTERS) - HANDLE_LETTERS
    wrapped = textwrap.TextWrapper(letters, break_long_words=False)
    labels = ["\n".join(wrapped.fill(line) for line in label.split("\n")) for label in labels]
    ratios = list(grid.get_height_ratios())
    place = below.get_subplotspec().rowspan.start
    lines = [label.count("\n") + 1 for label in labels]
    tallest = sum(lines) if columns == 1 else max(lines, default=1) * -(-len(lines) // columns)
    needed = LEGEND_LINE * (tallest + bool(title)) + 0.1
    if needed > ratios[place]:
        figure.set_figheight(figure.get_figheight() + needed - ratios[place])
        ratios[place] = needed
        grid.set_height_ratios(ratios)
    below.legend(
        handles,
        labels,
        title=title,
        loc="upper center",
        frameon=False,
        ncols=columns,
        borderaxespad=0,
        handlelength=1.6,
    )


def mean_roc(rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """ROC curve of one model; of several fits (folds, repeats) the vertical mean of their curves.

    The area under it is the AUC of the metrics table. Fawcett, Pattern Recognit Lett 2006;27:861, section 9.1. Folds
    without both outcomes have no curve.

    Args:
        rows: predictions of one model, split and estimate, with repeat and fold.

    Returns: false and true positive rates.
    """
    from sklearn.metrics import roc_curve

    curves = [
        roc_curve(part["y"], part["probability"].round(10), drop_intermediate=False)[:2]
        for _, part in both_outcomes(rows).groupby(["repeat", "fold"])
    ]
    if len(curves) == 1:
        return curves[0]
    # Both ends of every jump, so that the mean keeps the area of each curve.
    steps = np.unique(np.concatenate([false_positive for false_positive, _ in curves]))
    grid = np.unique(np.concatenate([[0.0, 1.0], steps - 1e-9, steps + 1e-9]).clip(0, 1))
    mean = np.mean([np.interp(grid, *_jumps_kept(*curve)) for curve in curves], axis=0)
    return np.r_[0.0, grid, 1.0], np.r_[0.0, mean, 1.0]


def protocol_line(predictions: pd.DataFrame, protocol: str, several: str) -> str:
    """The line above a figure: its protocol, and, where there are several repeats, what is shown of them."""
    number = predictions.loc[predictions["protocol"] == protocol, "repeat"].nunique()
    return f"Protocol: {PROTOCOL_TEXT[protocol]}." + (f" {several.format(number=number)}" if number > 1 else "")


def _jumps_kept(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Spread the points of a vertical jump over 1e-10, because np.interp needs rising x."""
    return x + np.arange(len(x)) * 1e-10 / len(x), y


def plot_roc(
    predictions: pd.DataFrame,
    metrics: pd.DataFrame,
    protocol: str,
    reachable: float | None,
    models: list[str],
    variants: bool = False,
    unit: str = "",
) -> plt.Figure:
    """ROC curve of each of the models, one panel a split; AUC with its interval in the legend.

    Args:
        metrics: from `metrics_table`, so that figure and table cannot differ.
        reachable: oracle AUC of a simulated cohort, named under the figure; None for real ones.
        variants: the models are variants and ablations, drawn thin and dashed. unit: of `panels`.
    """
    found = panels(predictions, protocol, unit)
    colours = model_colours(models)
    dashes = model_dashes(models, colours, VARIANT_DASHES if variants else DASHES)
    figure, axes, legends = canvas(len(found), len(models) + 1)
    table = metrics[metrics["protocol"] == protocol].set_index(["model", "split", "estimate"])
    keys = ["model", "protocol", "split", "estimate"]
    single = predictions.set_index(keys).sort_index()
    for axis, below, (title, rows) in zip(axes, legends, found, strict=True):
        split, estimate = rows["split"].iloc[0], rows["estimate"].iloc[0]
        silent = without_curve(predictions, protocol, rows)
        for model in models:
            if (model, split, estimate) not in table.index:
                continue
            line = table.loc[(model, split, estimate)]
            if model in silent:
                words = (
                    f"{model} {auc_text(line, 2)}; "
                    if np.isfinite(line["auc"]) and silent[model] == FEW
                    else f"{model}: "
                )
                say_nothing(axis, words + silent[model])
                continue
            own = single.loc[[(model, protocol, split, estimate)]].reset_index()
            axis.plot(
                *mean_roc(own),
                color=colours[model],
                linewidth=0.9 if variants else 1.6,
                linestyle=dashes[model],
                label=f"{model} {auc_text(line, 2)}",
            )
        axis.plot([0, 1], [0, 1], color="0.6", linewidth=0.8, linestyle=":")
        axis.set(title=title, xlabel="1 - specificity", ylabel="Sensitivity", aspect="equal")
        legend_below(axis, below, title="AUC (95% CI)")
    text = protocol_line(predictions, protocol, "Mean curve and mean AUC of {number} repeats.")
    if any((rows["fold"] != 0).any() for _, rows in found):
        words = "Out of fold" if protocol == "strict" else "Cross-validated"
        text += f" {words}: mean of the folds' curves."
    if reachable is not None:
        text += f"\nSimulated cohort: the oracle AUC is {reachable:.2f}."
    figure.suptitle(text, fontsize=8)
    return figure


def plot_calibration(
    predictions: pd.DataFrame, protocol: str, models: list[str], resamples: int, seed: int
) -> plt.Figure:
    """Observed fraction of early recurrence against the predicted one: smoothed, with a bootstrap band, and in groups.

    Five groups below 100 patients, ten above (docs/methods.md 1.6). Band and groups are those of the first repeat, a
    thin line is each of the others; the legend has the means of the calibration table.

    Args:
        resamples: bootstrap resamples of the patients for the band of the smoothed curve.
    """
    found = panels(predictions, protocol)
    colours = model_colours(sorted(predictions["model"].unique()))
    figure, axes, legends = canvas(len(found), 2 * len(models))
    at, dashes = np.linspace(0, 1, 101), model_dashes(models, colours)
    for axis, below, (title, rows) in zip(axes, legends, found, strict=True):
        axis.plot([0, 1], [0, 1], color="0.6", linewidth=0.8, linestyle=":")
        silent = without_curve(predictions, protocol, rows)
        for model in [m for m in models if m in set(rows["model"])]:
            if model in silent:
                say_nothing(axis, f"{model}:\n{silent[model]}")
                continue
            own = rows[rows["model"] == model]
            fits = [(p["y"].to_numpy(), p["probability"].to_numpy()) for _, p in own.groupby("repeat")]
            measures = [calibration_measures(*fit) for fit in fits]
            slope, intercept, brier = (
                mean_and_spread([getattr(m, name) for m in measures])[0] for name in ("slope", "intercept", "brier")
            )
            y, probability = fits[0]
            groups = calibration_bins(y, probability, groups_for(len(y)))
            curve, low, high = calibration_band(y, probability, at, resamples, seed)
            slope = "undefined" if np.isnan(slope) else f"{slope:.2f}"
            intercept = "undefined" if np.isnan(intercept) else f"{intercept:+z.2f}"
            axis.fill_between(at, low, high, color=colours[model], alpha=0.12, linewidth=0)
            for other in fits[1:] if smoothed(y) else []:
                axis.plot(at, smooth_calibration(*other, at), color=colours[model], linewidth=0.5, alpha=0.7)
            label = f"{model}: slope {slope},\nintercept {intercept}, Brier {brier:.3f}"
            axis.plot(at, curve, color=colours[model], linewidth=1.3, linestyle=dashes[model], label=label)
            axis.plot(groups["predicted"], groups["observed"], "o", color=colours[model], markersize=3)
        axis.set(
            title=title,
            xlabel="Predicted probability",
            ylabel=f"Observed {endpoint().name}",
            xlim=(-0.02, 1.02),
            ylim=(-0.02, 1.02),
            aspect="equal",
        )
        legend_below(axis, below)
    text = f"Lines: loess with 95% band ({resamples} bootstraps), of at least {LEAST_FOR_SMOOTHING} patients of each "
    text += "outcome; dots: groups of risk."
    several = "Thick: first of {number} repeats; thin: the others; numbers: means."
    figure.suptitle(f"{protocol_line(predictions, protocol, several)}\n{text}", fontsize=8)
    return figure


def plot_decision_curve(predictions: pd.DataFrame, protocol: str, models: list[str]) -> plt.Figure:
    """Net benefit over threshold probabilities, beside treating all and treating none; the mean over repeats."""
    found = panels(predictions, protocol)
    colours = model_colours(sorted(predictions["model"].unique()))

    def curve_of(patients: pd.DataFrame, risks: dict[str, np.ndarray]) -> pd.DataFrame:
        return decision_curve(patients["y"].to_numpy(), risks, THRESHOLDS)

    figure, axes, legends = canvas(len(found), net_benefit_lines(predictions, protocol, models))
    for axis, below, (title, rows) in zip(axes, legends, found, strict=True):
        silent = without_curve(predictions, protocol, rows)
        drawn = [m for m in models if m not in silent and m in set(rows["model"])]
        if drawn:
            curve = mean_net_benefit(rows, drawn, curve_of)
            dashes = model_dashes(models, colours)
            plot_net_benefit(axis, curve, colours, dashes, rows.drop_duplicates("patient_id")["y"].mean())
        else:
            axis.set(xlabel="Threshold probability", ylabel="Net benefit", xlim=(0, 1), yticks=[])
        say_reasons(axis, models, silent)
        axis.set_title(title)
        legend_below(axis, below, columns=1 if silent else 2)
    figure.suptitle(protocol_line(predictions, protocol, "Mean net benefit of {number} repeats."), fontsize=8)
    return figure


def net_benefit_lines(predictions: pd.DataFrame, protocol: str, models: list[str]) -> int:
    """Lines of the legend of decision curves: two models side by side, or one where some have words for a curve."""
    words = any(without_curve(predictions, protocol, rows) for _, rows in panels(predictions, protocol))
    return len(models) + 3 if words else (len(models) + 3) // 2 + 1


def mean_net_benefit(
    rows: pd.DataFrame,
    models: list[str],
    curve_of: Callable[[pd.DataFrame, dict[str, np.ndarray]], pd.DataFrame],
) -> pd.DataFrame:
    """The mean over repeats of single models' net benefit, with `all` and `none` of all patients of the panel.

    Args:
        rows: of a panel. curve_of: patients (a row each), and model -> risk of each; as `decision_curve`.

    Returns: model, threshold, net_benefit.
    """
    everyone = curve_of(rows.drop_duplicates("patient_id"), {})
    parts = []
    # All models of the same patients at once: the reference strategies are reckoned anew with each call.
    for _, repeat in rows[rows["model"].isin(models)].groupby("repeat"):
        of_patients: dict[tuple[str, ...], dict[str, pd.DataFrame]] = {}
        for model, part in repeat.groupby("model"):
            ordered = part.sort_values("patient_id")
            of_patients.setdefault(tuple(ordered["patient_id"]), {})[model] = ordered
        for members in of_patients.values():
            risks = {model: part["probability"].to_numpy() for model, part in members.items()}
            curve = curve_of(next(iter(members.values())), risks)
            parts.append(curve[~curve["model"].isin(("all", "none"))])
    order = {name: place for place, name in enumerate(["all", "none", *models])}
    mean = pd.concat([everyone, *parts]).groupby(["model", "threshold"], as_index=False)["net_benefit"]
    mean = mean.agg(lambda values: values.mean(skipna=False))
    return mean.sort_values(["model", "threshold"], key=lambda c: c.map(order) if c.name == "model" else c)


def plot_net_benefit(
    axis: plt.Axes, curve: pd.DataFrame, colours: dict[str, str], dashes: dict[str, Any], prevalence: float
) -> None:
    """The curves of one panel: model (`all` and `none` too), threshold, net_benefit."""
    for name, part in curve.groupby("model"):
        reference = name in ("all", "none")
        axis.plot(
            part["threshold"],
            part["net_benefit"],
            color={"all": "0.45", "none": "0.1"}.get(name, colours.get(name)),
            linestyle=":" if reference else dashes[name],
            linewidth=1.0 if reference else 1.4,
            label={"all": "treat all", "none": "treat none"}.get(name, name),
        )
    top = max(prevalence, 0.05)
    limits = (-0.15 * top - 0.02, 1.15 * top)
    axis.set(xlabel="Threshold probability", ylabel="Net benefit", ylim=limits, xlim=(0, 1))
