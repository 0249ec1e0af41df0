"""Tables as self-contained HTML pages for the report."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from hcc_recurrence.endpoint import endpoint
from hcc_recurrence.figures.p_values import auc_text, interval_text, p_text, ratio_text, settled
from hcc_recurrence.figures.shown_names import shown_name
from hcc_recurrence.statistics.degenerate import LEAST_OF_EACH, LEAST_PATIENTS

PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 14px/1.4 system-ui, sans-serif; margin: 1.5em; color: #222; }}
h1 {{ font-size: 1.5em; }}
table {{ border-collapse: collapse; }}
th, td {{ padding: 3px 10px; border-bottom: 1px solid #ddd; text-align: left; vertical-align: bottom; }}
td {{ white-space: nowrap; vertical-align: top; }}
.number {{ text-align: right; }}
p.mark {{ color: #a04000; }}
thead th {{ border-bottom: 2px solid #222; }}
table.wrapped td, td.sentence {{ white-space: normal; vertical-align: top; min-width: 12em; max-width: 36em; }}
tbody tr:hover {{ background: #f3f6fa; }}
</style></head><body><main><h1>{title}</h1>{note}{table}</main></body></html>
"""


# A cell with a number first: 0.713, 12 (23.4 %), 0.71 (0.60-0.80), < 0.001, OR 2.1, and those without a number.
NUMBER = re.compile(r"(?:OR |HR )?[<>=≤≥+\-−]?\s*\.?\d[\d.,e+\-]*(?:\s*[(±/\[%].*)?")
NO_NUMBER = {"", "-", "nan", "undefined", "no estimate"}
# Cells longer than that are sentences, which may go on in the next line.
SENTENCE = 60
# "One score for everyone in 2 of 3 fits" may stand in a column of numbers; a list of them with names may not.
LONGEST_BESIDE_NUMBERS = 45


def of_numbers(cells: Sequence[str]) -> bool:
    """Whether a column holds numbers, which stand at the right; one without any number or word does not."""
    told = [cell for cell in map(str.strip, cells) if cell.lower() not in NO_NUMBER]
    words = [cell for cell in told if not NUMBER.fullmatch(cell)]
    return len(words) < len(told) / 2 and all(len(cell) <= LONGEST_BESIDE_NUMBERS for cell in words)


def table_html(frame: pd.DataFrame, wrapped: bool = False) -> str:
    """A table in HTML: words at the left, numbers at the right, cells that are sentences in several lines."""

    def words_of(value: Any) -> str:
        return "" if pd.isna(value) else f"{value:g}" if isinstance(value, float) else str(value)

    text = pd.DataFrame({place: frame.iloc[:, place].map(words_of) for place in range(frame.shape[1])})
    kinds = ["number" if of_numbers(list(text[place])) else "" for place in text]

    def cell(tag: str, place: int, words: str, attributes: str = "") -> str:
        name = kinds[place] or ("sentence" if tag == "td" and len(words) > SENTENCE else "")
        attributes += f' class="{name}"' if name else ""
        return f"<{tag}{attributes}>{html.escape(shown_name(words))}</{tag}>"

    head = "".join(cell("th", place, str(name), ' scope="col"') for place, name in enumerate(frame.columns))
    rows = [
        "<tr>" + "".join(cell("td", place, words) for place, words in enumerate(row)) + "</tr>"
        for row in text.itertuples(index=False)
    ]
    start = '<table class="wrapped">' if wrapped else "<table>"
    return "\n".join([start, f"<thead><tr>{head}</tr></thead>", "<tbody>", *rows, "</tbody>", "</table>"])


def write_html(
    frame: pd.DataFrame, title: str, path: str | Path, note: str = "", mark: str = "", wrapped: bool = False
) -> None:
    """Write a table as one HTML file without scripts or outside references.

    Args:
        note: how to read it, above the table. mark: what a reader must know wherever the table goes.
        wrapped: cells are sentences.
    """
    text = f'<p class="mark">{html.escape(mark)}</p>' if mark else ""
    text += f"<p>{html.escape(note)}</p>" if note else ""
    page = PAGE.format(title=html.escape(title), note=text, table=table_html(frame, wrapped))
    Path(path).write_text(page, encoding="utf-8")


def with_interval(rows: pd.DataFrame, name: str, digits: int = 3) -> list[str]:
    """`interval_text` of the columns name, name_low and name_high."""
    columns = (rows[name], rows[f"{name}_low"], rows[f"{name}_high"])
    return [interval_text(*values, digits) for values in zip(*columns, strict=True)]


def readable(frame: pd.DataFrame, digits: int = 3) -> pd.DataFrame:
    """A table for people: floats rounded, P values as in journals, a dash for no number, underscores as spaces."""
    result = frame.copy()
    for column in result.columns:
        if not pd.api.types.is_float_dtype(result[column]):
            result[column] = result[column].map(lambda v: v.replace("_", " ") if isinstance(v, str) else v)
        elif column == "p" or column.endswith("_p") or column.startswith("p_"):
            result[column] = result[column].map(lambda v: "-" if pd.isna(v) else p_text(v))
        else:
            result[column] = result[column].map(lambda v: "-" if pd.isna(v) else f"{settled(v):z.{digits}f}")
    return result.rename(columns=lambda c: c.replace("_", " "))


def count_text(value: float, repeats: int) -> str:
    """A count, or the mean of the counts of several models with as many digits as tell their sum."""
    if pd.isna(value):
        return ""
    return f"{value:.{len(str(repeats)) if repeats > 1 else 0}f}"


def ratios_for_readers(panels: Sequence[tuple[str, str, pd.DataFrame]]) -> pd.DataFrame:
    """Odds and hazard ratios as journals print them, step by step, each named once.

    Args:
        panels: of `panels_of`: heading, column of the ratio, and rows with label, that column, low, high, p.
    """
    parts = []
    for heading, ratio, rows in panels:
        words = {"odds_ratio": "OR", "hazard_ratio": "HR"}[ratio]
        texts = [
            f"{words} {ratio_text(*values)}" if not pd.isna(values[0]) else "no estimate"
            for values in zip(rows[ratio], rows["low"], rows["high"], strict=True)
        ]
        part = pd.DataFrame(
            {"step": heading, "variable": rows["label"], "ratio (95% CI)": texts, "P": rows["p"].map(p_text)}
        )
        for column, name in (
            ("method", "method"),
            ("kept", "kept"),
            ("vif", "VIF"),
            ("ph_p", "P, proportional hazards"),
            ("remark", "remark"),
        ):
            if column in rows and rows[column].notna().any():
                values = rows[column]
                if column == "kept":
                    values = values.map({True: "yes", False: "no"})
                elif column == "method":
                    values = values.where(rows[ratio].notna(), "")
                elif column != "remark":
                    values = values.map(p_text if column == "ph_p" else "{:.2f}".format)
                part[name] = values
        parts.append(part)
    table = pd.concat(parts, ignore_index=True).fillna("") if parts else pd.DataFrame()
    # Last, and only where there is one.
    remarks = table.pop("remark") if "remark" in table else pd.Series(dtype=str)
    if (remarks != "").any():
        table["remark"] = remarks
    if len(table):
        table.loc[table.duplicated("step"), "step"] = ""
    return table


def survival_for_readers(measures: pd.DataFrame) -> pd.DataFrame:
    """The table of survival measures rounded for print; a median that is not reached says so."""
    table = readable(measures)
    for column in ("median_high", "median_low"):
        shown = column.replace("_", " ")
        table[shown] = table[shown].mask(measures[column] == math.inf, "not reached")
    return table


def metrics_for_readers(metrics: pd.DataFrame, best_auc: float | None) -> tuple[pd.DataFrame, str]:
    """The metrics table rounded for print, training first, and a note under the title."""
    order = {"strict": 0, "as_published": 1, "train": 0, "validation": 1, "external": 2}
    key = metrics["protocol"].map(order) * 10 + metrics["split"].map(order)
    rows = metrics.assign(_key=key).sort_values(["_key", "model"], kind="stable")
    table = pd.DataFrame(
        {
            "model": rows["model"],
            "protocol": rows["protocol"].str.replace("_", " "),
            "patients": rows["split"] + ", " + rows["estimate"].str.replace("_", " "),
            f"n ({endpoint().abbreviation})": rows["n"].astype(str) + " (" + rows["n_pos"].astype(str) + ")",
            "AUC (95% CI)": [auc_text(row) for row in rows.to_dict("records")],
            "repeats": rows["repeats"].astype(str),
            "SD over repeats": rows["auc_sd_over_repeats"].map(lambda v: "" if pd.isna(v) else f"{settled(v):.3f}"),
            "cut-off": rows["threshold"].map(lambda v: "" if pd.isna(v) else f"{settled(v):.3f}"),
        }
    )
    for count in ("tp", "fn", "tn", "fp"):
        table[count.upper()] = [count_text(v, n) for v, n in zip(rows[count], rows["repeats"], strict=True)]
    for rate in ("accuracy", "sensitivity", "specificity", "ppv", "npv"):
        table[rate.upper() if len(rate) <= 3 else rate] = with_interval(rows, rate)
    table["F1"] = rows["f1"].map(lambda v: "" if pd.isna(v) else f"{settled(v):.3f}")
    table["P (accuracy > no information)"] = rows["accuracy_p"].map(p_text)
    table["Brier"] = rows["brier"].map(lambda v: f"{settled(v):.3f}")
    table["remark"] = rows["remark"].fillna("")
    note = (
        "AUC with DeLong interval; the remark says why there is none. One score for everyone: at least half of the "
        "fits give all their patients the same score (a regression that selected no variable, a forest or a network "
        "that learned nothing); there is nothing to count or test. "
        f"There is no interval either of fewer than {LEAST_OF_EACH} patients of an outcome, or where every pair is in "
        "the same order. One fitted model is the unit: with several repeats (other folds, other random numbers) all "
        "numbers are means over the repeats of what single models reach, counts too, and the interval is that of one "
        "model: it holds the chance of the patients, and the SD over repeats that of training again. "
        "Out of fold and cross-validated the AUC is the mean over folds. The cut-off is Youden's on the "
        "training patients (out-of-fold probabilities in the strict protocol, as published cross-validated ones where "
        "the paper has them, else apparent ones) and is applied to the other patients. Intervals of rates are 95%: "
        "Clopper-Pearson for the accuracy and below "
        f"{LEAST_PATIENTS} patients, Wilson for the others."
    )
    if best_auc is not None:
        note = (
            f"SIMULATED patients. The oracle AUC, the best that a method can have on average, is {best_auc:.3f}. "
            + note
        )
    return table, note
