"""From what a run left to the facts of the report's page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from hcc_recurrence.cost.of_run import cost_words, shown_costs
from hcc_recurrence.endpoint import EARLY_RECURRENCE, Endpoint, capital
from hcc_recurrence.figures.html import table_html
from hcc_recurrence.machines import kinds_warning
from hcc_recurrence.presets import WARNING
from hcc_recurrence.report.contents import View, figure_of, views
from hcc_recurrence.report.outcomes import outcomes_of, outcomes_words, question, title
from hcc_recurrence.report.overview import (
    Warning,
    changes_of,
    comparison_table,
    identical_models,
    models_of_nothing,
    sizes,
    small_sets,
    warnings_of,
)
from hcc_recurrence.report.rule_graph import drawing
from hcc_recurrence.statistics.degenerate import FEW, NOTHING, NOTHING_VARIES

GROUP = "Comparison of methods"
# In place of an AUC, and what it is.
ONE_SCORE = "one score"
NOTES = {
    "(-)": f"(-): there is no interval: {FEW}, or {NOTHING_VARIES} (AUC 1 or 0).",
    f">{ONE_SCORE}": f"One score: the model gives {NOTHING}, and has no AUC.",
}


def facts_of(
    contents: Mapping[str, Any],
    about: Mapping[str, Any],
    comparisons: Sequence[Mapping[str, Any]],
    tables: Mapping[str, pd.DataFrame],
    results: Path,
) -> tuple[dict[str, Any], list[View]]:
    """Facts and views of the page (`Writer.page`).

    Args:
        contents: entries, rules and links, of Snakemake's list of the report.
        about: preset, titles and citations (by paper), random_weights (networks by name), cohorts (name -> title),
            provenance (what, words).
        comparisons: one a cohort and split: cohort, title, split, simulated, endpoint, horizon, papers, used, left_out,
            best_auc, and its tables metrics, predictions, changes.
        tables: problems and notices of the input; machines, where networks were trained (`machines_table`); costs, of
            the run (`cost.of_run`).
    """
    titles = about["titles"]
    found = views(contents["entries"], results, titles, about["cohorts"])
    shown = [_comparison(own, titles, found) for own in comparisons]
    said = [
        _of_input(tables),
        *([Warning("Demo preset", f"{own['title']}: {WARNING}.")] for own in comparisons if _demo(about, own)),
        _of_weights(about),
        _of_machines(tables),
    ]
    for own in comparisons:
        where = f"{own['title']}, split {own['split']}"
        said += [
            identical_models(own["predictions"], titles, where),
            models_of_nothing(own["metrics"], titles, where),
            changes_of(own["changes"], own["title"]),
        ]
    said += [
        small_sets(own["metrics"], f"{own['title']}, split {own['split']}", own["endpoint"]["name"])
        for own in comparisons
    ]
    simulated = [own["title"] for own in comparisons if own["simulated"]]
    outcomes = outcomes_of(comparisons)
    lead = f"{_who(titles, comparisons)} {outcomes_words(comparisons)} Preset: {about['preset']}. "
    if simulated:
        every = "All" if len(simulated) == len(comparisons) else "Some"
        lead += f"{every} patients are SIMULATED: numbers show that the software works, and nothing about people."
    facts = {
        "title": title(outcomes),
        "question": question(outcomes),
        "lead": lead,
        "warnings": warnings_of(said),
        "comparisons": shown,
        "citations": [about["citations"][paper] for paper in sorted(titles)],
        "provenance": about["provenance"],
        "graph": drawing(contents["rules"], contents["links"]),
        "costs": _costs(tables, titles),
    }
    return facts, found


def _who(titles: Mapping[str, str], comparisons: Sequence[Mapping[str, Any]]) -> str:
    """Which methods, beside what, and on which patients: of several splits they share those of their table alone."""
    named = ", ".join(titles[paper] for paper in sorted(titles))
    beside = "beside clinical scores and the tumour's volume"
    if len(comparisons) == 1:
        return f"{named}, {beside}, on the same patients, splits and folds."
    return f"{named}, {beside}. What stands in one table has the same patients, splits and folds."


def _costs(tables: Mapping[str, pd.DataFrame], titles: Mapping[str, str]) -> dict[str, str] | None:
    """What the run cost, and how to read it; None where nothing is known of it."""
    costs = tables.get("costs")
    if costs is None or costs.empty:
        return None
    shown = shown_costs(costs).replace({"Method": dict(titles)})
    return {"table": table_html(shown), "note": cost_words(costs)}


def _demo(about: Mapping[str, Any], own: Mapping[str, Any]) -> bool:
    return about["preset"] == "demo" and not own["simulated"]


def _of_weights(about: Mapping[str, Any]) -> list[Warning]:
    if not about["random_weights"]:
        return []
    named = ", ".join(about["random_weights"])
    return [Warning("Random weights", f"No file of weights is named for {named}: their weights are random.")]


def _of_machines(tables: Mapping[str, pd.DataFrame]) -> list[Warning]:
    said = kinds_warning(tables["machines"]) if "machines" in tables else ""
    return [Warning("Kinds of machine", said)] if said else []


def _of_input(tables: Mapping[str, pd.DataFrame]) -> list[Warning]:
    found = []
    for name, words in (("problems", "left patients out"), ("notices", "should be looked at")):
        if len(tables[name]):
            lines = tables[name]
            count = f"{len(lines)} {name if len(lines) > 1 else name.removesuffix('s')}"
            who = lines["patient"].dropna().nunique() if "patient" in lines else 0
            whose = f" of {who} patient{'s' if who > 1 else ''}" if who else ""
            found.append(Warning("Input", f"{count}{whose} {words}: see Problems of the input."))
    return found


def _comparison(own: Mapping[str, Any], titles: Mapping[str, str], found: Sequence[View]) -> dict[str, Any]:
    title = f"{own['title']}, split {own['split']}"
    outcome = Endpoint(**own["endpoint"])
    short = outcome.abbreviation
    sets = "; ".join(f"{name} {n} ({events} {short})" for name, (n, events) in sizes(own["metrics"]).items())
    facts = f"{'Simulated' if own['simulated'] else 'Real'} patients: {own['used']} used, {own['left_out']} left out. "
    facts += f"{capital(sets)}; {short}: {outcome.name}."
    if outcome.name != EARLY_RECURRENCE.name:
        facts += f" What is predicted is {outcome.name}, not {EARLY_RECURRENCE.name} of a liver tumour."
    if own["best_auc"] is not None:
        facts += f" The oracle AUC, the best that a method can have on average, is {own['best_auc']:.3f}; "
        facts += "a larger one in the table is chance, or optimism."
    charts = (figure_of(found, titles[paper], own["title"], "flow_chart") for paper in own["papers"])
    roc = figure_of(found, GROUP, title, "roc")
    flow = next((chart for chart in charts if chart), None)
    view = next((view.name for view in found if view.group == GROUP and view.title == title), "")
    # Six columns have to fit on a small screen: the note says the rest.
    table = table_html(comparison_table(own["metrics"], titles)).replace(NOTHING, ONE_SCORE)
    notes = [words for sign, words in NOTES.items() if sign in table]
    return {
        "title": title,
        "facts": facts,
        "table": table,
        "note": " ".join(notes),
        "roc": roc.path if roc else None,
        "flow": flow.path if flow else None,
        "view": view,
    }
