"""Patient characteristics: by early recurrence within each set, and the sets against each other (tableone)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from hcc_recurrence.endpoint import capital, endpoint
from hcc_recurrence.statistics.degenerate import LEAST_OF_EACH, LEAST_PATIENTS, few_events
from hcc_recurrence.statistics.group_tests import categorical_test, continuous_rule, continuous_test, is_skewed
from hcc_recurrence.statistics.survival import log_rank_p, median_survival, median_survival_se

SETS = {"train": "training", "validation": "validation", "external": "external"}
NOTE = (
    "Mean (SD) or median (Q1, Q3), n (%); percentages of variables are of all patients, tests of those with a value. "
    "No correction for the number of comparisons."
)
# What stands beside the median recurrence-free survival: its 95 % interval by Brookmeyer and Crowley, that of SPSS
# (1.96 standard errors on both sides), or the standard error.
SPREADS = {"interval": "95% CI", "wald": "95% CI, ± 1.96 SE", "se": "SE"}
# The name of a column that no clinical variable can have.
_GROUP = "(group)"


def outcomes() -> dict[int, str]:
    """The two outcomes as the heads of columns."""
    return {0: endpoint().none, 1: endpoint().name}


def sets_note() -> str:
    """What stands under the table of the sets."""
    event = endpoint().event
    found = f"{NOTE} P compares a set with training."
    if not endpoint().has_times:
        return found
    return f"{found} {capital(event)}s: everyone in the sets. No interval of {few_events()}."


def columns_of_baseline() -> list[str]:
    """The columns of `baseline_table`."""
    return ["split", "variable", "label", "level", "missing", "total", *outcomes().values(), "p", "test"]


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

    Returns: text, `columns_of_baseline`. Continuous variables as mean (SD) or median [Q1,Q3], the others as n (%). `p`
    and `test` are empty where there is nothing to test: a set without one of the outcomes has counts alone.
    """
    if not definitions:
        return pd.DataFrame(columns=columns_of_baseline())
    frame = clinical.join(split.set_index("patient_id")["split"], how="inner")
    outcome = labels.set_index("patient_id")["er"].reindex(frame.index).astype(int).map(outcomes())
    parts = []
    for name in SETS:
        own = frame[frame["split"] == name].drop(columns="split")
        if len(own):
            both = list(outcomes().values())
            table = _compared(own, outcome[own.index], both, {"": (both[0], both[1])}, definitions, tests)
            parts.append(table.assign(split=name))
    return pd.concat(parts, ignore_index=True)[columns_of_baseline()]


def sets_table(
    clinical: pd.DataFrame,
    labels: pd.DataFrame,
    split: pd.DataFrame,
    definitions: Mapping[str, Mapping[str, Any]],
    tests: Mapping[str, Any],
    sites: pd.Series | None = None,
) -> pd.DataFrame:
    """Training against validation, and against external patients: clinical variables, recurrences, survival.

    Args: as for `baseline_table`; labels with er, rfs_months, rfs_event; tests with rfs, one of SPREADS.
        sites: where the tumour recurred, index patient_id, as an ordered categorical; missing where unknown.

    Returns: text columns variable, label, level, missing, total, a column a set that has patients (training,
    validation, external), and for each set beside training `p <set>` and `test <set>`.
    """
    place = split.set_index("patient_id")["split"].map(SETS)
    group = place[[p for p in labels["patient_id"] if p in place.index]].dropna()
    sets = [s for s in SETS.values() if (group == s).any()]
    pairs = {f" {other}": (sets[0], other) for other in sets[1:]}
    outcome = labels.set_index("patient_id").loc[group.index]
    parts = [_compared(clinical.loc[group.index], group, sets, pairs, definitions, tests)] if definitions else []
    parts.append(_recurrence_rows(outcome, group, sets, tests))
    if sites is not None:
        parts.append(_site_rows(sites.reindex(group.index), outcome, group, sets, tests))
    wanted = [f"{what}{ending}" for ending in pairs for what in ("p", "test")]
    columns = ["variable", "label", "level", "missing", "total", *sets, *wanted]
    return pd.concat(parts, ignore_index=True).reindex(columns=columns).fillna("")


def _compared(
    frame: pd.DataFrame,
    group: pd.Series,
    groups: Sequence[str],
    pairs: Mapping[str, tuple[str, str]],
    definitions: Mapping[str, Mapping[str, Any]],
    tests: Mapping[str, Any],
) -> pd.DataFrame:
    """Variables of the patients by a grouping of them, with P and test of pairs of groups.

    Args: pairs: what `p` and `test` end with in the pair's columns -> its two groups.
    """
    table = _describe(frame, group, groups, definitions, tests)
    for ending, pair in pairs.items():
        table = _with_p(table, frame, group, pair, definitions, tests, ending)
    return table


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
    """Recurrences, early ones, times to them and recurrence-free survival of each set."""
    members = {"total": outcome, **{name: outcome[group == name] for name in sets}}
    spread, words = tests.get("rfs", "interval"), endpoint()
    free = f"{capital(words.survival)}, months, median ({SPREADS[spread]})"
    columns = {
        ("recurrence", f"{capital(words.event)} during follow-up, n (%)"): lambda own: _share(own["rfs_event"]),
        ("er", f"{capital(words.name)}, n (%)"): lambda own: _share(own["er"]),
        ("months_to_recurrence", f"Time to {words.event}, months, median (range)"): lambda own: _times(
            own, "rfs_event"
        ),
        ("months_to_er", f"Time to {words.name}, months, median (range)"): lambda own: _times(own, "er"),
        ("rfs", free): lambda own: _median_survival(own, spread),
    }
    if not words.has_times:
        columns = {key: cell for key, cell in columns.items() if key[0] == "er"}
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


def _times(own: pd.DataFrame, flag: str) -> str:
    months = own.loc[own[flag] == 1, "rfs_months"]
    return f"{months.median():.1f} ({months.min():.1f}-{months.max():.1f})" if len(months) else "-"


def _median_survival(own: pd.DataFrame, spread: str) -> str:
    """Kaplan-Meier median with the interval of Brookmeyer and Crowley on the log(-log) scale (lifelines), or by its SE.

    Of fewer patients than `few_events` says the median alone.
    """
    from lifelines import KaplanMeierFitter
    from lifelines.utils import median_survival_times

    months, event = own["rfs_months"].to_numpy(float), own["rfs_event"].to_numpy(int)
    at = median_survival(months, event)
    median = _reached(at)
    if event.sum() < LEAST_OF_EACH or len(event) < LEAST_PATIENTS:
        return median
    if spread == "interval":
        fitter = KaplanMeierFitter().fit(months, event)
        low, high = median_survival_times(fitter.confidence_interval_).to_numpy()[0]
        return f"{median} ({_reached(low)}-{_reached(high)})"
    error = median_survival_se(months, event)
    if np.isnan(error):
        return median
    if spread == "se":
        return f"{median} ({error:.1f})"
    low, high = (at + side * 1.959963984540054 * error for side in (-1, 1))
    return f"{median} ({max(low, 0):.1f}-{high:.1f})"


def _reached(months: float) -> str:
    return "not reached" if np.isinf(months) else f"{months:.1f}"


def _site_rows(
    sites: pd.Series, outcome: pd.DataFrame, group: pd.Series, sets: Sequence[str], tests: Mapping[str, Any]
) -> pd.DataFrame:
    """Where the tumour recurred, of the patients with early recurrence (Yan 2023, Supplementary Table 6)."""
    early = outcome["er"] == 1
    own, place = sites[early], group[early]
    known = {"total": own, **{name: own[place == name] for name in sets}}
    rows = [
        {
            "variable": "site",
            "label": f"Site of {endpoint().name}, n (%)",
            "level": str(level),
            **{name: _count(part == level, part.notna()) for name, part in known.items()},
        }
        for level in own.cat.categories
    ]
    rows[0]["missing"] = str(int(own.isna().sum()))
    for other in sets[1:]:
        counts = np.array([known[name].value_counts(sort=False).to_numpy() for name in (sets[0], other)])
        p, test = categorical_test(counts, tests)
        rows[0] |= {f"p {other}": p_words(p), f"test {other}": test}
    return pd.DataFrame(rows)


def _count(flags: pd.Series, known: pd.Series) -> str:
    number, total = int(flags[known].sum()), int(known.sum())
    return f"{number} ({100 * number / total:.1f})" if total else "-"


def for_readers(table: pd.DataFrame) -> pd.DataFrame:
    """The table for print: sets and variables are named once, P as journals print it, median (Q1, Q3)."""
    shown = table.copy()
    keys = ["split", "variable"] if "split" in shown else ["variable"]
    # Without clinical variables nothing has levels, and nothing is missing.
    shown = shown.drop(columns=[c for c in ("level", "missing") if c in shown and shown[c].eq("").all()])
    shown["label"] = shown["label"].str.replace("[IQR]", "(IQR)", regex=False)
    shown.loc[shown.duplicated(keys), "label"] = ""
    if "level" in shown:
        shown["level"] = shown["level"].replace("None", "missing")
    if "split" in shown:
        shown["split"] = shown["split"].map(SETS)
        shown.loc[shown.duplicated("split"), "split"] = ""
    for column in shown.columns.difference(["variable", "label", "level", "split"]):
        if column.startswith("p ") or column == "p":
            shown[column] = shown[column].map(_printed_p)
        else:
            shown[column] = shown[column].str.replace(r"\[(.+),(.+)\]", r"(\1, \2)", regex=True)
    names = {"label": "variable", "split": "patients", "p": "P"}
    names |= {f"p {other}": f"P, {other}" for other in SETS.values()}
    names |= {f"test {other}": f"test, {other}" for other in SETS.values()}
    return shown.drop(columns="variable").rename(columns=names)


def _printed_p(text: str) -> str:
    """A P value of `p_words` as journals print it: `.045`, `<.001`, `1`."""
    return "1" if text == "1.000" else text.replace("0.", ".", 1)
