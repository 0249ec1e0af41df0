"""External validation of an applied model: predictions in the form of all others, case mix, recalibration, size."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from hcc_recurrence.endpoint import capital, endpoint
from hcc_recurrence.exported.outside import SEEN, UNKNOWN
from hcc_recurrence.exported.pages import item_text
from hcc_recurrence.learning.predictions import COLUMNS, prediction_rows
from hcc_recurrence.statistics.auc import auc_delong
from hcc_recurrence.statistics.case_mix import (
    difference_words,
    standardised_difference,
    standardised_difference_of_levels,
)
from hcc_recurrence.statistics.degenerate import why_no_interval
from hcc_recurrence.statistics.recalibration import (
    BOTH,
    IN_THE_LARGE,
    UNTOUCHED,
    cutoff_table,
    recalibration_table,
)
from hcc_recurrence.statistics.validation_size import size_table


def external_predictions(applied: pd.DataFrame, labels: pd.DataFrame, whole: bool = False) -> pd.DataFrame:
    """Applied probabilities as rows of the predictions table, with the cut-off that came with each model.

    One fitted model on patients of elsewhere: split `external`, estimate `held_out`, protocol `strict`, repeat 1.
    Patients without an outcome or a score are left out.

    Args:
        applied: patient_id, model, probability, cutoff. labels: of `make_labels`. whole: no rows, in place of an error,
            where nobody is left, as all others were training patients.

    Raises: ValueError where nobody is left: there is nothing to evaluate.
    """
    known = set(labels.dropna(subset=["er"])["patient_id"])
    parts = []
    for model, own in applied.groupby("model", sort=False):
        rows = own[own["patient_id"].isin(known) & own["probability"].notna()].sort_values("patient_id")
        if rows.empty:
            continue
        about = {"protocol": "strict", "split": "external", "estimate": "held_out", "repeat": 1, "fold": 0, "seed": 0}
        part = prediction_rows(labels, list(rows["patient_id"]), rows["probability"].to_numpy(), model=model, **about)
        parts.append(part.assign(cutoff=rows["cutoff"].to_numpy()))
    if not parts and whole:
        return pd.DataFrame(columns=[*COLUMNS, "cutoff"])
    if not parts:
        raise ValueError(
            "no patient has both a score and an outcome. What to do: fill in the outcome columns of the patients "
            "sheet, or leave them out altogether: then models are applied and not evaluated"
        )
    return pd.concat(parts, ignore_index=True)[[*COLUMNS, "cutoff"]]


def without_training_patients(
    applied: pd.DataFrame, outside: pd.DataFrame, labels: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Predictions, comparison and labels without the patients whom the model learned from, and who these are.

    A validation asks what the model does on patients it never saw. So its training patients are in no table, figure or
    sentence, not even apart: what the model says of them is its apparent performance, which the study that it comes
    from reports, and a mixture of both would be the estimate of nothing.

    Args:
        applied: of `predict_rows`. outside: of `compare_with_training`. labels: of `make_labels`.

    Returns: the three, and patient_id, words of those left out.
    """
    gone = outside[outside["verdict"] == SEEN][["patient_id", "words"]].drop_duplicates("patient_id")
    names = set(gone["patient_id"])
    kept = [table[~table["patient_id"].isin(names)].reset_index(drop=True) for table in (applied, outside, labels)]
    return kept[0], kept[1], kept[2], gone.reset_index(drop=True)


def left_out_words(gone: pd.DataFrame, outside: pd.DataFrame) -> list[str]:
    """What the page says first of patients who are left out, or of whom nobody can tell.

    Args: gone: of `without_training_patients`. outside: of those who are left.
    """
    if len(gone):
        number, names = len(gone), ", ".join(map(str, gone["patient_id"][:20]))
        more = " and others (left_out.csv)" if number > 20 else ""
        words = "patient is a training patient" if number == 1 else "patients are training patients"
        return [f"{number} {words} of this model and left out of everything below: {names}{more}."]
    if (outside["verdict"] == UNKNOWN).any():
        return [
            "The model came without fingerprints of its training images: whether some of these patients are its "
            "training patients, with whom every figure below would be too good, nobody can tell here."
        ]
    return []


def nobody_words(labels: pd.DataFrame, gone: pd.DataFrame) -> str:
    """Why there is nothing to validate on: nobody with an outcome, of those who did not train the model.

    Args: labels: of `make_labels`, without training patients. gone: of `without_training_patients`.
    """
    counts = labels.loc[labels["er"].isna(), "excluded_because"].value_counts()
    why = "; ".join(f"{number}: {reason}" for reason, number in counts.items() if reason)
    nobody = "Nobody else has an outcome" if len(gone) else "No patient has an outcome"
    return f"{nobody}: there is nothing to validate the model on{f' ({why})' if why else ''}."


def case_mix_table(
    outside: pd.DataFrame, distribution: Mapping[str, Any], outcome: pd.Series, with_features: bool = True
) -> pd.DataFrame:
    """Patients here beside the training patients: inputs and the rate of the outcome, the furthest apart first.

    Args:
        outside: values of all patients (`value` by patient_id and item). distribution: of the training patients.
        outcome: er of the patients here, by patient.

    Returns: group, item, unit, training, here (mean (SD) or fractions), n_training, n_here, missing_here, difference
    (standardised), verdict.
    """
    rows = [_outcome_row(distribution.get("case_mix", {}), outcome)]
    for own in distribution.get("inputs", []):
        if own["group"] == "features" and not with_features:
            continue
        mine = outside[outside["item"] == own["item"]]
        if mine.empty:
            continue
        about = {"group": own["group"], "item": own["item"], "unit": own["unit"], "n_training": own["n"]}
        found = _numeric(own, mine["value"]) if own["kind"] == "numeric" else _levels(own, mine["value"])
        rows.append({**about, **found})
    columns = ["group", "item", "unit", "training", "here", "n_training", "n_here", "missing_here", "difference"]
    table = pd.DataFrame([row for row in rows if row]).reindex(columns=columns)
    table["verdict"] = [difference_words(value) for value in table["difference"]]
    size = table["difference"].abs().fillna(-1)
    return table.loc[size.sort_values(ascending=False, kind="stable").index].reset_index(drop=True)


def _numeric(own: Mapping[str, Any], values: pd.Series) -> dict[str, Any]:
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(float)
    known = numbers[np.isfinite(numbers)]
    there = [float("nan") if own[key] is None else float(own[key]) for key in ("mean", "sd")]
    here = _mean_words(known.mean(), known.std(ddof=1)) if len(known) > 1 else ""
    return {
        "training": _mean_words(*there) if math.isfinite(there[0]) else "",
        "here": here,
        "n_here": len(known),
        "missing_here": len(numbers) - len(known),
        "difference": standardised_difference(known, *there),
    }


def _mean_words(mean: float, sd: float) -> str:
    """Mean (SD); what is left of a sum of equal numbers is no spread."""
    return f"{mean:.4g} ({0.0 if sd < 1e-12 * abs(mean) else sd:.3g})"


def _levels(own: Mapping[str, Any], values: pd.Series) -> dict[str, Any]:
    known = [_level(value) for value in values.dropna()]
    known = [value for value in known if value]
    fractions = {name: float(part) for name, part in own["fractions"].items()}
    # Levels that stand together in training stand together here.
    if "other" in fractions:
        known = [value if value in fractions else "other" for value in known]
    here = {name: known.count(name) / len(known) for name in sorted(set(known))} if known else {}
    both = bool(here and fractions)
    return {
        "training": _fraction_words(fractions),
        "here": _fraction_words(here),
        "n_here": len(known),
        "missing_here": len(values) - len(known),
        "difference": standardised_difference_of_levels(here, fractions) if both else float("nan"),
    }


def _level(value: Any) -> str:
    """A level as words: a column of 0 and 1 with gaps is read as 0.0 and 1.0."""
    text = str(value).strip()
    return text.removesuffix(".0") if text not in ("", "nan") else ""


def _fraction_words(fractions: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {100 * part:.0f}%" for name, part in fractions.items())


def _outcome_row(mix: Mapping[str, Any], outcome: pd.Series) -> dict[str, Any]:
    known = outcome.dropna()
    if not mix.get("patients") or mix.get("early_recurrence") is None or known.empty:
        return {}
    there, here = mix["early_recurrence"] / mix["patients"], float(known.mean())
    return {
        "group": "outcome",
        "item": endpoint().name,
        "unit": "",
        "training": f"{100 * there:.0f}%",
        "here": f"{100 * here:.0f}%",
        "n_training": mix["patients"],
        "n_here": len(known),
        "missing_here": len(outcome) - len(known),
        "difference": standardised_difference_of_levels({"0": 1 - here, "1": here}, {"0": 1 - there, "1": there})
        * (1 if here >= there else -1),
    }


def recalibrations(predictions: pd.DataFrame, resamples: int, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """`recalibration_table` and `cutoff_table` of each model, with columns model, n and events in front."""
    updates, cuts = [], []
    for model, own in predictions.groupby("model", sort=False):
        y, p = own["y"].to_numpy(), own["probability"].to_numpy()
        about = {"model": model, "n": len(y), "events": int(y.sum())}
        updates.append(_in_front(recalibration_table(y, p, resamples, seed), about))
        cuts.append(_in_front(cutoff_table(y, p, float(own["cutoff"].iloc[0]), resamples, seed), about))
    return pd.concat(updates, ignore_index=True), pd.concat(cuts, ignore_index=True)


def sizes(predictions: pd.DataFrame, widths: Mapping[str, float]) -> pd.DataFrame:
    """`size_table` of each model; the AUC that is expected is the one that is found here."""
    parts = []
    for model, own in predictions.groupby("model", sort=False):
        y, p = own["y"].to_numpy(), own["probability"].to_numpy()
        c = auc_delong(y, p).auc if 0 < y.sum() < len(y) else float("nan")
        parts.append(_in_front(size_table(y, p, c, widths), {"model": model}))
    return pd.concat(parts, ignore_index=True)


def _in_front(table: pd.DataFrame, about: Mapping[str, Any]) -> pd.DataFrame:
    return table.assign(**about)[[*about, *table.columns]]


def sentences(
    models: Sequence[str],
    metrics: pd.DataFrame,
    recalibration: pd.DataFrame,
    cuts: pd.DataFrame,
    size: pd.DataFrame,
    mix: pd.DataFrame,
) -> list[str]:
    """What the tables say, for a reader who reads one paragraph: case mix first, then a sentence or more a model."""
    inputs = mix[mix["group"] != "outcome"]
    far = inputs[inputs["verdict"] == "far apart"]
    words = []
    if len(inputs):
        named = [item_text(item, str(unit)) for item, unit in zip(far["item"], far["unit"], strict=True)][:5]
        text = (
            f"Of {len(inputs)} inputs {int((inputs['verdict'] == 'alike').sum())} are alike in both groups of patients"
        )
        if named:
            text += f", and {len(far)} far apart ({'; '.join(named)}{'; and others' if len(far) > 5 else ''})"
        words.append(f"{text}. Where patients differ, a lower AUC need not be the model's fault.")
    for row in mix[(mix["group"] == "outcome") & (mix["verdict"] == "far apart")].itertuples():
        words[-1:] = [" ".join([*words[-1:], f"{capital(row.item)}: {row.training} in training, {row.here} here."])]
    for model in models:
        words.append(" ".join(_of_model(model, metrics, recalibration, cuts, size)))
    return words


def _beside_one(low: float, high: float, below: str, above: str) -> str:
    """What an interval says that lies below 1, or above it; one that holds 1 says little."""
    return below if high < 1 else above if low > 1 else "1 is not excluded"


def _of_model(
    model: str, metrics: pd.DataFrame, recalibration: pd.DataFrame, cuts: pd.DataFrame, size: pd.DataFrame
) -> list[str]:
    own = metrics[metrics["model"] == model].iloc[0]
    updates = recalibration[recalibration["model"] == model].set_index("update")
    untouched, few = updates.loc[UNTOUCHED], why_no_interval((int(own["n_pos"]), int(own["n"] - own["n_pos"])))
    number = int(own["n"])
    found = [f"{model}: {number} patient{'s' if number > 1 else ''}, {int(own['n_pos'])} with {endpoint().name}."]
    if few:
        return [*found, f"Nothing can be said of how it does: {few}."]
    interval = f" (95% CI {own['auc_low']:.2f} to {own['auc_high']:.2f})" if math.isfinite(own["auc_low"]) else ""
    if math.isfinite(own["auc"]):
        found.append(f"AUC {own['auc']:.2f}{interval}.")
    ratio, low, high = (float(untouched[f"observed_expected{end}"]) for end in ("", "_low", "_high"))
    level = _beside_one(low, high, "on average its risks are too high", "on average its risks are too low")
    if math.isfinite(ratio):
        found.append(f"Observed / expected events {ratio:.2f} (95% CI {low:.2f} to {high:.2f}): {level}.")
    slope, low, high = (float(updates.loc[BOTH, f"slope{end}"]) for end in ("", "_low", "_high"))
    if math.isfinite(slope):
        spread = _beside_one(low, high, "its risks are too extreme", "its risks are too moderate")
        text = f"Calibration slope {slope:.2f} (95% CI {low:.2f} to {high:.2f}): {spread}"
        if slope < 0:
            text += (
                ". High risks have the outcome less often than low ones: do not recalibrate, look for what is swapped"
            )
        found.append(f"{text}.")
    else:
        found.append(f"No calibration slope: {updates.loc[BOTH, 'remark']}.")
    chosen = [name for name in updates.index if updates.loc[name, "chosen"]]
    if chosen:
        called = {
            UNTOUCHED: "The closed test keeps the untouched model.",
            IN_THE_LARGE: "The closed test calls for recalibration in the large (another intercept).",
            BOTH: "The closed test calls for another intercept and slope.",
        }
        found.append(called[chosen[0]])
    carried = cuts[(cuts["model"] == model) & (cuts["cutoff_from"] == "carried")].iloc[0]
    if math.isfinite(carried["cutoff"]):
        found.append(
            f"At the cut-off that came with it, {carried['cutoff']:.3f}: sensitivity {carried['sensitivity']:.2f}, "
            f"specificity {carried['specificity']:.2f}."
        )
    wanted = size[(size["model"] == model) & ~size["enough"]]
    if wanted.empty:
        found.append("There are as many patients as Riley's criteria ask for.")
    else:
        most = wanted["patients_needed"].max()
        asked = f"{most:.0f} patients" if math.isfinite(most) else "more patients than can be said"
        names = ", ".join(wanted["criterion"])
        found.append(f"Too few patients for a precise {names}: Riley's criteria ask for {asked}.")
    return found
