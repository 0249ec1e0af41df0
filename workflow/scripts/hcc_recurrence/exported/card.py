"""The model card of an exported model: README.md with the front matter that Hugging Face reads."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import yaml

from hcc_recurrence.endpoint import EARLY_RECURRENCE, Endpoint
from hcc_recurrence.exported.about import of_what
from hcc_recurrence.figures.html import metrics_for_readers

# Columns of the table of metrics that the card has, without what stands in brackets.
_NAMES = {"model", "protocol", "patients", "n", "AUC", "sensitivity", "specificity", "Brier"}

TEXT = """---
{front}---

# {title}: {paper}

{marks}Research use only. Not a medical device, and not for decisions on patients.

## What it is

{models} of {paper}, fitted on all {patients} training patients ({events} of them with {outcome}) of the cohort
{cohort}. They give the probability of {endpoint} from {modality} ({phases}){variables}.{ensemble}

{citation}

The models here are ours, fitted by hcc-recurrence on this cohort as the paper
describes it; they are not the authors' own.

## What it reads

{reads}

## How well it did

Figures of the study that it comes from. Those of the strict protocol estimate what the model in this folder does:
nothing was fitted or chosen on patients whom they report on; but sensitivity and specificity of the training patients
are at a cut-off that was found on their own out-of-fold probabilities. Those as published repeat what the authors did,
and are too good where the authors chose on the patients that they report. Intervals are 95 %.

{performance}

The cut-off of each model that divides low from high risk is Youden's, on out-of-fold probabilities of the training
patients:

{cutoffs}

## Intended use, and what it is not

- Intended: validation at another hospital, and comparison with other models, on patients like those in
  `training_distribution.json`. The workflow names every input of a patient that lies outside it.
- Not intended: any decision on a patient. It was not validated prospectively, is no medical device, and knows nothing
  of treatment.
- A patient with another modality, other phases, or whose images are made with other settings than those in
  `model.json`, gets a number without meaning. The workflow refuses what it can tell.
- Probabilities are those of this cohort, in which {rate} had {outcome}. Where another fraction has it, look
  at the calibration first.

## Whom one could find in it

No name, date or identifier of a patient is in this folder, and distributions leave out the smallest and largest values
and counts below {smallest}. What a model has learned is in it, too: scalers and thresholds of trees hold single values
of features (of nobody who is named), the axes of nomograms their range.
{fingerprints}
{rows}
{networks}
{machines}
## Files

`model.json` (everything about the model), `model/` (the fitted models), `weights/` (networks),
`training_distribution.json`, {files}`reference/` (three made-up patients and their scores: the self-test at each load),
`SHA256SUMS`. Nothing is a pickle. Apply it with `snakemake --configfile new.yaml apply`, `models: [this folder or the
zip]`.
"""


def model_card(
    about: Mapping[str, Any],
    metrics: pd.DataFrame,
    smallest: int,
    fingerprints: bool,
    machines: Sequence[Mapping[str, Any]],
) -> str:
    """The card.

    Args:
        about: model.json. metrics: of `compute_metrics`. smallest: count below which nothing is said.
        fingerprints: whether the bundle has those of the training images. machines: what networks in it were trained
            on, one each (`describe_machine`).
    """
    own = metrics[metrics["model"].isin(list(about["models"]))]
    paper = about["config"]["paper"]
    training = about["training"]
    events, patients = training["early_recurrence"], training["patients"]
    known = events is not None and patients
    return TEXT.format(
        front=yaml.safe_dump(_front_matter(about, own), sort_keys=False, allow_unicode=True, width=100),
        title=about["name"],
        paper=paper["title"],
        citation=" ".join(str(paper["citation"]).split()),
        marks="".join(f"**{mark}.** " for mark in about["marks"]),
        models=f"{len(about['models'])} models",
        patients=_count(patients, smallest),
        events=_count(events, smallest),
        rate=f"{100 * events / patients:.0f} %" if known else f"fewer than {smallest}",
        outcome=about["endpoint"]["name"],
        cohort=about["title"],
        endpoint=of_what(Endpoint(**about["endpoint"]["words"]), about["endpoint"]["horizon"]),
        modality=about["modality"],
        phases=", ".join(about["phases"]),
        variables=" and clinical variables" if about["reads"]["clinical"] else "",
        ensemble=(
            " Each is the mean of several networks, of which each was trained without one fold of these patients."
            if about["selection"].get("fits")
            else ""
        ),
        reads=_reads(about),
        performance=_markdown(_performance(own)),
        cutoffs=_markdown(_cut_offs(about)),
        smallest=smallest,
        rows=_rows(about),
        networks=_networks(about),
        fingerprints=_fingerprints(fingerprints),
        machines=_machines(machines),
        files=("`training_fingerprints.json`, " if fingerprints else "") + ("`machines/`, " if machines else ""),
    )


def _count(number: int | None, smallest: int) -> str:
    return f"fewer than {smallest}" if number is None else str(number)


def _cut_offs(about: Mapping[str, Any]) -> pd.DataFrame:
    cuts = {model: own["cutoff"] for model, own in about["models"].items()}
    words = [(model, "none: one probability for all" if cut is None else f"{cut:.4f}") for model, cut in cuts.items()]
    return pd.DataFrame(words, columns=["model", "cut-off"])


def _front_matter(about: Mapping[str, Any], metrics: pd.DataFrame) -> dict[str, Any]:
    results, outcome = [], Endpoint(**about["endpoint"]["words"])
    strict = metrics[(metrics["protocol"] == "strict")]
    for row in strict.itertuples():
        if not about["models"][row.model]["main"] or pd.isna(row.auc):
            continue
        results.append(
            {
                "task": {"type": "image-classification", "name": about["endpoint"]["name"]},
                "dataset": {
                    "name": f"{about['title']}, {row.split}",
                    "type": about["study"]["cohort"],
                    "split": row.split,
                },
                "metrics": [
                    {
                        "type": "roc_auc",
                        "value": float(f"{row.auc:.4g}"),
                        "name": f"{row.model}, AUC, strict, {str(row.estimate).replace('_', ' ')}",
                    }
                ],
            }
        )
    return {
        "license": "mit",
        "library_name": "hcc-recurrence",
        "tags": [
            *("medical", "radiology", *(["hepatocellular-carcinoma"] if outcome == EARLY_RECURRENCE else [])),
            *(re.sub(r"[^a-z0-9]+", "-", outcome.name.lower()).strip("-"), "radiomics"),
            *(about["modality"].lower(), about["method"]),
        ],
        "model-index": [{"name": about["name"], "results": results}],
    }


def _performance(metrics: pd.DataFrame) -> pd.DataFrame:
    table, _ = metrics_for_readers(metrics, None)
    return table[[c for c in table if c.partition(" (")[0] in _NAMES]]


def _markdown(table: pd.DataFrame) -> str:
    lines = [list(table.columns), ["---"] * len(table.columns), *table.astype(str).to_numpy().tolist()]
    return "\n".join("| " + " | ".join(cell.replace("|", "/") for cell in line) + " |" for line in lines)


def _reads(about: Mapping[str, Any]) -> str:
    reads, config = about["reads"], about["config"]
    lines = []
    if reads["features"]:
        lines.append(f"- {len(reads['features'])} features of images, by name in `model.json`.")
    for image in reads["images"]:
        size = " x ".join(map(str, image["shape"]))
        lines.append(f"- {image['name']}: crops `{image['crops']}`, {size} (phase, z, y, x).")
    for name in reads["clinical"]:
        own = config["clinical"].get(name, {})
        unit, when = own.get("unit") or own.get("kind", ""), own.get("timing", "")
        after = " (known only after the operation)" if when == "post" else ""
        lines.append(f"- {name}, {unit}{after}.")
    return "\n".join(lines)


def _rows(about: Mapping[str, Any]) -> str:
    if not about["kept_rows"]:
        left = about["left_out"]
        words = f" Left out for that reason: {', '.join(left)}." if left else ""
        return f"No classifier in it holds a row of a patient.{words}"
    held = ", ".join(f"{model} (up to {rows} rows)" for model, rows in about["kept_rows"].items())
    return (
        "**Rows of patients: these models hold scaled features of single training patients, without names, as the "
        f"classifiers need them (support vector machines, Gaussian processes, nearest neighbours): {held}.** Whoever "
        "has the same features of a patient can tell that the patient is among them. Whether they may be passed on is "
        "for your ethics committee to say; `export: {training_rows: leave_out}` leaves such models out."
    )


def _fingerprints(there: bool) -> str:
    if not there:
        return (
            "Fingerprints of the training images were left out: whoever applies the models cannot be told whether they "
            "learned from one of the patients. Ask where they come from before you validate them."
        )
    return (
        "`training_fingerprints.json` holds salted SHA-256 sums of each training image and of some of its pieces (17 "
        "voxels in a row), so that a model that is applied to one of its own training patients says so. No image, "
        "value, name or number can be worked out from them, nor which of them are of one patient. But whoever has the "
        "very image of a patient can find out that it was among the training images. `export: "
        "{training_fingerprints: leave_out}` leaves them out."
    )


def _networks(about: Mapping[str, Any]) -> str:
    deep = about["reads"]["images"] or about["weights"]
    return (
        "Of networks nobody can promise that nothing of a training patient's image can be told from their weights: "
        "whether a patient was among those who trained may be guessed better than by chance (membership inference)."
        if deep
        else ""
    )


def _machines(machines: Sequence[Mapping[str, Any]]) -> str:
    """What networks were trained on, a line a kind; nothing where nothing is known of any."""
    if not machines:
        return ""
    kinds: dict[str, int] = {}
    for facts in machines:
        where = facts["gpu"] or facts["processor"]
        kernels = ", ".join(f"{library} {used}" for library, used in sorted(facts["kernels"].items()))
        kind = f"{where}; `numerics: {facts['numerics']}`; kernels {kernels}; torch {facts['versions']['torch']}"
        kinds[kind] = kinds.get(kind, 0) + 1
    lines = [f"- {number} network{'s' if number > 1 else ''}: {kind}." for kind, number in kinds.items()]
    said = (
        "Other processors, kernels or libraries train other networks from the same images. `machines/` says it of each."
    )
    return "\n## What trained its networks\n\n" + said + "\n\n" + "\n".join(lines) + "\n"
