"""Patient characteristics: by early recurrence within each set, and the sets against each other (tableone)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from hcc_recurrence.statistics.group_tests import categorical_test, continuous_rule, continuous_test, is_skewed
from hcc_recurrence.statistics.survival import log_rank_p

SETS = {"train": "training", "validation": "validation", "external": "external"}
OUTCOMES = {0: "no early recurrence", 1: "early recurrence"}
COLUMNS = ("split", "variable", "label", "level", "missing", "total", *OUTCOMES.values(), "p", "test")
# The name of a column that no clinical variable can have.
_GROUP = "(group)"


def baseline_table(
    clinical: pd.DataFrame,
    labels: pd.DataFrame,
    split: pd.DataFrame,
    definitions: Mapping[str, Mapping[str, Any]],
    tests: Mapping[str, Any],
) -> pd.DataFrame:
    """Clinical variables by early recurrence, one block a set of patients.

    Args:
        clinical, definitions: from `coded`: numbers, index patient_id; kind, levels and label of each variable.
        labels, split: from `make_labels`, `make_split`.
        tests: continuous (variable or `default` -> rule of `group_tests`), yates, fisher_below.

    Returns: text columns COLUMNS. Continuous variables as mean (SD) or median [Q1,Q3], the others as n (%). `p` and
    `test` are empty where there is nothing to test: a set without one of the outcomes has counts alone.
    """
    if not definitions:
        return pd.DataFrame(columns=list(COLUMNS))
    frame = clinical.join(split.set_index("patient_id")["split"], how="inner")
    outcome = labels.set_index("patient_id")["er"].reindex(frame.index).astype(int)
    parts = []
    for name in SETS:
        part = frame[frame["split"] == name].drop(columns="split")
        if len(part):
            group = outcome[part.index].map(OUTCOMES)
            table = _describe(part, group, list(OUTCOMES.values()), definitions, tests)
            parts.append(
                _with_p(table, part, group, tuple(OUTCOMES.values()), definitions, tests, "").assign(split=name)
            )
    return pd.concat(parts, ignore_index=True)[list(COLUMNS)]


def sets_table(
    clinical: pd.DataFrame,
    labels: pd.DataFrame,
    split: pd.DataFrame,
    definitions: Mapping[str, Mapping[str, Any]],
    tests: Mapping[str, Any],
) -> pd.DataFrame:
    """Training against validation, and against external patients: clinical variables, recurrences, survival.

    Args: as for `baseline_table`; labels with er, rfs_months, rfs_event.

    Returns: text columns variable, label, level, missing, total, a column a set that has patients (training,
    validation, external), and for each set beside training `p <set>` and `test <set>`.
    """
    place = split.set_index("patient_id")["split"].map(SETS)
    group = place[[p for p in labels["patient_id"] if p in place.index]].dropna()
    sets = [s for s in SETS.values() if (group == s).any()]
    outcome = labels.set_index("patient_id").loc[group.index]
    parts = []
    if definitions:
        own = clinical.loc[group.index]
        table = _describe(own, group, sets, definitions, tests)
        for other in sets[1:]:
            table = _with_p(table, own, group, (sets[0], other), definitions, tests, f" {other}")
        parts.append(table)
    parts.append(_recurrence_rows(outcome, group, sets, tests))
    wanted = [f"{what} {other}" for other in sets[1:] for what in ("p", "test")]
    columns = ["variable", "label", "level", "missing", "total", *sets, *wanted]
    return pd.concat(parts, ignore_index=True).reindex(columns=columns).fillna("")


def p_words(p: float) -> str:
    """A P value as text; empty for none."""
    return "" if np.isnan(p) else "<0.001" if p < 0.0005 else f"{p:.3f}"


def _describe(
    frame: pd.DataFrame,
    group: pd.Series,
    groups: Sequence[str],
    definitions: Mapping[str, Mapping[str, Any]],
    tests: Mapping[str, Any],
) -> pd.DataFrame:
    """tableone's cells: variable, label, level, missing, total, and one column a group."""
    from tableone import TableOne

    data = pd.DataFrame({_GROUP: group}, index=frame.index)
    categorical, skewed, order = [], [], {}
    for variable, definition in definitions.items():
        column = frame[variable]
        if definition["kind"] == "continuous":
            data[variable] = column.astype(float)
            if is_skewed(_known(column, group, groups), continuous_rule(variable, tests["continuous"])):
                skewed.append(variable)
            continue
        levels = list(definition["levels"])
        data[variable] = column.map(lambda code, levels=levels: None if pd.isna(code) else levels[int(code)]).astype(
            object
        )
        categorical.append(variable)
        order[variable] = [level for level in levels if (data[variable] == level).any()]
    known = [v for v in definitions if data[v].notna().any()]
    table = TableOne(
        data,
        columns=known,
        categorical=[v for v in categorical if v in known],
        nonnormal=[v for v in skewed if v in known],
        order={v: levels for v, levels in order.items() if levels},
        groupby=_GROUP,
        overall=True,
        pval=False,
    ).tableone
    table.columns = [c[-1] for c in table.columns]
    flat = table.reset_index()
    flat.columns = ["variable", "level", *flat.columns[2:]]
    flat = flat.rename(columns={"Missing": "missing", "Overall": "total"})
    parts = flat["variable"].str.rsplit(", ", n=1)
    flat["variable"] = parts.str[0]
    heads = {v: definitions[v]["label"] for v in known}
    flat["label"] = [
        f"{heads[name[0]]}, {name[1]}".replace("[Q1,Q3]", "[IQR]") if name[0] in heads else "Patients" for name in parts
    ]
    for variable in set(definitions) - set(known):
        # Nobody has a value: a row that says so.
        row = {"variable": variable, "label": definitions[variable]["label"], "missing": str(len(frame))}
        flat = pd.concat([flat, pd.DataFrame([row])], ignore_index=True)
    return (
        flat.reindex(columns=["variable", "label", "level", "missing", "total", *groups])
        .astype(object)
        .fillna("")
        .astype(str)
    )


def _known(column: pd.Series, group: pd.Series, groups: Sequence[str]) -> list[np.ndarray]:
    return [column[group == name].dropna().to_numpy(float) for name in groups]


def _with_p(
    table: pd.DataFrame,
    frame: pd.DataFrame,
    group: pd.Series,
    pair: tuple[str, str],
    definitions: Mapping[str, Mapping[str, Any]],
    tests: Mapping[str, Any],
    ending: str,
) -> pd.DataFrame:
    """The table with P and test of two of its groups in the first row of each variable."""
    table = table.assign(**{f"p{ending}": "", f"test{ending}": ""})
    for variable, definition in definitions.items():
        values = _known(frame[variable], group, pair)
        if definition["kind"] == "continuous":
            # The test is the one that belongs to what the row shows.
            row = table.loc[table["variable"] == variable, "label"].iloc[0]
            p, test = continuous_test(*values, skewed="[IQR]" in row)
        else:
            counts = np.array([[(v == code).sum() for code in range(len(definition["levels"]))] for v in values])
            p, test = categorical_test(counts, tests)
        first = table.index[table["variable"] == variable][0]
        table.loc[first, [f"p{ending}", f"test{ending}"]] = [p_words(p), test]
    return table


def _recurrence_rows(
    outcome: pd.DataFrame, group: pd.Series, sets: Sequence[str], tests: Mapping[str, Any]
) -> pd.DataFrame:
    """Recurrences, early ones, time to early recurrence and recurrence-free survival of each set."""
    members = {"total": outcome, **{name: outcome[group == name] for name in sets}}
    columns = {
        ("recurrence", "Recurrence during follow-up, n (%)"): lambda own: _share(own["rfs_event"]),
        ("er", "Early recurrence, n (%)"): lambda own: _share(own["er"]),
        ("months_to_er", "Time to early recurrence, months, median (range)"): _time_to_recurrence,
        ("rfs", "Recurrence-free survival, months, median (95% CI)"): _median_survival,
    }
    rows = []
    for (variable, label), cell in columns.items():
        row = {"variable": variable, "label": label, **{name: cell(own) for name, own in members.items()}}
        for other in sets[1:]:
            both = [members[sets[0]], members[other]]
            p, test = float("nan"), ""
            if variable in ("recurrence", "er"):
                found = [own["rfs_event" if variable == "recurrence" else "er"].to_numpy(int) for own in both]
                p, test = categorical_test(np.array([[(v == code).sum() for code in (0, 1)] for v in found]), tests)
            elif variable == "rfs":
                pair = pd.concat(both)
                side = np.repeat([0, 1], [len(own) for own in both])
                p = log_rank_p(pair["rfs_months"].to_numpy(float), pair["rfs_event"].to_numpy(int), side)
                test = "Log-rank"
            row |= {f"p {other}": p_words(p), f"test {other}": test if not np.isnan(p) else ""}
        rows.append(row)
    return pd.DataFrame(rows)


def _share(flags: pd.Series) -> str:
    return f"{int(flags.sum())} ({100 * flags.mean():.1f})"


def _time_to_recurrence(own: pd.DataFrame) -> str:
    months = own.loc[own["er"] == 1, "rfs_months"]
    return f"{months.median():.1f} ({months.min():.1f}-{months.max():.1f})" if len(months) else "-"


def _median_survival(own: pd.DataFrame) -> str:
    """Kaplan-Meier median with the interval of Brookmeyer and Crowley on the log(-log) scale (lifelines)."""
    from lifelines import KaplanMeierFitter
    from lifelines.utils import median_survival_times

    fitter = KaplanMeierFitter().fit(own["rfs_months"].to_numpy(float), own["rfs_event"].to_numpy(int))
    low, high = median_survival_times(fitter.confidence_interval_).to_numpy()[0]
    median, low, high = (
        "not reached" if np.isinf(v) else f"{v:.1f}" for v in (fitter.median_survival_time_, low, high)
    )
    return f"{median} ({low}-{high})"


def for_readers(table: pd.DataFrame) -> pd.DataFrame:
    """The table for print: a variable is named once, in its first row; sets by their names."""
    shown = table.copy()
    keys = ["split", "variable"] if "split" in shown else ["variable"]
    shown.loc[shown.duplicated(keys), "label"] = ""
    shown["level"] = shown["level"].replace("None", "missing")
    if "split" in shown:
        shown["split"] = shown["split"].map(SETS)
    return shown.drop(columns="variable").rename(columns={"label": "variable", "split": "patients"})
