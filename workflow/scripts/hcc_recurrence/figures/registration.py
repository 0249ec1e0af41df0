"""How well phases were registered."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd

from hcc_recurrence.figures.style import COLOURS, PAGE_INCHES, use_style


def plot_registration(quality: pd.DataFrame, title: str) -> plt.Figure:
    """Overlap of the tumour masks before and after, and how far each phase moved; failed ones are crosses.

    Args:
        quality: phase, shift_mm, angle_deg, dice_before, dice_after, failed; one row a patient and phase.
    """
    use_style()
    figure, (left, right) = plt.subplots(1, 2, figsize=(PAGE_INCHES, 3.2))
    left.plot([0, 1], [0, 1], color="#999999", linewidth=0.8, linestyle="--")
    for place, (phase, rows) in enumerate(quality.groupby("phase")):
        for failed, marker in ((False, "o"), (True, "x")):
            part = rows[(rows["failed"] != "") == failed]
            name = f"{phase}: {len(part)} {'failed, not used' if failed else 'registered'}"
            style = {"s": 14, "color": COLOURS[place], "marker": marker, "linewidths": 1, "label": name}
            left.scatter(part["dice_before"], part["dice_after"], **style)
            right.scatter(part["shift_mm"], part["angle_deg"], **style)
    left.set(
        xlim=(0, 1), ylim=(0, 1.02), xlabel="Dice before", ylabel="Dice after", title="Overlap of the tumour masks"
    )
    left.set_aspect("equal")
    right.set(xlabel="Shift (mm)", ylabel="Rotation (degrees)", title="What the registration did")
    right.set(xlim=(0, None), ylim=(0, None))
    figure.legend(*right.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    figure.suptitle(title, fontsize=8)
    return figure
