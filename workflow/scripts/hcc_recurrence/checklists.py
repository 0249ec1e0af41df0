"""Reporting checklists filled from a run: item, status, and the file and value that show it.

The items are numbered as in the named publications; their texts here are short paraphrases (workflow/checklists).
What only the authors of a study can know stays "author must fill": nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from hcc_recurrence.cohort.acquisition_table import acquisition_words
from hcc_recurrence.endpoint import endpoint
from hcc_recurrence.figures.p_values import auc_text
from hcc_recurrence.methods.contract import TRAINED

SOURCES = {
    "TRIPOD_AI": "TRIPOD+AI: Collins GS et al. BMJ 2024;385:e078378, items 1 to 27c",
    "CLEAR": "CLEAR: Kocak B et al. Insights Imaging 2023;14:75, items 1 to 58",
    "METRICS": "METRICS: Kocak B et al. Insights Imaging 2024;15:8, items 1 to 30 (weights and score are not computed)",
    "RQS": "RQS 1.0: Lambin P et al. Nat Rev Clin Oncol 2017;14:749, items 1 to 16 (points are not added up)",
}
NOTE = (
    "Numbered as in the source; the texts are short paraphrases, so read the source before you submit. 'From the run' "
    "names a file and a value that help to answer the item; whether it is fulfilled the authors decide."
)


@dataclass(frozen=True)
class Evidence:
    """Where in the results an item is answered, and with what."""

    file: str
    value: str
    status: str = "from the run"


@dataclass
class Run:
    """What the evidence is drawn from: one study's tables and settings.

    main: names of its main models, which sentences name. networks: what the method does with those of its settings
    (`Method.networks`); empty where the study has none.
    """

    folder: str
    cohort: Mapping[str, Any]
    settings: Mapping[str, Any]
    scheme: Mapping[str, Any]
    radiomics: Mapping[str, Any]
    crop: Mapping[str, Any]
    grid: Mapping[str, Any]
    phases: list[str]
    definitions: Mapping[str, Mapping[str, Any]]
    labels: pd.DataFrame
    split: pd.DataFrame
    metrics: pd.DataFrame
    calibration: pd.DataFrame
    delong: pd.DataFrame
    baseline: pd.DataFrame | None
    comparison: pd.DataFrame
    acquisition: pd.DataFrame
    readers: Mapping[str, int]
    versions: Mapping[str, str]
    main: Sequence[str]
    networks: str = ""


def evidence(run: Run, own: Mapping[str, Evidence] | None = None) -> dict[str, Evidence]:
    """Every fact that the checklists name, by name; each value is read from the run.

    Args:
        own: what the method says itself (`Method.checklist`), in place of what is said here.
    """
    here = run.folder
    labels, split, metrics = run.labels, run.split, run.metrics
    used = labels[labels["excluded_because"] == ""]
    out = labels[labels["excluded_because"] != ""]["excluded_because"].value_counts()
    reasons = "; ".join(f"{reason}: {n}" for reason, n in out.items()) or "nobody left out"
    sizes, short = split["split"].value_counts(), endpoint().abbreviation
    events = used.set_index("patient_id")["er"].reindex(split["patient_id"]).groupby(split["split"].to_numpy()).sum()
    parts = ", ".join(f"{name} {sizes[name]} ({int(events[name])} {short})" for name in sizes.index)
    strict = metrics[metrics["protocol"] == "strict"]
    best = strict[strict["estimate"] == "out_of_fold"].sort_values("model")
    aucs = ", ".join(f"{r['model']} {auc_text(r)}" for r in best.to_dict("records") if r["model"] in run.main)
    spacing = " x ".join(f"{v:g}" for v in run.grid.get("spacing_mm", []))
    scores = sorted(m for m in run.comparison["model"].unique() if ":" not in m)
    prevalence = used["er"].mean()
    slopes = run.calibration[(run.calibration["protocol"] == "strict") & run.calibration["model"].isin(run.main)]
    cuts = strict.drop_duplicates("model").set_index("model")["threshold"]
    found = {
        "eligibility": Evidence("labels.csv", f"{len(labels)} in the sheet, {len(used)} used; {reasons}"),
        "flow": Evidence(f"{here}/figures/flow_chart.png", f"{len(labels)} in the sheet, {len(used)} used; {parts}"),
        "counts": Evidence("splits", parts),
        "split": Evidence(
            "splits",
            f"{run.scheme['kind']}, by patient; {parts}; {run.scheme['folds']} folds x {run.scheme['repeats']} repeats",
        ),
        "outcome": Evidence("labels.csv", _outcome_words(run)),
        "acquisition": Evidence("acquisition.csv", acquisition_words(run.acquisition)),
        "centres": Evidence("labels.csv", ", ".join(f"{c}: {n}" for c, n in used["centre"].value_counts().items())),
        **_clinical_evidence(run),
        "imbalance": Evidence(
            "labels.csv", f"{100 * prevalence:.0f}% {endpoint().name}; no resampling{_weighted(run)}"
        ),
        "building": Evidence(
            f"{here}/predictions.csv",
            f"{', '.join(m for m in sorted(set(metrics['model']) & set(run.main)))}; every step inside each fold"
            + _training(run),
        ),
        "performance": Evidence(f"{here}/tables/metrics.csv", f"strict, out of fold: {aucs}"),
        "uncertainty": Evidence(
            f"{here}/tables/metrics.csv", "95% intervals: DeLong (AUC), Clopper-Pearson (accuracy), Wilson (rates)"
        ),
        "delong": Evidence(f"{here}/tables/delong.csv", f"{len(run.delong)} paired DeLong tests, Holm correction"),
        "calibration": Evidence(
            f"{here}/tables/calibration.csv",
            "strict slopes: "
            + ", ".join(f"{r.model} {r.split} {r.slope:.2f}" for r in slopes.itertuples() if r.slope == r.slope),
        ),
        "net_benefit": Evidence(f"{here}/figures/decision_curve.strict.png", "decision curves of the main models"),
        "threshold": Evidence(
            f"{here}/tables/metrics.csv",
            "Youden on training, the same for the other patients: "
            + ", ".join(f"{m} {'none' if c != c else f'{c:.3f}'}" for m, c in cuts.items() if m in run.main),
        ),
        "comparators": Evidence(
            "comparison", "clinical scores and confounders on the same patients: " + ", ".join(scores)
        ),
        "confounders": Evidence("comparison", "models of tumour volume or centre alone: " + _alone(run.comparison)),
        "centre_model": Evidence("comparison", "a model of the centre alone: " + _alone(run.comparison, ("Centre",))),
        "predictions": Evidence(f"{here}/predictions.csv", "every prediction with fold, seed and protocol"),
        "pipeline": Evidence("docs/architecture.md", "rule graph docs/rulegraph.png"),
        "checklists": Evidence(f"{here}/checklists", "TRIPOD+AI, CLEAR, METRICS, RQS"),
        "code": Evidence("README", "hcc-recurrence, MIT licence, pinned dependencies (envs/requirements.lock)"),
        "software": Evidence("envs/requirements.lock", ", ".join(f"{k} {v}" for k, v in run.versions.items())),
        "readers": Evidence("masks", ", ".join(f"reader {r}: {n} patients" for r, n in run.readers.items())),
        "internal": Evidence("splits", f"validation {sizes.get('validation', 0)}, and folds of the training patients"),
        "external": Evidence(
            "splits",
            f"external {sizes.get('external', 0)} patients",
            "from the run" if sizes.get("external", 0) else "not done",
        ),
        "validation": Evidence(
            "splits", f"validation {sizes.get('validation', 0)}, external {sizes.get('external', 0)} patients"
        ),
    }
    if run.radiomics:
        found |= _radiomics_evidence(run, spacing, int(sizes.get("train", 0)))
    return found | dict(own or {})


def _weighted(run: Run) -> str:
    weighted = run.networks == TRAINED and run.settings.get("class_weights")
    return "; class weights in the networks' loss" if weighted else ""


def _training(run: Run) -> str:
    """How the networks were trained; nothing where the study has none."""
    if run.networks != TRAINED:
        return ""
    chosen = run.settings
    named = ", ".join(
        f"{name} ({network['architecture']}, from {'a file of' if network['weights'] else 'random'} weights"
        f"{', batches of ' + str(network['batch']) if 'batch' in network else ''})"
        for name, network in chosen["networks"].items()
    )
    return (
        f"; networks {named} by "
        f"{chosen['optimiser']}, rate {chosen['learning_rate']:g}, batches of {chosen['batch']}, at most "
        f"{chosen['epochs']} epochs, stopped on {100 * chosen['inner_fraction']:g}% of the training patients"
    )


def _clinical_evidence(run: Run) -> dict[str, Evidence]:
    """What tells of clinical variables; in a study without any, that there is none."""
    tables = f"{run.folder}/tables"
    if run.baseline is None:
        none = "no clinical variable is used"
        return {
            "predictors": Evidence("config", none),
            "missing": Evidence("config", none),
            "baseline": Evidence(f"{tables}/baseline_sets.csv", "outcomes of each set; no clinical variable"),
            "coefficients": Evidence(tables, f"{none}: see the method's own tables of coefficients, where it has one"),
        }
    timing = sorted({d["timing"] for d in run.definitions.values()})
    missing = _missing_values(run.baseline)
    kinds = "odds and hazard ratios" if endpoint().has_times else "odds ratios"
    return {
        "predictors": Evidence(
            f"{tables}/baseline.csv", f"{len(run.definitions)} clinical variables, timing {' and '.join(timing)}"
        ),
        "missing": Evidence(
            f"{tables}/baseline.csv", f"{missing} missing clinical values; filled with the training median"
        ),
        "baseline": Evidence(f"{tables}/baseline.csv", "characteristics by outcome in each split"),
        "coefficients": Evidence(f"{tables}/risk_factors.csv", f"{kinds} with intervals"),
    }


def _outcome_words(run: Run) -> str:
    """What counts as the outcome, and until when."""
    if not endpoint().has_times:
        return f"{endpoint().name}, as the column {endpoint().column} of the patients sheet has it, without times"
    operator = "<=" if run.cohort["er_inclusive"] else "<"
    return f"first {endpoint().event} {operator} {run.cohort['horizon']} after {endpoint().start}"


def _missing_values(baseline: pd.DataFrame) -> int:
    """Missing cells of Table 1: a number for continuous variables, a level `None` with counts for the others."""
    continuous = pd.to_numeric(baseline["missing"], errors="coerce").fillna(0).sum()
    none = baseline.loc[baseline["level"].astype(str) == "None", [endpoint().none, endpoint().name]]
    counts = none.astype(str).map(lambda cell: int(cell.split(" ")[0]))
    return int(continuous) + int(counts.to_numpy().sum())


def _alone(comparison: pd.DataFrame, models: tuple[str, ...] = ("Volume", "Centre")) -> str:
    rows = comparison[
        comparison["model"].isin(models)
        & (comparison["protocol"] == "strict")
        & (comparison["estimate"] == "out_of_fold")
    ]
    found = ", ".join(f"{r['model']} AUC {auc_text(r).split(' (')[0]}" for r in rows.to_dict("records"))
    return found or "none (one centre only)"


def _radiomics_evidence(run: Run, spacing: str, training: int) -> dict[str, Evidence]:
    settings, chosen = run.radiomics, run.settings
    filters = ["original"]
    filters += [f"LoG {s:g} mm" for s in settings["log_sigma_mm"]]
    filters += [f"wavelet {settings['wavelet']}"] if settings["wavelet"] else []
    number = settings["expected_features"]
    steps = [f"ICC > {chosen['icc_threshold']}"] if "icc_threshold" in chosen else []
    steps += [f"group difference P < {chosen['univariable_p']}"] if "univariable_p" in chosen else []
    steps += [f"LASSO by {chosen['lasso_folds']}-fold cross-validation"] if "lasso_folds" in chosen else []
    others = {r: n for r, n in run.readers.items() if r != run.cohort["reader"]}
    repeated = ", ".join(f"{n} patients segmented again by {r}" for r, n in others.items()) or "one reader only"
    return {
        "preprocessing": Evidence(
            "config", f"{spacing} mm, {run.grid['interpolator']}; normalised: {settings['normalise']}"
        ),
        "discretisation": Evidence("config", f"bin width {settings['bin_width']:g}, all settings in config/papers"),
        "image_types": Evidence("config", ", ".join(filters)),
        "feature_number": Evidence(
            "radiomics", f"{number} a phase x {len(run.phases)} phases ({', '.join(run.phases)})"
        ),
        "reliability": Evidence("masks", repeated),
        "scaling": Evidence(f"{run.folder}/predictions.csv", "z-score by the training rows of each fold"),
        "reduction": Evidence(f"{run.folder}/tables", "; ".join(steps) + "; inside each fold"),
        "dimensionality": Evidence(
            "radiomics", f"{number * len(run.phases)} features before selection, {training} training patients"
        ),
    }


def fill_checklist(items: pd.DataFrame, facts: Mapping[str, Evidence]) -> pd.DataFrame:
    """One checklist with the evidence of a run.

    Args:
        items: item, section, text, evidence (a key of `facts`, `author` or `not_done`).

    Returns: item, section, text, status, file, value. A fact that this run does not have is the author's to fill.

    Raises: ValueError for an evidence word that no fact, and no other word, has in any run.
    """
    rows = []
    for row in items.to_dict("records"):
        word = row["evidence"]
        if word in facts:
            found = facts[word]
        elif word == "not_done":
            found = Evidence("", "not part of this workflow's methods", "not done")
        elif word in KNOWN_WORDS:
            found = Evidence("", "", "author must fill")
        else:
            raise ValueError(f"item {row['item']}: evidence {word!r} is unknown")
        rows.append((row["item"], row["section"], row["text"], found.status, found.file, found.value))
    return pd.DataFrame(rows, columns=["item", "section", "text", "status", "file", "value"])


# Words that stand for the author, among them facts that only some runs have.
KNOWN_WORDS = {
    "author",
    "dates",
    "preprocessing",
    "discretisation",
    "image_types",
    "feature_number",
    "reliability",
    "scaling",
    "reduction",
    "dimensionality",
}


def read_checklist(folder: Path, name: str) -> pd.DataFrame:
    """The items of one checklist, as text."""
    return pd.read_csv(folder / f"{name}.csv", dtype=str, keep_default_na=False)
