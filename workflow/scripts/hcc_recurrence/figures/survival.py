"""Kaplan-Meier curves by predicted risk group, with the numbers at risk."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from hcc_recurrence.endpoint import capital, endpoint
from hcc_recurrence.figures.classification import cut_offs, no_cut_off, panel_title, say_in_place
from hcc_recurrence.figures.p_values import p_text
from hcc_recurrence.figures.performance import (
    MOST_BESIDE,
    canvas,
    legend_below,
    mean_net_benefit,
    model_dashes,
    net_benefit_lines,
    panels,
    plot_net_benefit,
    protocol_line,
    say_nothing,
    say_reasons,
    without_curve,
)
from hcc_recurrence.figures.style import COLOURS, in_width, model_colours, use_style, width_of
from hcc_recurrence.statistics.decision_curve import THRESHOLDS, survival_decision_curve
from hcc_recurrence.statistics.degenerate import FEW_IN_A_GROUP, LEAST_OF_EACH, LEAST_PATIENTS, why_no_interval
from hcc_recurrence.statistics.measures import groups_for
from hcc_recurrence.statistics.single_models import first_repeat
from hcc_recurrence.statistics.survival import (
    at_risk,
    censor_at,
    kaplan_meier,
    log_rank_p,
    median_of_curve,
    survival_at,
    survival_calibration,
)

GROUPS = ((1, "high risk", COLOURS[3]), (0, "low risk", COLOURS[0]))


def _median_text(months: float) -> str:
    return "median not reached" if np.isinf(months) else f"median {months:.0f} months"


def plot_kaplan_meier(
    predictions: pd.DataFrame, protocol: str, models: list[str], horizon: float = 24.0, censored: bool = False
) -> plt.Figure:
    """Recurrence-free survival of patients above and below the training cut-off: a row a model, a column a split.

    The groups are those of one fitted model, the first repeat's, at its own cut-off.

    Args:
        horizon: months, drawn as a line. censored: times are censored at the horizon, where the curves end.
    """
    use_style()
    found = panels(predictions, protocol)
    cuts = cut_offs(predictions, protocol, models)
    silent_in = [no_cut_off(predictions, protocol, rows, cuts) for _, rows in found]
    last = float(np.ceil((horizon if censored else predictions["rfs_months"].max()) / 12) * 12)
    narrow = len(found) > MOST_BESIDE
    times = np.arange(0, last + 1, 24 if narrow or last > 72 else 12)
    figure, axes = plt.subplots(
        2 * len(models), len(found), figsize=(width_of(len(found)), 2.85 * len(models) + 0.3), squeeze=False,
        height_ratios=[1, 0.2] * len(models),
    )  # fmt: skip
    # A legend wider than its panel would leave the curves no room.
    line_end = "\n" if narrow else " "
    most = 3
    for row, model in enumerate(models):
        for column, (title, rows) in enumerate(found):
            curve, table = axes[2 * row, column], axes[2 * row + 1, column]
            silent = silent_in[column]
            if model in silent:
                say_in_place(curve, panel_title(model, title, len(found)), silent[model])
                table.axis("off")
                continue
            own = first_repeat(rows[rows["model"] == model])
            followed, event = own["rfs_months"].to_numpy(float), own["rfs_event"].to_numpy(int)
            months, event = censor_at(followed, event, horizon) if censored else (followed, event)
            cut = cuts[model, protocol, own["repeat"].iloc[0]]
            high = (own["probability"].to_numpy() >= cut).astype(int)
            for line, (value, name, colour) in enumerate(GROUPS):
                members = high == value
                if 0 < members.sum() < LEAST_OF_EACH:
                    label = f"{name}, n = {members.sum()}:\nno curve of fewer than {LEAST_OF_EACH}"
                    curve.plot([], [], color=colour, linewidth=1.3, label=label)
                elif members.any():
                    km = kaplan_meier(months[members], event[members])
                    median = _median_text(median_of_curve(km))
                    label = f"{name}, n = {members.sum()},{line_end}{median}"
                    curve.step(km["time"], km["survival"], where="post", color=colour, linewidth=1.3, label=label)
                    if members.sum() >= LEAST_PATIENTS:
                        band = (km["time"], km["low"], km["high"])
                        curve.fill_between(*band, step="post", color=colour, alpha=0.12, lw=0)
                for time, count in zip(times, at_risk(followed[members], times), strict=True):
                    table.text(time, 1 - line, str(count), ha="center", va="center", fontsize=6, color=colour)
            sizes = (int(high.sum()), int((1 - high).sum()))
            why = why_no_interval(sizes, few=FEW_IN_A_GROUP)
            text = f"no log-rank test:{line_end}{'small group' if min(sizes) else 'one group only'}"
            if not why and not event.any():
                text = f"no log-rank test:{line_end}no {endpoint().event}"
            elif not why:
                text = f"log-rank P {p_text(log_rank_p(months, event, high))}"
            curve.plot([], [], " ", label=text)
            curve.set(title=panel_title(model, title, len(found)), xlim=(0, last), yticks=np.arange(0, 1.1, 0.25))
            curve.title.set_fontsize(6.8)
            curve.set_ylabel(f"Free of {endpoint().event}" if column == 0 else "")
            curve.set_xticks(times)
            legend = curve.legend(
                loc="upper left", fontsize=5.8, frameon=False, bbox_to_anchor=(0, 0.965), borderaxespad=0.1
            )
            most = max(most, sum(words.get_text().count("\n") + 1 for words in legend.get_texts()))
            table.set(ylim=(-0.8, 2.1), xlim=(0, last), label=f"At risk: {panel_title(model, title, len(found))}")
            words = "At risk (months below)" if narrow else f"At risk (months after {endpoint().start} below)"
            table.text(0, 2.0, words, fontsize=6, va="center")
            table.set_xticks(times)
            table.tick_params(length=0)
            table.set_yticks([])
            for spine in table.spines.values():
                spine.set_visible(False)
    for curve in axes[::2].ravel():
        # Room above the curves for as many lines as the longest legend has.
        if curve.get_legend():
            top = 0.78 + 0.215 * most
            curve.set_ylim(0, top)
            # To the curves' top only: above it lies the legend.
            curve.axvline(horizon, ymax=1 / top, color="0.6", linewidth=0.8, linestyle=":")
    line = protocol_line(predictions, protocol, "First of {number} repeats.")
    about = f"times censored at {horizon:.0f} months" if censored else f"dotted: {horizon:.0f} months"
    figure.suptitle(in_width(figure, f"{line}\nGroups by the training cut-off; {about}."), fontsize=8)
    return figure


def plot_survival_calibration(
    predictions: pd.DataFrame, protocol: str, models: list[str], horizon: float, resamples: int, seed: int
) -> plt.Figure:
    """Kaplan-Meier survival at the horizon against the predicted one in groups of risk, with bootstrap intervals.

    The model is not refitted (rms `calibrate`, as in Wang 2022, section 4.5, does so and corrects for optimism). Five
    groups below 100 patients, ten above, of ten patients or more.
    """
    found = panels(predictions, protocol)
    colours = model_colours(sorted(predictions["model"].unique()))
    figure, axes, legends = canvas(len(found), len(models))
    dashes = model_dashes(models, colours)
    for axis, below, (title, rows) in zip(axes, legends, found, strict=True):
        axis.plot([0, 1], [0, 1], color="0.6", linewidth=0.8, linestyle=":")
        silent = without_curve(predictions, protocol, rows)
        for place, model in enumerate(models):
            if model not in set(rows["model"]):
                continue
            if model in silent:
                say_nothing(axis, f"{model}: {silent[model]}")
                continue
            own = first_repeat(rows[rows["model"] == model])
            groups = max(2, min(groups_for(len(own)), len(own) // 10))
            outcome = (own["rfs_months"].to_numpy(float), own["rfs_event"].to_numpy(int))
            free = 1 - own["probability"].to_numpy()
            table = survival_calibration(*outcome, free, horizon, groups, resamples, seed)
            # Beside each other where two models predict the same.
            at = table["predicted"] + 0.008 * (place - (len(models) - 1) / 2)
            axis.vlines(at, table["low"], table["high"], color=colours[model], linewidth=0.9, alpha=0.6)
            line = {"color": colours[model], "linestyle": dashes[model], "linewidth": 1.2}
            axis.plot(at, table["observed"], marker="o", markersize=3, label=model, **line)
        axis.set(
            title=title,
            xlabel=f"Predicted {endpoint().survival}\nat {horizon:.0f} months",
            ylabel="Kaplan-Meier",
            xlim=(-0.02, 1.02),
            ylim=(-0.02, 1.02),
            aspect="equal",
        )
        legend_below(axis, below)
    text = f"Groups of risk, Kaplan-Meier estimate with 95% interval ({resamples} bootstraps)"
    line = protocol_line(predictions, protocol, "First of {number} repeats.")
    figure.suptitle(in_width(figure, f"{line}\n{text}"), fontsize=8)
    return figure


def plot_survival_decision_curve(
    predictions: pd.DataFrame, protocol: str, models: list[str], horizon: float
) -> plt.Figure:
    """Net benefit at the horizon with censored times, beside treating all and none; the mean over repeats."""
    found = panels(predictions, protocol)
    colours = model_colours(sorted(predictions["model"].unique()))

    def curve_of(patients: pd.DataFrame, risks: dict[str, np.ndarray]) -> pd.DataFrame:
        times = censor_at(patients["rfs_months"].to_numpy(float), patients["rfs_event"].to_numpy(int), horizon)
        return survival_decision_curve(*times, risks, horizon, THRESHOLDS)

    figure, axes, legends = canvas(len(found), net_benefit_lines(predictions, protocol, models))
    for axis, below, (title, rows) in zip(axes, legends, found, strict=True):
        silent = without_curve(predictions, protocol, rows)
        drawn = [m for m in models if m not in silent and m in set(rows["model"])]
        one = rows.drop_duplicates("patient_id")
        free = survival_at(one["rfs_months"].to_numpy(float), one["rfs_event"].to_numpy(int), horizon)[0]
        if drawn:
            curve = mean_net_benefit(rows, drawn, curve_of)
            plot_net_benefit(axis, curve, colours, model_dashes(models, colours), 1 - free)
        else:
            axis.set(xlabel="Threshold probability", ylabel="Net benefit", xlim=(0, 1), yticks=[])
        say_reasons(axis, models, silent)
        axis.set_title(title)
        legend_below(axis, below, columns=1 if silent else 2)
    line = protocol_line(predictions, protocol, "Mean net benefit of {number} repeats.")
    figure.suptitle(f"{line} {capital(endpoint().event)} within {horizon:.0f} months.", fontsize=8)
    return figure
