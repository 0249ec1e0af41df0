"""Nomograms of logistic and Cox models, with a worked patient drawn on them.

Own code: simplenomo draws logistic models only and pynomo is a general drawing language (docs/methods.md 7).
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import MaxNLocator

from hcc_recurrence.figures.style import PAGE_INCHES, use_style
from hcc_recurrence.statistics.nomogram import Axis, NomogramModel


def _ticks(axis: Axis) -> list[tuple[float, str]]:
    if axis.levels:
        return [(float(i), name) for i, name in enumerate(axis.levels) if axis.low <= i <= axis.high]
    inner = [t for t in MaxNLocator(6).tick_values(axis.low, axis.high) if axis.low <= t <= axis.high]
    return [(float(t), f"{t:g}") for t in inner]


def _scale(panel: plt.Axes, row: float, name: str, ticks: list[tuple[float, str]], ends: tuple[float, float]) -> None:
    """One horizontal scale in units of the 0 to 100 axis; labels that would overlap go below the line."""
    panel.plot(ends, [row, row], color="0.1", linewidth=0.9)
    panel.annotate(name, (-4, row), ha="right", va="center", fontsize=7.5, annotation_clip=False)
    last = -1e9
    for place, text in sorted(ticks):
        panel.plot([place, place], [row, row + 0.14], color="0.1", linewidth=0.8)
        below = place - last < 2.2 + 1.1 * len(text)
        panel.annotate(text, (place, row - 0.2 if below else row + 0.2), ha="center",
                       va="top" if below else "bottom", fontsize=6.5, annotation_clip=False)  # fmt: skip
        last = -1e9 if below else place


def plot_nomogram(
    model: NomogramModel | None, title: str, patient: Mapping[str, float] | None = None, patient_name: str = ""
) -> plt.Figure:
    """Draw the nomogram, and on it one worked patient: points on each axis, their sum, the risk.

    Args:
        model: None where no variable was selected: the figure says so.
        patient: values of the axes' variables; outside the drawn range they are shown at its end.
    """
    use_style()
    rows = (len(model.axes) if model else 0) + 3
    figure, panel = plt.subplots(figsize=(PAGE_INCHES, 0.9 + 0.48 * rows))
    panel.axis("off")
    panel.set_title(title, loc="left")
    if model is None:
        panel.text(0.5, 0.5, "No variable was selected: there is no model to draw", ha="center", va="center")
        return figure
    panel.set(xlim=(-30, 103), ylim=(-0.7, rows - 0.3))
    _scale(panel, rows - 1, "Points", [(p, f"{p}") for p in range(0, 101, 10)], (0, 100))
    for index, axis in enumerate(model.axes):
        row = rows - 2 - index
        ends = sorted((model.points(axis, axis.low), model.points(axis, axis.high)))
        _scale(panel, row, axis.name, [(model.points(axis, v), text) for v, text in _ticks(axis)], tuple(ends))
    most = sum(model.points(a, a.high if a.coefficient >= 0 else a.low) for a in model.axes)
    step = next(s for s in (10, 20, 25, 50, 100) if most / s <= 12)
    _scale(panel, 1, "Total points", [(100 * t / most, f"{t:g}") for t in np.arange(0, most + 1e-9, step)], (0, 100))
    risks = [r for r in (0.01, 0.05, *np.arange(0.1, 0.91, 0.1), 0.95, 0.99) if 0 <= model.points_of_risk(r) <= most]
    ends = (0.0, 100.0)
    ticks = [(100 * model.points_of_risk(r) / most, f"{1 - r if model.as_survival else r:.2g}") for r in risks]
    _scale(panel, 0, model.outcome, ticks, ends)
    if patient is not None:
        held = {a.name: float(np.clip(patient[a.name], a.low, a.high)) for a in model.axes}
        for index, axis in enumerate(model.axes):
            place = model.points(axis, held[axis.name])
            panel.plot([place, place], [rows - 2 - index, rows - 1], color="#d55e00", linewidth=0.7, linestyle=":")
            panel.plot(place, rows - 2 - index, "o", color="#d55e00", markersize=4)
        total = model.total_points(held)
        panel.plot([100 * total / most] * 2, [0, 1], color="#d55e00", linewidth=1)
        panel.plot([100 * total / most] * 2, [1, 0], "o", color="#d55e00", markersize=4)
        shown = ", ".join(f"{a.name} {_value_text(a, held[a.name])}" for a in model.axes)
        risk = model.risk_of_points(total)
        result = f"{model.outcome.lower()} {1 - risk:.2f}" if model.as_survival else f"risk {risk:.2f}"
        text = f"Worked patient {patient_name}: {shown}; {total:.0f} points, {result}"
        panel.text(36.5, -0.95, textwrap.fill(text, 120), fontsize=7, color="#a04000", ha="center", va="top")
    return figure


def _value_text(axis: Axis, value: float) -> str:
    return axis.levels[round(value)] if axis.levels else f"{value:.4g}"
