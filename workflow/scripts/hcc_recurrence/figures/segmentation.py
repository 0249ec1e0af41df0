"""How well a network finds the tumour."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from hcc_recurrence.figures.style import COLOURS, PAGE_INCHES, use_style

PART_COLOURS = {
    "trained with": COLOURS[7],
    "chose the epoch": COLOURS[1],
    "unseen": COLOURS[0],
    "unseen, external": COLOURS[4],
}
# What a figure calls a part of the table; others by their name there.
PART_NAMES = {"chose the epoch": "early-stopping set"}
# Patients of a phase whose outlines are drawn: these quantiles of Dice, the worst first.
SHOWN = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)


def plot_dice(patients: pd.DataFrame, histories: pd.DataFrame, title: str) -> plt.Figure:
    """Dice of every patient by phase and part with its mean, and Dice of the early-stopping set by epoch.

    Args:
        patients: patient_id, phase, part, dice. histories: phase, epoch, inner_dice, best.
    """
    use_style()
    phases = sorted(histories["phase"].unique())
    figure, (left, right) = plt.subplots(1, 2, figsize=(PAGE_INCHES, 3.2), width_ratios=[2, 1])
    generator = np.random.default_rng(0)
    ticks, names = [], []
    for column, phase in enumerate(phases):
        own = patients[(patients["phase"] == phase) & patients["dice"].notna()]
        present = [part for part in PART_COLOURS if (own["part"] == part).any()]
        for place, part in enumerate(present):
            values = own.loc[own["part"] == part, "dice"].to_numpy()
            x = column * (len(PART_COLOURS) + 1) + place
            spread = x + generator.uniform(-0.22, 0.22, len(values))
            left.plot(spread, values, "o", color=PART_COLOURS[part], markersize=2.6, alpha=0.7)
            left.plot([x - 0.32, x + 0.32], [values.mean()] * 2, color="0.1", linewidth=1.4)
            left.text(x, 1.03, f"{values.mean():.2f}", ha="center", fontsize=6.5)
            ticks.append(x)
            names.append(f"{PART_NAMES.get(part, part)}\nn = {len(values)}")
        middle = column * (len(PART_COLOURS) + 1) + (len(present) - 1) / 2
        left.text(middle, 1.1, phase, ha="center", fontsize=8, weight="bold")
    left.set_xticks(ticks, names, fontsize=6, rotation=35, ha="right", rotation_mode="anchor")
    left.set(ylim=(-0.03, 1.18), ylabel="Dice of automatic and manual mask", yticks=np.arange(0, 1.01, 0.2))
    for column, phase in enumerate(phases):
        own = histories[histories["phase"] == phase]
        right.plot(own["epoch"], own["inner_dice"], color=COLOURS[column], linewidth=1.3, label=phase)
        best = own[own["epoch"] == own["best"].iloc[-1]]
        right.plot(best["epoch"], best["inner_dice"], "o", color=COLOURS[column], markersize=4)
    right.set(xlabel="Epoch", ylabel="Dice, early-stopping set", ylim=(-0.03, 1.03))
    right.xaxis.get_major_locator().set_params(integer=True)
    right.legend(loc="best", frameon=False, title="dot: epoch kept", title_fontsize=6.5)
    figure.suptitle(f"{title}. Line and number: mean", fontsize=8)
    return figure


def plot_outlines(patients: pd.DataFrame, pictures: Mapping[str, np.ndarray], title: str) -> plt.Figure:
    """Manual and automatic outline on the slice with the largest manual mask, unseen patients from the worst Dice on.

    Args:
        patients: patient_id, phase, part, dice. pictures: `patient.phase` -> image, manual, automatic, (3, y, x).
    """
    use_style()
    unseen = patients[patients["part"].str.startswith("unseen") & patients["dice"].notna()]
    shown = unseen if len(unseen) else patients[patients["dice"].notna()]
    phases = sorted(shown["phase"].unique())
    figure, axes = plt.subplots(
        max(len(phases), 1), len(SHOWN), figsize=(PAGE_INCHES, 0.6 + 1.3 * max(len(phases), 1)), squeeze=False
    )
    for row, phase in enumerate(phases):
        ordered = shown[shown["phase"] == phase].sort_values(["dice", "patient_id"]).reset_index(drop=True)
        for column, share in enumerate(SHOWN):
            axis = axes[row, column]
            case = ordered.loc[round(share * (len(ordered) - 1))]
            image, manual, automatic = pictures[f"{case['patient_id']}.{phase}"]
            axis.imshow(image, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
            for mask, colour in ((manual, COLOURS[9]), (automatic, COLOURS[3])):
                if mask.any():
                    axis.contour(mask, levels=[0.5], colors=colour, linewidths=0.9)
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set_visible(False)
            axis.set_title(f"{case['patient_id']}, Dice {case['dice']:.2f}", fontsize=6)
        axes[row, 0].set_ylabel(phase)
    kinds = "unseen patients" if len(unseen) else "patients that the network saw"
    figure.suptitle(f"{title}\n{kinds}, from the worst to the best Dice. Blue: manual, red: network", fontsize=8)
    return figure


def plot_feature_maps(
    patients: pd.DataFrame,
    features: pd.DataFrame,
    pictures: Mapping[str, np.ndarray],
    maps: Mapping[tuple[str, str], np.ndarray],
    title: str,
) -> plt.Figure:
    """Each feature of each patient over the slice of its phase, with both outlines; a row a patient.

    Args:
        patients: patient_id, er, probability, kind. features: variable (`phase__name`), weight.
        pictures: `patient.phase` -> image, manual, automatic, (3, y, x). maps: (patient, variable) -> (y, x), 0 to 1.
    """
    use_style()
    columns = max(len(features), 1)
    # Beside the images stand words about each patient, and the scale.
    across = min((PAGE_INCHES - 1.45) / columns, 1.4)
    size = (PAGE_INCHES, across * len(patients) + 0.7)
    figure, axes = plt.subplots(len(patients), columns, figsize=size, squeeze=False, layout="compressed")
    if features.empty:
        axes[0, 0].text(0.5, 0.5, "No deep feature was selected", ha="center", transform=axes[0, 0].transAxes)
    for row, patient in enumerate(patients.to_dict("records")):
        for column, feature in enumerate(features.to_dict("records")):
            axis = axes[row, column]
            phase, name = feature["variable"].split("__")
            image, manual, automatic = pictures[f"{patient['patient_id']}.{phase}"]
            axis.imshow(image, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
            shade = axis.imshow(
                maps[patient["patient_id"], feature["variable"]], cmap="inferno", alpha=0.5, vmin=0, vmax=1
            )
            for mask, colour in ((manual, COLOURS[9]), (automatic, COLOURS[3])):
                if mask.any():
                    axis.contour(mask, levels=[0.5], colors=colour, linewidths=0.8)
            if not row:
                axis.set_title(f"{phase}\n{name}\nweight {feature['weight']:+.2f}", fontsize=6)
        words = patient["kind"].replace(", ", ",\n")
        label = f"{patient['patient_id']}\n{words}\nrisk {patient['probability']:.2f}"
        axes[row, 0].set_ylabel(label, rotation=0, ha="right", va="center", fontsize=6)
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set_visible(False)
    if len(features):
        figure.colorbar(shade, ax=axes, shrink=0.5, aspect=30).set_label(
            "Response, fraction of its maximum", fontsize=7
        )
    figure.suptitle(f"{title}: features with the largest weights, all training patients", fontsize=8)
    return figure
