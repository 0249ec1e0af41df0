"""Who is in the analysis: a flow chart from the sheet to the splits (CONSORT style)."""

from __future__ import annotations

import re
import textwrap

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.text import Text

from hcc_recurrence.endpoint import endpoint
from hcc_recurrence.figures.style import PAGE_INCHES, use_style

BOX = {"boxstyle": "round,pad=0.45", "facecolor": "white", "edgecolor": "0.25", "linewidth": 0.9}
ARROW = {"color": "0.25", "linewidth": 0.9}
# Height of the line from which one goes down to each set, inches.
ACROSS = 0.96
Place = tuple[float, float]


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
    """Patients in the sheet, left out with reasons, used, those that train the segmentation, and in each split.

    Places are fractions of the width, and inches from below.
    """
    use_style()
    reasons, parts = flow_counts(labels, split)
    lines = [textwrap.fill(f"{number}: {reason}", 56, subsequent_indent="   ") for reason, number in reasons]
    excluded = "\n".join(lines) or "none"
    # Reasons take what place they need: all above them moves up.
    longer = 0.14 * excluded.count("\n")
    height = 3.0 + longer
    figure, axis = plt.subplots(figsize=(PAGE_INCHES, height))
    axis.set(xlim=(0, 1), ylim=(0, height))
    axis.axis("off")
    axis.set_title(title, loc="left")
    used, left_out = int((labels["excluded_because"] == "").sum()), sum(n for _, n in reasons)
    early = int(labels.loc[labels["excluded_because"] == "", "er"].sum())

    def box(x: float, y: float, text: str, align: str = "center") -> Text:
        return axis.text(x, y, text, ha=align, va="center", fontsize=7.5, bbox=BOX, multialignment=align)

    def line(start: Text | Place, end: Text | Place, style: str = "-|>") -> None:
        """From one box or place to another; a line begins and ends at the edge of a box, whatever its size."""
        (begin, patch_a), (stop, patch_b) = (
            (part.get_position(), part.get_bbox_patch()) if isinstance(part, Text) else (part, None)
            for part in (start, end)
        )
        ends = {"patchA": patch_a, "patchB": patch_b, "shrinkA": 0, "shrinkB": 0, "arrowstyle": style}
        axis.annotate("", stop, begin, arrowprops={**ARROW, **ends})

    sheet = box(0.28, 2.7 + longer, f"In the patients sheet\nn = {len(labels)}")
    out = box(0.52, 2.1 + longer / 2, f"Left out, n = {left_out}\n{excluded}", "left")
    kept = box(0.28, 1.5, f"Used\nn = {used}, {endpoint().abbreviation} {early} ({100 * early / max(used, 1):.0f}%)")
    line(sheet, kept)
    line((0.28, 2.1 + longer / 2), out)
    places = {1: [0.28], 2: [0.2, 0.6], 3: [0.15, 0.5, 0.85]}[len(parts)]
    names = {"train": "Training", "validation": "Validation", "external": "External"}
    # A line down from those who are used, one across, and one down to each set.
    if len(parts) > 1:
        line(kept, (0.28, ACROSS), "-")
        line((places[0], ACROSS), (places[-1], ACROSS), "-")
    for x, (name, (number, events)) in zip(places, parts.items(), strict=True):
        text = f"{names[name]}\nn = {number}\n{endpoint().abbreviation} {events} ({100 * events / number:.0f}%)"
        line((x, ACROSS) if len(parts) > 1 else kept, box(x, 0.36, text))
    segmented = used - sum(number for number, _ in parts.values())
    if segmented:
        line(kept, box(0.54, 1.5, f"Train the segmentation network, in no split\nn = {segmented}", "left"))
    return figure
