"""ROC curves of the same networks by the masks of two readers."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd

from hcc_recurrence.endpoint import endpoint
from hcc_recurrence.figures.p_values import auc_text, p_text
from hcc_recurrence.figures.performance import canvas, legend_below, say_nothing
from hcc_recurrence.figures.style import model_colours


def plot_second_reader(scores: pd.DataFrame, table: pd.DataFrame, title: str) -> plt.Figure:
    """A panel a protocol, set and reader: each network by the study's masks (solid) and by the other reader's (dashed).

    Args:
        scores: of `reader_scores`. table: of `reader_table`, whose AUCs and P stand in the legend, or of
            `nobody_outside`, whose words are all that is drawn.
    """
    from sklearn.metrics import roc_curve

    if scores.empty:
        figure, (axis,), (below,) = canvas(1, len(table))
        axis.axis("off")
        for row in table.itertuples():
            say_nothing(axis, f"{row.reader}: {row.remark}")
        legend_below(axis, below, columns=1)
        return figure
    keys = ["protocol", "split", "reader"]
    panels = list(scores.groupby(keys, sort=False))
    figure, axes, legends = canvas(len(panels), 2 * scores["model"].nunique())
    colours = model_colours(sorted(scores["model"].unique()))
    for axis, below, (about, rows) in zip(axes, legends, panels, strict=True):
        protocol, split, reader = about
        for model, own in rows.groupby("model", sort=False):
            line = table.query(
                "protocol == @protocol and split == @split and reader == @reader and model == @model"
            ).iloc[0]
            if line["remark"]:
                # The rule of every figure: no curve of a handful of patients, or of one score for everyone.
                aucs = [f"{line[name]:.2f}" for name in ("auc", "auc_other") if pd.notna(line[name])]
                words = f" {' and '.join(aucs)};" if aucs else ":"
                say_nothing(axis, f"{model}{words} {line['remark']}")
                continue
            other = line[["auc_other", "low_other", "high_other"]].set_axis(["auc", "auc_low", "auc_high"])
            first = line[["auc", "low", "high"]].set_axis(["auc", "auc_low", "auc_high"])
            p = f", P {p_text(line['p'])}" if pd.notna(line["p"]) else ""
            for column, style, words, area in (
                ("own", "-", "study's masks", first),
                ("other", "--", f"{reader}{p}", other),
            ):
                x, y, _ = roc_curve(own["y"], own[column], drop_intermediate=False)
                label = f"{model}, {words}: {auc_text(area, 2)}"
                axis.plot(x, y, color=colours[model], linestyle=style, linewidth=1.4, label=label)
        axis.plot([0, 1], [0, 1], color="0.6", linewidth=0.8, linestyle=":")
        one = rows.drop_duplicates("patient_id")
        number = f"n = {len(one)}, {int(one['y'].sum())} {endpoint().abbreviation}"
        words = f"{split.capitalize()}, {protocol.replace('_', ' ')} ({number})"
        axis.set(title=words, xlabel="1 - specificity", ylabel="Sensitivity", aspect="equal")
        legend_below(axis, below, title="AUC (95% CI)", columns=1)
    figure.suptitle(f"{title}: masks of two readers", fontsize=8)
    return figure
