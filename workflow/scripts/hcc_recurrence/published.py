"""What the five papers' printed tables say, and what they cannot mean (docs/methods.md 1.8, 2.8, 3.8, 4.7, 5.8).

The tables are in workflow/published (see its README). Each check recomputes a printed number from other printed
numbers. "Inconsistent" means that the numbers of one table cannot all be right; it does not say which one is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from hcc_recurrence.statistics.auc import clopper_pearson_on_auc
from hcc_recurrence.statistics.classification import Confusion
from hcc_recurrence.statistics.count_solver import explain_row
from hcc_recurrence.statistics.logistic import exponentiated_ols_slope, logistic_table, two_by_two_odds_ratio
from hcc_recurrence.statistics.proportions import chi_square_p, fisher_p

RATES = ("accuracy", "sensitivity", "specificity", "ppv", "npv")
COLUMNS = ("paper", "table", "what", "printed", "found", "consistent")
TITLES = {
    "cui2022": "Cui 2022",
    "wang2022": "Wang 2022",
    "yan2023": "Yan 2023",
    "zhao2024": "Zhao 2024",
    "zhang2025": "Zhang 2025",
}


def read_published(folder: Path, name: str) -> pd.DataFrame:
    """One table of workflow/published as text: the printed digits matter."""
    return pd.read_csv(folder / f"{name}.csv", dtype=str, keep_default_na=False)


def _counts_text(counts: Confusion) -> str:
    return f"TP {counts.tp}, FN {counts.fn}, TN {counts.tn}, FP {counts.fp}"


def check_classification(table: pd.DataFrame) -> pd.DataFrame:
    """Whether any confusion matrix of the stated class sizes gives the printed rates.

    Where none does, the same with sensitivity and specificity read as something else, then with the class sizes
    that other rows of the paper fit.
    """
    rows = []
    for row in table.to_dict("records"):
        printed = {rate: row[rate] for rate in RATES if row[rate]}
        sizes = [(int(row["n_pos"]), int(row["n_neg"]), "")]
        if row["other_pos"]:
            other = (int(row["other_pos"]), int(row["other_neg"]))
            sizes.append(
                (*other, f"with {other[0]} and {other[1]} patients instead of {sizes[0][0]} and {sizes[0][1]}")
            )
        # The plain reading first, under the stated and then under the other sizes.
        options = [(explain_row(pos, neg, printed), about) for pos, neg, about in sizes]
        options.sort(key=lambda option: {"as printed": 0, "no reading": 2}.get(option[0][0], 1))
        (reading, counts), about = options[0]
        plain = reading == "as printed" and not about
        if plain:
            found = "unique: " + _counts_text(counts[0]) if len(counts) == 1 else f"{len(counts)} solutions"
        elif counts:
            how = " and ".join(part for part in ("" if reading == "as printed" else reading, about) if part)
            found = f"no counts as printed; {how}: {_counts_text(counts[0])}"
        else:
            found = "no counts fit, under any reading tried" + _nearly(row, printed)
        text = ", ".join(f"{rate} {value}" for rate, value in printed.items())
        rows.append((row["paper"], row["table"], f"{row['model']}, {row['patients']}", text, found, plain))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _nearly(row: dict[str, str], printed: dict[str, str]) -> str:
    """Name the one rate whose removal lets the others fit."""
    for rate in printed:
        rest = {r: v for r, v in printed.items() if r != rate}
        reading, counts = explain_row(int(row["n_pos"]), int(row["n_neg"]), rest)
        if reading == "as printed" and len(counts) == 1:
            value = getattr(counts[0], rate)
            return f"; without the {rate} they are {_counts_text(counts[0])}, and it would be {value:.4f}"
    return ""


def check_intervals(table: pd.DataFrame) -> pd.DataFrame:
    """Whether a printed interval lies about its estimate as its kind demands, within the rounding of the digits.

    AUC (DeLong), C-index: symmetric, cut at 1. Ratios: symmetric on the log scale. Wang's AUC: exact binomial.
    """
    rows = []
    for row in table.to_dict("records"):
        value, low, high = (float(row[c]) for c in ("value", "low", "high"))
        digits = [len(row[c].lower().partition("e")[0].partition(".")[2]) for c in ("value", "low", "high")]
        unit = 10.0 ** -min(digits)
        if row["scale"] == "auc_binomial":
            expected = clopper_pearson_on_auc(value, int(row["n"]))
            good = max(abs(low - expected[0]), abs(high - expected[1])) <= 1.5 * unit
            found = f"exact binomial of AUC x {row['n']}: {expected[0]:.3f} to {expected[1]:.3f}"
        elif row["scale"] == "ratio":
            centre = float(np.exp((np.log(low) + np.log(high)) / 2))
            # Rounded limits blur the middle on the log scale; exponents are compared where they are printed.
            exponent = "e" in row["value"].lower()
            blur = 0.5 if exponent else unit / 2 * (1 / low + 1 / high) / 2 + unit / 2 / value + 1e-9
            good = low <= value <= high and abs(np.log(centre / value)) <= max(blur, 0.02)
            found = f"middle of the interval on the log scale: {centre:.4g}"
        else:
            middle = (low + high) / 2
            good = low <= value <= high and (high >= 1 or abs(middle - value) <= unit * (1 + 1e-6))
            found = f"middle of the interval: {middle:.4f}"
        if not good and row["scale"] in ("auc", "value") and value > low:
            found += f"; symmetric limits would be {2 * value - high:.3f} or {2 * value - low:.3f}"
        elif not good and row["scale"] == "auc":
            found += f"; the symmetric lower limit is {2 * value - high:.3f}"
        printed = f"{row['value']} ({row['low']} to {row['high']})"
        rows.append((row["paper"], row["table"], f"{row['model']}, {row['patients']}", printed, found, bool(good)))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def check_two_by_two(table: pd.DataFrame) -> pd.DataFrame:
    """Whether a printed odds ratio follows from the printed counts, as the odds ratio that it is called."""
    rows = []
    for row in table.to_dict("records"):
        a, b, pos, neg = (int(row[c]) for c in ("exposed_pos", "exposed_neg", "n_pos", "n_neg"))
        printed = np.array([float(row[c]) for c in ("value", "low", "high")])
        tolerance = 1.1 * 10.0 ** -len(row["value"].partition(".")[2])
        woolf = np.array(two_by_two_odds_ratio(a, b, pos - a, neg - b))
        text = f"{row['value']} ({row['low']} to {row['high']})"
        what = row["variable"]
        true = f"odds ratio {woolf[0]:.2f} ({woolf[1]:.2f} to {woolf[2]:.2f})"
        good = bool(np.all(np.abs(woolf - printed) <= tolerance))
        if not good:
            outcome = np.r_[np.ones(pos), np.zeros(neg)]
            exposed = np.r_[np.arange(pos) < a, np.arange(neg) < b].astype(float)
            slope = np.array(exponentiated_ols_slope(outcome, exposed))
            inverse = np.array([1 / woolf[0], 1 / woolf[2], 1 / woolf[1]])
            if np.all(np.abs(slope - printed) <= 2.1 * 10.0**-3):
                true += "; printed is exp(slope) of least squares on 0/1 with a 90% interval"
            elif np.all(np.abs(inverse - printed) <= tolerance):
                true += "; printed is the odds ratio of absence"
        rows.append((row["paper"], row["table"], what, text, true, good))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _values_like(text: str, n: int) -> np.ndarray:
    """Values of n patients as a table prints them: any with that mean (SD), or the counts of grades from 1."""
    if "/" in text:
        counts = [int(v) for v in text.split("/")]
        return np.repeat(np.arange(1.0, len(counts) + 1), counts)
    mean, spread = (float(v) for v in text.rstrip(")").split(" ("))
    # A least squares line through two groups knows no more of them than their means and SDs.
    shape = np.linspace(-1, 1, n)
    return mean + spread * shape / shape.std(ddof=1)


def check_linear_terms(table: pd.DataFrame) -> pd.DataFrame:
    """Whether a printed odds ratio of a number or grade is that of a logistic regression, or exp(slope) on 0/1."""
    rows = []
    for row in table.to_dict("records"):
        groups = [_values_like(row[name], int(row[f"n_{name}"])) for name in ("pos", "neg")]
        outcome = np.repeat([1.0, 0.0], [len(g) for g in groups])
        x = np.concatenate(groups)
        printed = np.array([float(row[c]) for c in ("value", "low", "high")])
        fitted = logistic_table(outcome, pd.DataFrame({"x": x})).iloc[0]
        ratio = fitted[["odds_ratio", "low", "high"]].to_numpy(float)
        good = bool(np.all(np.abs(ratio - printed) <= 1.1e-3))
        found = f"odds ratio {ratio[0]:.3f} ({ratio[1]:.3f} to {ratio[2]:.3f})"
        if not good and np.all(np.abs(exponentiated_ols_slope(outcome, x) - printed) <= 2.1e-3):
            found += "; printed is exp(slope) of least squares on 0/1 with a 90% interval"
        text = f"{row['value']} ({row['low']} to {row['high']})"
        rows.append((row["paper"], row["table"], row["variable"], text, found, good))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def check_group_tests(table: pd.DataFrame) -> pd.DataFrame:
    """Whether one of the usual tests gives the printed P from the printed counts; which one is named."""
    rows = []
    for row in table.to_dict("records"):
        counts = np.array([[int(v) for v in row[c].split("/")] for c in ("first", "second")])
        counts = counts[:, counts.sum(axis=0) > 0]
        p = {"chi-square": chi_square_p(counts)}
        if counts.shape[1] == 2:
            p["chi-square with Yates"] = chi_square_p(counts, yates=True)
            p["Fisher's exact"] = fisher_p(counts)
        fitting = [name for name, value in p.items() if _same_p(value, row["p"])]
        named = {"pearson": "chi-square", "yates": "chi-square with Yates", "fisher": "Fisher's exact"}[row["test"]]
        if counts.shape[1] > 2 and named.endswith("Yates"):
            named = "chi-square"
        fitting.sort(key=lambda name: name != named)
        found = f"{fitting[0]}" if fitting else "none of " + ", ".join(f"{k} {v:.3f}" for k, v in p.items())
        printed = f"{row['first']} against {row['second']}, P {row['p']}"
        rows.append((row["paper"], row["table"], f"{row['variable']} ({row['groups']})", printed, found, bool(fitting)))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _same_p(value: float, printed: str) -> bool:
    if printed.startswith("<"):
        return value < float(printed[1:])
    digits = max(len(printed.partition(".")[2]), 2)
    return abs(value - float(printed)) <= 0.55 * 10.0**-digits


def check_everything(folder: Path) -> pd.DataFrame:
    """All checks of all tables, and the statements worked out in words; columns COLUMNS."""
    statements = read_published(folder, "statements")
    words = pd.DataFrame(
        {
            "paper": statements["paper"],
            "table": statements["place"],
            "what": statements["claim"],
            "printed": "",
            "found": statements["arithmetic"] + " (" + statements["verdict"] + ")",
            "consistent": False,
        }
    )
    parts = [
        check_classification(read_published(folder, "classification")),
        check_intervals(read_published(folder, "intervals")),
        check_two_by_two(read_published(folder, "two_by_two")),
        check_linear_terms(read_published(folder, "linear_terms")),
        check_group_tests(read_published(folder, "group_tests")),
        words,
    ]
    return pd.concat(parts, ignore_index=True)


# Which of our splits a paper's patients correspond to.
SPLITS = {
    "training": "train",
    "development": "train",
    "validation": "validation",
    "test": "validation",
    "internal": "validation",
    "external": "external",
}


# Papers whose printed numbers of training patients are cross-validated (Wang 2022, 4.3). Zhang 2025 has a figure of its
# cross-validation beside tables whose training rows come from models of all training patients.
CROSS_VALIDATED_PAPERS = ("wang2022",)


def published_auc(folder: Path, paper: str, model: str) -> pd.DataFrame:
    """Printed AUCs of one model of a paper: split, value, low, high; empty where the paper has none."""
    return _auc_of(read_published(folder, "intervals"), paper, model)


def _auc_of(table: pd.DataFrame, paper: str, model: str) -> pd.DataFrame:
    own = table[(table["paper"] == paper) & (table["model"] == model) & table["scale"].str.startswith("auc")]
    own = own.assign(split=own["patients"].map(SPLITS)).dropna(subset=["split"])
    if paper == "wang2022":
        # Wang's validation patients come from another hospital.
        own["split"] = own["split"].replace("validation", "external")
    return own[["split", "value", "low", "high"]].astype({c: float for c in ("value", "low", "high")})


def with_published(metrics: pd.DataFrame, folder: Path, papers: Mapping[str, Mapping[str, str]]) -> pd.DataFrame:
    """The metrics table with a column `published`: the AUC that the paper prints for the model, NaN where none.

    Strict out-of-fold rows have none: what the papers print of training patients is cross-validated
    (`CROSS_VALIDATED_PAPERS`) or apparent, and stands beside the rows of that estimate.

    Args:
        papers: paper -> our model name -> the paper's own name for it. Models of a comparison are `paper:model`.
    """
    table, result = read_published(folder, "intervals"), metrics.assign(published=np.nan)
    for paper, names in papers.items():
        for ours, theirs in names.items():
            printed = _auc_of(table, paper, theirs).drop_duplicates("split").set_index("split")["value"]
            named = result["model"].isin([ours, f"{paper}:{ours}"])
            by_folds = named & (result["estimate"] == "cross_validated")
            other = "apparent" if paper in CROSS_VALIDATED_PAPERS and by_folds.any() else "cross_validated"
            rows = named & ~result["estimate"].isin({"out_of_fold", other})
            result.loc[rows, "published"] = result.loc[rows, "split"].map(printed)
    return result


def write_document(folder: Path, path: Path) -> None:
    """The page docs/published_numbers.md: every published number that is checked, and each found inconsistent."""
    table = check_everything(folder)
    good = int(table["consistent"].sum())
    lines = [
        "# What the printed tables say, and what they cannot mean",
        "",
        "Made by `python -m hcc_recurrence.published` from `workflow/published`; a test keeps it in step. Each line",
        "recomputes a printed number from other printed numbers of the same paper. Not consistent: they cannot all be",
        "right; which one is wrong, the table does not say.",
        "",
        f"{len(table)} checks: {good} consistent, {len(table) - good} not.",
        "",
        "| paper | checked | consistent | not |",
        "|---|---|---|---|",
    ]
    for paper, title in TITLES.items():
        own = table[table["paper"] == paper]
        lines.append(f"| {title} | {len(own)} | {int(own['consistent'].sum())} | {int((~own['consistent']).sum())} |")
    for heading, flag in (("Not consistent", False), ("Consistent", True)):
        lines += ["", f"## {heading}", "", "| paper | place | what | printed | recomputed |", "|---|---|---|---|---|"]
        for row in table[table["consistent"] == flag].to_dict("records"):
            cells = [TITLES[row["paper"]], row["table"], row["what"], row["printed"], row["found"]]
            lines.append("| " + " | ".join(str(c).replace("|", "/") for c in cells) + " |")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    import sys

    write_document(Path(sys.argv[1]), Path(sys.argv[2]))
