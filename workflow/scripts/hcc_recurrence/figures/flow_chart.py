"""Who is in the analysis: a flow chart from the sheet to the splits (CONSORT style)."""

from __future__ import annotations

import re
import textwrap

import matplotlib.pyplot as plt
import pandas as pd

from hcc_recurrence.endpoint import endpoint
from hcc_recurrence.figures.style import PAGE_INCHES, use_style

BOX = {"boxstyle": "round,pad=0.45", "facecolor": "white", "edgecolor": "0.25", "linewidth": 0.9}
ARROW = {"arrowstyle": "-|>", "color": "0.25", "linewidth": 0.9}


def kind_of_reason(reason: str) -> str:
    """A reason to leave a patient out without what is the patient's own: cells, numbers in brackets, other patients.

    Thirty damaged series are one line of the chart; the labels table and that of the problems have each patient's.
    """
    short = re.sub(r"\s*\([^)]*\)", "", re.split(r": mask \d|; it has|; it holds", reason)[0])
    short = re.sub(r"'[^']*'", "a cell", short)
    return re.sub(r"of patient [\w, -]+$", "of another patient", short).strip()


def flow_counts(labels: pd.DataFrame, split: pd.DataFrame) -> tuple[list[tuple[str, int]], dict[str, tuple[int, int]]]:
    """Reasons with the number of patients left out, and patients and early recurrences of each split."""
    out = labels[labels["excluded_because"] != ""]
    counts = out["excluded_because"].map(kind_of_reason).value_counts()
    reasons = [(reason, int(counts[reason])) for reason in sorted(counts.index)]
    early = labels.set_index("patient_id")["er"]
    parts = {}
    for name in ("train", "validation", "external"):
        members = split.loc[split["split"] == name, "patient_id"]
        if len(members):
            parts[name] = (len(members), int(early.loc[members].sum()))
    return reasons, parts


def plot_flow_chart(labels: pd.DataFrame, split: pd.DataFrame, title: str) -> plt.Figure:
    """Patients in the sheet, left out with reasons, used, those that train the segmentation, and in each split."""
    use_style()
    reasons, parts = flow_counts(labels, split)
    lines = [textwrap.fill(f"{number}: {reason}", 56, subsequent_indent="   ") for reason, number in reasons]
    excluded = "\n".join(lines) or "none"
    height = 3.0 + 0.14 * excluded.count("\n")
    figure, axis = plt.subplots(figsize=(PAGE_INCHES, height))
    axis.set(xlim=(0, 1), ylim=(0, 1))
    axis.axis("off")
    axis.set_title(title, loc="left")
    used, left_out = int((labels["excluded_because"] == "").sum()), sum(n for _, n in reasons)
    early = int(labels.loc[labels["excluded_because"] == "", "er"].sum())

    def box(x: float, y: float, text: str, align: str = "center") -> None:
        axis.text(x, y, text, ha=align, va="center", fontsize=7.5, bbox=BOX, multialignment=align)

    def arrow(start: tuple[float, float], end: tuple[float, float]) -> None:
        axis.annotate("", end, start, arrowprops=ARROW)

    arrow((0.28, 0.84), (0.28, 0.575))
    arrow((0.28, 0.70), (0.50, 0.70))
    box(0.28, 0.90, f"In the patients sheet\nn = {len(labels)}")
    box(0.52, 0.70, f"Left out, n = {left_out}\n{excluded}", "left")
    places = {1: [0.28], 2: [0.2, 0.6], 3: [0.15, 0.5, 0.85]}[len(parts)]
    names = {"train": "Training", "validation": "Validation", "external": "External"}
    for x, (name, (number, events)) in zip(places, parts.items(), strict=True):
        arrow((0.28, 0.43), (x, 0.19))
        box(x, 0.12, f"{names[name]}\nn = {number}\n{endpoint().abbreviation} {events} ({100 * events / number:.0f}%)")
    segmented = used - sum(number for number, _ in parts.values())
    if segmented:
        arrow((0.38, 0.50), (0.52, 0.50))
        box(0.54, 0.50, f"Train the segmentation network, in no split\nn = {segmented}", "left")
    box(0.28, 0.50, f"Used\nn = {used}, {endpoint().abbreviation} {early} ({100 * early / max(used, 1):.0f}%)")
    return figure
