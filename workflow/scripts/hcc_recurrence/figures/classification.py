"""Confusion matrices, and the waterfall of predicted risks."""

from __future__ import annotations

import textwrap

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from hcc_recurrence.endpoint import endpoint
from hcc_recurrence.figures.html import count_text
from hcc_recurrence.figures.performance import MOST_BESIDE, panels, protocol_line, silent_models
from hcc_recurrence.figures.style import COLOURS, in_width, use_style, width_of
from hcc_recurrence.statistics.classification import counts_of_models, mean_counts
from hcc_recurrence.statistics.single_models import first_repeat, training_cut_offs

AT_CENTRE = {"ha": "center", "va": "center", "fontsize": 8}

# Of a waterfall: risks that lie nearer to the cut-off have an axis of their own.
LEAST_REACH = 0.05


def _grid(rows: int, columns: int, height: float) -> tuple[plt.Figure, np.ndarray]:
    use_style()
    return plt.subplots(rows, columns, figsize=(width_of(columns), height * rows + 0.4), squeeze=False)


def cut_offs(predictions: pd.DataFrame, protocol: str, models: list[str]) -> pd.Series:
    """The training cut-off of each fit of some models in a protocol (`training_cut_offs`): index model, protocol,
    repeat."""
    return training_cut_offs(predictions[(predictions["protocol"] == protocol) & predictions["model"].isin(models)])


def panel_title(model: str, title: str, beside: int) -> str:
    """The title of a model's panel, in two or three lines where one would run into the next panel's.

    Args:
        beside: panels in a row.
    """
    if beside > MOST_BESIDE:
        # The model, then the patients, then their number.
        return f"{model}.\n" + title.replace(" (n", "\n(n")
    return f"{model}. {title}" if len(model + title) < 40 else f"{model}.\n{title}"


def say_in_place(axis: plt.Axes, title: str, words: str) -> None:
    """A panel that says why it shows nothing."""
    axis.text(0.5, 0.5, textwrap.fill(words, 22), ha="center", va="center", fontsize=6.5, transform=axis.transAxes)
    axis.set(title=title, xticks=[], yticks=[])
    # Axes would promise numbers.
    axis.spines[:].set_visible(False)
    axis.title.set_fontsize(6.8)


def no_cut_off(predictions: pd.DataFrame, protocol: str, rows: pd.DataFrame, cuts: pd.Series) -> dict[str, str]:
    """The models with cut-offs of a panel whose patients cannot be called high or low, and why."""
    without = cuts.index[cuts.isna()].get_level_values("model")
    found = {model: "no cut-off: none could be taken\nfrom the training patients" for model in without}
    absent = set(cuts.index.get_level_values("model")) - set(rows["model"])
    found |= dict.fromkeys(absent, "known in none of these patients")
    known = predictions[predictions["model"].isin(cuts.index.get_level_values("model"))]
    return found | silent_models(known, protocol, rows)


def plot_confusion(predictions: pd.DataFrame, protocol: str, models: list[str]) -> plt.Figure:
    """Counts of prediction against outcome, a row a model, a column a split; colours are fractions of the outcome.

    With several repeats the means of single models' counts, as in the metrics table.
    """
    found, cuts = panels(predictions, protocol), cut_offs(predictions, protocol, models)
    silent_in = [no_cut_off(predictions, protocol, rows, cuts) for _, rows in found]
    figure, axes = _grid(len(models), len(found), 2.1)
    outcomes_shown = [f"no {endpoint().abbreviation}", endpoint().abbreviation]
    for row, model in enumerate(models):
        for column, (title, rows) in enumerate(found):
            axis, silent = axes[row, column], silent_in[column]
            if model in silent:
                say_in_place(axis, panel_title(model, title, len(found)), silent[model])
                continue
            own = rows[rows["model"] == model]
            fitted = counts_of_models(own, cuts)
            c = mean_counts(fitted)
            counts = np.array([[c.tn, c.fp], [c.fn, c.tp]])
            names = [["TN", "FP"], ["FN", "TP"]]
            outcomes = counts.sum(axis=1, keepdims=True)
            share = counts / np.where(outcomes > 0, outcomes, 1)
            axis.imshow(share, cmap="Blues", vmin=0, vmax=1)
            for (i, j), number in np.ndenumerate(counts):
                text = f"{names[i][j]} {count_text(number, len(fitted))}\n{100 * share[i, j]:.0f}%"
                axis.text(j, i, text, **AT_CENTRE, color="white" if share[i, j] > 0.55 else "0.1")
            axis.set_xticks([0, 1], outcomes_shown)
            axis.set_yticks([0, 1], outcomes_shown, rotation=90, va="center")
            axis.set(xlabel="Predicted", ylabel="Observed", title=panel_title(model, title, len(found)))
            axis.title.set_fontsize(6.8)
            axis.tick_params(length=0)
            for spine in axis.spines.values():
                spine.set_visible(False)
    line = protocol_line(predictions, protocol, "Mean counts of {number} repeats, each with its own cut-off.")
    figure.suptitle(
        in_width(figure, f"{line}\nCut-off from training; percent of the patients with that outcome."), fontsize=8
    )
    return figure


def plot_waterfall(predictions: pd.DataFrame, protocol: str, models: list[str]) -> plt.Figure:
    """Predicted risk minus the cut-off of each patient, sorted; the colour is what happened. The first repeat."""
    found, cuts = panels(predictions, protocol), cut_offs(predictions, protocol, models)
    silent_in = [no_cut_off(predictions, protocol, rows, cuts) for _, rows in found]
    figure, axes = _grid(len(models), len(found), 1.8)
    below = "Patients,\nhighest risk first" if len(found) > MOST_BESIDE else "Patients, highest risk first"
    for row, model in enumerate(models):
        for column, (title, rows) in enumerate(found):
            axis, silent = axes[row, column], silent_in[column]
            if model in silent:
                say_in_place(axis, panel_title(model, title, len(found)), silent[model])
                continue
            own = first_repeat(rows[rows["model"] == model]).sort_values(
                ["probability", "patient_id"], ascending=[False, True]
            )
            height = own["probability"].to_numpy() - cuts[model, protocol, own["repeat"].iloc[0]]
            colour = np.where(own["y"] == 1, COLOURS[3], COLOURS[0])
            axis.bar(np.arange(len(own)), height, width=1.0, color=colour, linewidth=0)
            # A patient exactly at the cut-off has no bar; a tick shows that someone is there.
            at_cut = np.flatnonzero(np.abs(height) < 1e-9)
            axis.scatter(at_cut, np.zeros(len(at_cut)), marker="|", s=14, c=colour[at_cut])
            axis.axhline(0, color="0.2", linewidth=0.7)
            # Of a model whose risks hardly differ, bars would be too low to be seen.
            reach = float(np.abs(height).max(initial=0.0))
            limit = 1.0 if reach >= LEAST_REACH or reach < 1e-9 else 1.2 * reach
            about = {"xlabel": below, "ylim": (-limit, limit), "xticks": []}
            axis.set(title=panel_title(model, title, len(found)), **about)
            axis.title.set_fontsize(6.8)
            axis.set_ylabel("Risk minus cut-off" if column == 0 else "")
    marks = [plt.Rectangle((0, 0), 1, 1, color=COLOURS[i]) for i in (3, 0)]
    axes[0, -1].legend(marks, [endpoint().name, "none"], loc="upper right", fontsize=6.5, frameon=False)
    line = protocol_line(predictions, protocol, "First of {number} repeats.")
    figure.suptitle(in_width(figure, f"{line}\nAbove 0 the model predicts {endpoint().name}."), fontsize=8)
    return figure
