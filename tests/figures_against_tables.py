"""Whether the numbers of a figure (its CSV) are those of the tables beside it, family by family."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from hcc_recurrence.figures.p_values import auc_text, interval_text, p_text
from hcc_recurrence.figures.performance import ESTIMATE_TEXT

PANELS = {text: key for key, text in ESTIMATE_TEXT.items()}
# Of a table written with ten digits.
NEAR = 1e-8


def panel_key(panel: str) -> tuple[str, str]:
    """Split and estimate of `RCR. Training, out of fold (n = 61, 35 ER)`."""
    # The longest first: `Training, apparent` and no other begins with it.
    return next(key for text, key in PANELS.items() if re.search(rf"(^|\. ){re.escape(text)}( \(|$)", panel))


def _rows(table: pd.DataFrame, protocol: str, panel: str) -> pd.DataFrame:
    split, estimate = panel_key(panel)
    found = (table["protocol"] == protocol) & (table["split"] == split) & (table["estimate"] == estimate)
    return table[found]


def _near(one: float, other: float) -> bool:
    return abs(one - other) < NEAR


def roc_contradictions(numbers: pd.DataFrame, metrics: pd.DataFrame, protocol: str) -> list[str]:
    """The legend has the table's AUC and interval, and the curve's area is the AUC."""
    found = []
    for (panel, name), line in numbers[(numbers["kind"] == "line") & (numbers["name"] != "")].groupby(
        ["panel", "name"]
    ):
        rows = _rows(metrics, protocol, panel).to_dict("records")
        row = next((row for row in rows if name == f"{row['model']} {auc_text(row, 2)}"), None)
        if row is None:
            found.append(f"roc, {panel}: {name!r} is in no row of the table")
        elif abs(np.trapezoid(line["y"], line["x"]) - row["auc"]) > 1e-6:
            found.append(f"roc, {panel}: the area of {row['model']} is not {row['auc']}")
    return found


def forest_contradictions(
    numbers: pd.DataFrame,
    table: pd.DataFrame,
    protocol: str,
    label: str = "model",
    ends: tuple[str, str] = ("auc_low", "auc_high"),
) -> list[str]:
    """Each point is an AUC, or a published one, and each line its interval."""
    found = []
    for (panel, name), own in numbers[numbers["y_label"] != ""].groupby(["panel", "y_label"]):
        row = _rows(table, protocol, panel).set_index("model").loc[name]
        points = own.loc[own["kind"] == "point", "x"]
        known = [row["auc"], row.get("published", np.nan)]
        if not all(any(_near(x, value) for value in known if np.isfinite(value)) for x in points):
            found.append(f"forest, {panel}, {name}: {list(points)} and not {known}")
        line = own.loc[own["kind"] == "line", "x"].dropna()
        if len(line) and not (_near(line.min(), row["auc_low"]) and _near(line.max(), row["auc_high"])):
            found.append(f"forest, {panel}, {name}: interval {line.min()} to {line.max()}")
    return found


def confusion_contradictions(numbers: pd.DataFrame, metrics: pd.DataFrame, protocol: str) -> list[str]:
    """The four counts of each model, with the digits that are printed, and their fractions."""
    found = []
    for panel, own in numbers[numbers["kind"] == "text"].groupby("panel"):
        rows = _rows(metrics, protocol, panel).set_index("model")
        known = [model for model in rows.index if panel.startswith(f"{model}. ")]
        if not known:
            # A panel that says why it shows nothing.
            continue
        row = rows.loc[max(known, key=len)]
        for words in own["text"]:
            count = re.match(r"(TN|FP|FN|TP) ([\d.]+) (\d+)%", words)
            if count is None:
                continue
            digits = len(count[2].partition(".")[2])
            outcome = row["tn"] + row["fp"] if count[1] in ("TN", "FP") else row["tp"] + row["fn"]
            value = row[count[1].lower()]
            if f"{value:.{digits}f}" != count[2] or f"{100 * value / outcome:.0f}" != count[3]:
                found.append(f"confusion, {panel}: {words} and not {value} of {outcome}")
    return found


def pair_contradictions(numbers: pd.DataFrame, pairs: pd.DataFrame, protocol: str) -> list[str]:
    """P of each pair of models, and the difference of their AUCs with the sign of row minus column."""
    found = []
    for row in numbers[(numbers["kind"] == "text") & (numbers["text"] != "-")].to_dict("records"):
        own = _rows(pairs, protocol, row["panel"]).set_index(["model", "other"])
        column, line = row["x_label"], row["y_label"]
        turned = (line, column) in own.index
        pair = own.loc[(line, column) if turned else (column, line)]
        difference = pair["difference"] * (1 if turned else -1)
        words = row["text"].split()
        shown = f"{difference:+.2f}" if abs(difference) >= 0.005 else "0.00"
        if words[0] != p_text(pair["p_holm"]) or (len(words) > 1 and words[1] != shown):
            found.append(
                f"delong, {row['panel']}: {line} against {column} {words} and not {pair['p_holm']}, {difference}"
            )
    return found


def time_contradictions(numbers: pd.DataFrame, table: pd.DataFrame, protocol: str, horizon: float) -> list[str]:
    """The legend has the AUC at the time of the table that is nearest to the horizon."""
    found = []
    for panel, names in numbers.groupby("panel")["name"].unique().items():
        for name in filter(None, names):
            rows = _rows(table, protocol, panel)
            nearest = rows[(rows["months"] - horizon).abs() == (rows["months"] - horizon).abs().min()]
            texts = {
                f"{r['model']} {interval_text(r['auc'], r['low'], r['high'], 2)}" for r in nearest.to_dict("records")
            }
            if ":" not in name and name not in texts:
                found.append(f"time auc, {panel}: {name!r} and not one of {texts}")
    return found


def optimism_contradictions(numbers: pd.DataFrame, table: pd.DataFrame) -> list[str]:
    """Both AUCs and their difference with its interval."""
    found = []
    for (panel, model), own in numbers[numbers["y_label"] != ""].groupby(["panel", "y_label"]):
        difference = panel.startswith("Optimism")
        kind = panel.removeprefix("Optimism (95% CI), ")
        row = table[(table["patients"] == kind) & (table["model"] == model)].iloc[0]
        known = [row["optimism"]] if difference else [row["strict"], row["as_published"]]
        points = own.loc[own["kind"] == "point", "x"].dropna()
        if not all(any(_near(x, value) for value in known) for x in points):
            found.append(f"optimism, {panel}, {model}: {list(points)} and not {known}")
        line = own.loc[own["kind"] == "line", "x"].dropna()
        if difference and len(line) and not (_near(line.min(), row["low"]) and _near(line.max(), row["high"])):
            found.append(f"optimism, {panel}, {model}: interval {line.min()} to {line.max()}")
    return found
