"""The steps of a study's regression of its clinical variables: what its tables and its forest plot show."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

# What each rule of a study shows: analysis, step, and the heading of its panel.
STEPS: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "significant": (
        ("logistic", "univariable", "Logistic, univariable"),
        ("logistic", "multivariable", "Logistic, multivariable"),
        ("logistic", "final", "Logistic, significant variables alone"),
    ),
    "forward": (
        ("logistic", "univariable", "Logistic, univariable"),
        ("logistic", "multivariable", "Logistic, multivariable after forward selection"),
    ),
    "cox_steps": (
        ("cox", "univariable", "Cox, univariable"),
        ("cox", "multivariable", "Cox, multivariable"),
        ("cox", "final", "Cox, after steps by AIC"),
    ),
    "univariable": (("logistic", "univariable", "Logistic, univariable"),),
}
PAPER, ADDITIONAL = "paper", "additional"
# What the rule does, for the notes of tables.
RULES: Mapping[str, str] = {
    "significant": "univariable logistic regression; the significant variables in one multivariable model; those that "
    "are significant there (kept) are the clinical model",
    "forward": "univariable logistic regression; the significant variables by forward selection (likelihood ratio)",
    "cox_steps": "univariable Cox regression; the significant variables in one multivariable model; steps by AIC. The "
    "study's own model has its image signature beside these variables",
    "univariable": "univariable analysis alone, here by logistic regression; the paper's own test is that of the table "
    "of patient characteristics",
}


def panels_of(table: pd.DataFrame, rule: str) -> list[tuple[str, str, pd.DataFrame]]:
    """Heading, name of the ratio's column, and rows of each step: those of the study first, then the additional ones.

    Args:
        table: of `fit_risk_factors`. rule: the study's risk_factor_model.
    """
    headings = {(a, s): h for steps in STEPS.values() for a, s, h in steps}
    headings["logistic", "multivariable"] = dict(((a, s), h) for a, s, h in STEPS[rule]).get(
        ("logistic", "multivariable"), "Logistic, multivariable after forward selection"
    )
    wanted = [(PAPER, a, s) for a, s, _ in STEPS[rule]]
    beside = ("univariable", "multivariable", "final")
    wanted += [(ADDITIONAL, a, s) for a in ("logistic", "cox") for s in beside]
    panels = []
    for source, analysis, step in wanted:
        part = table[(table["source"] == source) & (table["analysis"] == analysis) & (table["step"] == step)]
        # A model that is the one of the step before has no panel of its own.
        if len(part) or (source == PAPER and step != "final"):
            late = "" if source == PAPER else " (not in the paper)"
            ratio = "odds_ratio" if analysis == "logistic" else "hazard_ratio"
            panels.append((f"{headings[analysis, step]}{late}", ratio, part))
    return panels


def none_significant_note(table: pd.DataFrame) -> str:
    """A sentence where no variable of the study's multivariable model is significant; empty elsewhere.

    Args:
        table: of `fit_risk_factors`, with a column `kept` where the rule is `significant`.
    """
    if "kept" not in table:
        return ""
    together = table[(table["source"] == PAPER) & (table["step"] == "multivariable")]
    alone = table[(table["source"] == PAPER) & (table["step"] == "univariable")]
    if len(together) and not together["kept"].astype(bool).any():
        return " No variable is significant in the multivariable model: the clinical model has none (none_significant)."
    if len(together) and together["p"].min() >= 0.05 and together["kept"].astype(bool).all():
        return " No variable is significant in the multivariable model: all of them are kept (none_significant)."
    if len(alone) and not len(together):
        return " No variable is significant alone: the clinical model has none."
    return ""
