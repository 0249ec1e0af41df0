"""What the pages of applied models say: one of each patient, one of all. Templates put it into HTML.

A page is one file without outside references: it opens from a USB stick in a reading room without network.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hcc_recurrence.endpoint import EARLY_RECURRENCE, Endpoint

if TYPE_CHECKING:
    import pandas as pd

RESEARCH = "Research use only. Not a medical device; not for diagnosis, treatment or follow-up of this patient."
# Groups of inputs in the order of the page, and their headings.
GROUPS = {
    "training": "Training patients of this model",
    "summary": "Summary",
    "acquisition": "Scanner and acquisition",
    "phases": "Phases and their timing",
    "tumour": "Tumour size",
    "clinical": "Clinical variables",
    "features": "Image features",
}
FEATURES = "features"
# Names of sizes of the tumour that exported models state.
SIZES = {"volume_ml": "Tumour volume", "ball_diameter_mm": "Diameter of a ball of that volume"}
# Words of `outside.csv`, worst first.
VERDICTS = ("seen", "outside", "missing", "unknown", "inside")
# Rows of a group that are seen at once; the others are folded away.
SHOWN = 12


@dataclass(frozen=True)
class Picture:
    """A picture inside a page: what it shows, its bytes, and a line below it."""

    title: str
    content: bytes
    words: str = ""
    kind: str = "jpeg"

    @property
    def source(self) -> str:
        """The picture as a data URI."""
        return f"data:image/{self.kind};base64,{base64.b64encode(self.content).decode()}"


@dataclass(frozen=True)
class AppliedModel:
    """One applied model, for pages: what it is, and its tables of one cohort.

    about: model.json. distribution: training_distribution.json. predictions, outside: of `apply_model`, all patients.
    """

    about: Mapping[str, Any]
    distribution: Mapping[str, Any]
    predictions: pd.DataFrame
    outside: pd.DataFrame
    # Drawn nomograms, by patient.
    drawn: Mapping[str, Sequence[Picture]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.about["name"]

    @property
    def paper(self) -> str:
        """The method as its paper is cited."""
        return self.about.get("config", {}).get("paper", {}).get("title") or self.about["method"]

    @property
    def title(self) -> str:
        """The method as its paper is cited, and the cohort it was fitted on."""
        return f"{self.paper}, fitted on {self.about['title']}"


def strip(value: Any, quantiles: Mapping[str, float], low: Any = None, high: Any = None) -> dict[str, float] | None:
    """Places of a strip from 0 to 100: the middle 95 % and the middle half of the training patients, and this one.

    Args:
        value: of the patient; nothing is drawn of words. quantiles: by percent, as in training_distribution.json.
        low, high: limits beyond which a value counts as outside, where they are others than the quantiles'.

    Returns: outer_low, outer_high, inner_low, inner_high, median, value; `value` is missing where the patient's is.
        None where there is no distribution.
    """
    outer = [_number(quantiles.get(key), limit) for key, limit in (("2.5", low), ("97.5", high))]
    inner = [_number(quantiles.get(key)) for key in ("25", "50", "75")]
    if not all(map(math.isfinite, outer)):
        return None
    own = _number(value)
    ends = [v for v in (*outer, *inner, own) if math.isfinite(v)]
    start, end = min(ends), max(ends)
    # A margin, so that a value at an end is seen; and where all training patients had one value it is in the middle.
    margin = 0.06 * (end - start) or 0.5 * (abs(end) or 1.0)
    start, end = start - margin, end + margin

    def place(v: float) -> float:
        return round(100 * (v - start) / (end - start), 2)

    names = ("outer_low", "outer_high", "inner_low", "median", "inner_high")
    found = {n: place(v) for n, v in zip(names, (*outer, *inner), strict=True) if math.isfinite(v)}
    if math.isfinite(own):
        found["value"] = place(own)
    return found


def _number(*candidates: Any) -> float:
    """The first that is a number; NaN where none is."""
    for candidate in candidates:
        try:
            number = float(candidate)
        except (TypeError, ValueError):
            continue
        if math.isfinite(number):
            return number
    return float("nan")


def value_text(value: Any, unit: str = "") -> str:
    """A value as it is printed: four digits of a number, words as they are, a dash for nothing."""
    if value is None or (isinstance(value, float) and math.isnan(value)) or str(value).strip() in ("", "nan"):
        return "-"
    number = _number(value)
    text = f"{number:.4g}" if math.isfinite(number) else str(value)
    return f"{text} {unit}".strip()


def input_rows(outside: pd.DataFrame, distribution: Mapping[str, Any], patient: str) -> list[dict[str, Any]]:
    """The inputs of one patient by group, what lies outside first.

    Args: outside: patient_id, item, group, value, unit, low, high, verdict, words.

    Returns: heading, note, rows (item, value, range, verdict, words, strip), counts by verdict; a group each.
    """
    known = {own["item"]: own for own in distribution.get("inputs", [])}
    mine = outside[outside["patient_id"] == patient]
    found = []
    for group in [*GROUPS, *sorted(set(mine["group"]) - set(GROUPS))]:
        rows = []
        for row in mine[mine["group"] == group].to_dict("records"):
            own = known.get(row["item"], {})
            low, high = _number(row["low"]), _number(row["high"])
            rows.append(
                {
                    "item": item_text(row["item"], _words(row["unit"])),
                    "value": value_text(row["value"], _words(row["unit"])),
                    "range": _range_text(low, high, own),
                    "verdict": row["verdict"],
                    "words": _words(row["words"]),
                    "strip": strip(row["value"], own.get("quantiles", {}), row["low"], row["high"]),
                }
            )
        if rows:
            rows.sort(key=lambda row: VERDICTS.index(row["verdict"]) if row["verdict"] in VERDICTS else 0)
            counts = {verdict: sum(row["verdict"] == verdict for row in rows) for verdict in VERDICTS}
            # All that lies outside is seen at once, but for features, which are thousands.
            seen = SHOWN if group == FEATURES else max(SHOWN, counts["outside"])
            note = "one of twenty is expected outside" if group == FEATURES else ""
            found.append(
                {"note": note, "heading": GROUPS.get(group, group), "rows": rows, "counts": counts, "seen": seen}
            )
    return found


def item_text(item: Any, unit: str = "") -> str:
    """The name of an input as it is printed: phase first, without a unit that stands beside it anyway."""
    from hcc_recurrence.cohort.acquisition import FIELDS
    from hcc_recurrence.cohort.variable_labels import LABELS

    phase, _, name = str(item).rpartition("__")
    printed = {field.name: field.label.partition(", ")[0] for field in FIELDS} | SIZES
    if phase and name in printed:
        return f"{printed[name]}, {phase}"
    if not phase and name in LABELS:
        return LABELS[name]
    text = str(item).replace("__", ", ").replace("_", " ")
    return text.removesuffix(f" {unit.lower()}") if unit else text


def _range_text(low: float, high: float, own: Mapping[str, Any]) -> str:
    """The middle 95 % of the training patients, or how they were spread over categories."""
    if math.isfinite(low) and math.isfinite(high):
        return f"{low:.4g} to {high:.4g}"
    return ", ".join(f"{level} {100 * part:.0f} %" for level, part in own.get("fractions", {}).items())


def _words(value: Any) -> str:
    return value if isinstance(value, str) else ""


def scores(model: AppliedModel, patient: str) -> list[dict[str, Any]]:
    """The patient's probabilities, main models first: name, role, probability, cut-off, group, place on a bar."""
    mine = model.predictions[model.predictions["patient_id"] == patient]
    found = []
    for row in mine.to_dict("records"):
        own = model.about["models"].get(row["model"], {})
        probability, cutoff = _number(row["probability"]), _number(row["cutoff"])
        found.append(
            {
                "model": row["model"],
                "published_name": own.get("published_name", ""),
                "main": bool(own.get("main", own.get("role") == "main")),
                "probability": probability,
                "percent": "-" if math.isnan(probability) else f"{100 * probability:.1f} %",
                "place": None if math.isnan(probability) else round(100 * probability, 1),
                "cutoff": "-" if math.isnan(cutoff) else f"{100 * cutoff:.1f} %",
                "cutoff_value": None if math.isnan(cutoff) else cutoff,
                "cutoff_place": None if math.isnan(cutoff) else round(100 * cutoff, 1),
                "group": _words(row["risk_group"]),
            }
        )
    return sorted(found, key=lambda score: not score["main"])


def marks_of(models: Sequence[AppliedModel], simulated: bool = False) -> list[str]:
    """What a reader must know before anything else: random weights, simulated training, this patient simulated."""
    found = [RESEARCH]
    if simulated:
        found.append("SIMULATED patient: the numbers say that the software works, and nothing about a person.")
    said: dict[str, list[str]] = {}
    for model in models:
        for mark in _list(model.about.get("marks", [])):
            said.setdefault(mark, []).append(model.title)
    # What holds for all needs no names.
    found += [mark if len(who) == len(models) > 1 else f"{', '.join(who)}: {mark}" for mark, who in said.items()]
    return list(dict.fromkeys(found))


def _list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) and value else list(value or [])


def patient_page(
    patient: str,
    cohort: str,
    models: Sequence[AppliedModel],
    pictures: Sequence[Picture] = (),
    simulated: bool = False,
) -> dict[str, Any]:
    """What the template `applied_patient.html.j2` puts on the page of one patient.

    Args: cohort: its title.
    """
    parts = []
    for model in models:
        groups = input_rows(model.outside, model.distribution, patient)
        counts = {verdict: len(named_inputs([model], patient, verdict)) for verdict in VERDICTS}
        mix = model.distribution.get("case_mix", {})
        parts.append(
            {
                "name": model.name,
                "title": model.title,
                "about": about_words(model.about),
                "endpoint": endpoint_words(model.about),
                "outcome": endpoint_of(model.about).name,
                "population": population(endpoint_of(model.about)),
                "training": mix,
                "scores": scores(model, patient),
                "groups": groups,
                "counts": counts,
                "drawn": list(model.drawn.get(patient, ())),
            }
        )
    return {
        "patient": patient,
        "cohort": cohort,
        "marks": marks_of(models, simulated),
        "simulated": simulated,
        "seen": seen_words(models, patient),
        "models": parts,
        "pictures": list(pictures),
        "outside": len(named_inputs(models, patient, "outside")),
        "missing": len(named_inputs(models, patient, "missing")),
    }


def named_inputs(models: Sequence[AppliedModel], patient: str, verdict: str) -> list[str]:
    """The inputs of a patient that have a verdict in any model, each once, as they are printed.

    Single features are not named: one of twenty lies outside by chance. That too many do is an input of its own
    ("features outside").
    """
    found = []
    for model in models:
        own = model.outside
        own = own[(own["patient_id"] == patient) & (own["verdict"] == verdict) & (own["group"] != FEATURES)]
        found += [item_text(item, _words(unit)) for item, unit in zip(own["item"], own["unit"], strict=True)]
    return list(dict.fromkeys(found))


def about_words(about: Mapping[str, Any]) -> dict[str, str]:
    """Where a model comes from, in words: study, fit, images, and the software that wrote it."""
    made = about["created_by"]
    return {
        "study": f"{about['study']['paper']} on {about['study']['cohort']}",
        "fit": f"{about['fit']}, {about['protocol'].replace('_', ' ')}",
        "images": f"{about['modality']}: {', '.join(dict.fromkeys(about['phases']))}",
        "made": " ".join(filter(None, (made["workflow"], made.get("version"), made["commit"][:12]))),
    }


def endpoint_of(about: Mapping[str, Any]) -> Endpoint:
    """The words of a model's outcome."""
    return Endpoint(**about["endpoint"]["words"])


def endpoint_words(about: Mapping[str, Any]) -> str:
    """What a probability is of; with its horizon where the outcome has times."""
    own, months = endpoint_of(about), _number(about["endpoint"].get("horizon_months"))
    return f"{own.name} within {months:.0f} months of {own.start}" if math.isfinite(months) else own.name


def population(outcome: Endpoint) -> str:
    """Whom a model was fitted on, as far as its outcome says it."""
    if outcome == EARLY_RECURRENCE:
        return "patients after resection of a hepatocellular carcinoma"
    return f"patients followed from {outcome.start} on" if outcome.has_times else "the patients of its own cohort"


def seen_words(models: Sequence[AppliedModel], patient: str) -> list[str]:
    """A sentence a model that learned from this patient."""
    found = []
    for model in models:
        own = model.outside
        own = own[(own["patient_id"].astype(str) == patient) & (own["verdict"] == "seen")]
        found += [f"{model.title}: {_words(words)}" for words in own["words"]]
    return found


def unknown_training(models: Sequence[AppliedModel]) -> list[str]:
    """A sentence a model that came without fingerprints: whether patients are its own training patients is unknown."""
    return [
        f"{model.title} came without fingerprints of its training images: nobody can tell here whether it learned from "
        "one of these patients"
        for model in models
        if (model.outside["verdict"] == "unknown").any()
    ]


def short_names(models: Sequence[AppliedModel]) -> list[str]:
    """What a narrow column calls each model: its paper, and where two are of one paper also the cohort."""
    papers = [model.paper for model in models]
    return [
        model.paper if papers.count(model.paper) == 1 else f"{model.paper}, {model.about['study']['cohort']}"
        for model in models
    ]


def overview_page(
    cohort: str, patients: Sequence[str], models: Sequence[AppliedModel], simulated: bool = False
) -> dict[str, Any]:
    """What the template `applied_overview.html.j2` puts on the page of all patients: a row a patient.

    Of each applied model the main ones have a column; all models are on the patients' pages.
    """
    columns = []
    for model, short in zip(models, short_names(models), strict=True):
        order = list(model.about["models"])
        main = [n for n in order if model.about["models"][n].get("main", False)] or order
        columns += [{"bundle": model, "model": name, "title": model.title, "short": short} for name in main]
    rows = []
    for patient in patients:
        cells = []
        for column in columns:
            found = [s for s in scores(column["bundle"], patient) if s["model"] == column["model"]]
            cells.append(found[0] if found else None)
        named = named_inputs(models, patient, "outside")
        # By any model: which, the patient's page says.
        seen = len(seen_words(models, patient))
        groups = {cell["group"] for cell in cells if cell and cell["group"]}
        rows.append(
            {
                "patient": patient,
                "cells": cells,
                "outside": len(named),
                "seen": seen,
                "missing": len(named_inputs(models, patient, "missing")),
                "named": ", ".join(named[:3]) + (" ..." if len(named) > 3 else ""),
                "group": groups.pop() if len(groups) == 1 else "differ" if groups else "",
            }
        )
    return {
        "cohort": cohort,
        "marks": [*marks_of(models, simulated), *unknown_training(models)],
        "seen": [row["patient"] for row in rows if row["seen"]],
        "columns": [{key: c[key] for key in ("title", "short", "model")} for c in columns],
        "rows": rows,
        "models": [{"title": m.title, "endpoint": endpoint_words(m.about)} for m in models],
    }


def render(templates: Path, name: str, page: Mapping[str, Any]) -> str:
    """Put a page together; every value is escaped, and a template that asks for what is not there is an error."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(templates),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(name).render(page)


def read_applied(folder: str | Path, predictions: str | Path, outside: str | Path) -> AppliedModel:
    """One applied model from its files.

    Args: folder: of the exported model, found whole before the run.
    """
    import json

    from hcc_recurrence.exported.bundle import DISTRIBUTION, read_about
    from hcc_recurrence.files import read_csv

    distribution = json.loads(Path(folder, DISTRIBUTION).read_text(encoding="utf-8"))
    return AppliedModel(read_about(Path(folder)), distribution, read_csv(predictions), read_csv(outside))
