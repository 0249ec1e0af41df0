"""One fit of any method: which patients learn, which are scored, and the one way into the predictions table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from hcc_recurrence.cohort.fit import LEFT_OUT, PUBLISHED, STRICT, VALIDATION, Fit

if TYPE_CHECKING:
    import pandas as pd

    from hcc_recurrence.methods.contract import FittedMethod

OUTSIDE = ("validation", "external")
# The table in which a fit as published may leave what its own cross-validation says of the patients that learned.
CROSS_VALIDATED = "cross_validated"


class Scored(NamedTuple):
    """Patients of one split that a fit reports on, sorted, and what their rows are called."""

    split: str
    estimate: str
    patients: list[str]


class Run(NamedTuple):
    """What one fit leaves: the model, its rows of the predictions table, and its own tables by name."""

    fitted: FittedMethod
    predictions: pd.DataFrame
    tables: dict[str, pd.DataFrame]


def patients_of_split(split: pd.DataFrame, name: str) -> list[str]:
    """Patients of one split, sorted."""
    return sorted(split.loc[split["split"] == name, "patient_id"])


def held_patients(split: pd.DataFrame, fit: Fit) -> list[str]:
    """The training patients of the folds that a fit leaves out, sorted."""
    folds = split.set_index("patient_id")[f"fold_{fit.repeat}"]
    return [p for p in patients_of_split(split, "train") if folds[p] in fit.left_out] if fit.left_out else []


def learning_patients(split: pd.DataFrame, fit: Fit) -> list[str]:
    """The training patients that learn in a fit, sorted.

    Args:
        split: patient_id, split, fold_1, fold_2, ...

    Raises: ValueError for a fit with a share of the patients: which, only learning curves of networks know.
    """
    if fit.share < 1:
        raise ValueError(f"{fit}: patients are drawn for networks alone")
    held = set(held_patients(split, fit))
    return [p for p in patients_of_split(split, "train") if p not in held]


def tuning_patients(split: pd.DataFrame, fit: Fit) -> list[str]:
    """The patients outside those that learn whose outcomes choose a model or stop a training, as authors did; none in
    the strict protocol, where no such patient may be scored."""
    if fit.protocol == STRICT:
        return []
    if fit.tuned_on == VALIDATION:
        return patients_of_split(split, "validation")
    return held_patients(split, fit) if fit.tuned_on == LEFT_OUT else []


def scored_patients(split: pd.DataFrame, fit: Fit) -> list[Scored]:
    """What a fit reports on: its left-out patients; without any, those outside training, and as published also the
    patients that learned.

    Raises: ValueError where more than one fold is left out: such a fit feeds others.
    """
    if fit.fold:
        estimate = "out_of_fold" if fit.protocol == STRICT else "cross_validated"
        groups = [Scored("train", estimate, held_patients(split, fit))]
    else:
        learned = Scored("train", "apparent", learning_patients(split, fit))
        groups = [] if fit.protocol == STRICT else [learned]
        groups += [Scored(name, "held_out", patients_of_split(split, name)) for name in OUTSIDE]
    return [group for group in groups if group.patients]


def refuse_leaks(learned: Sequence[str], split: pd.DataFrame, fit: Fit) -> None:
    """Refuse a fit that used the outcome of a patient whom it must not have seen.

    Args:
        learned: the patients whose outcomes it used.

    Raises: ValueError naming them.
    """
    allowed = {*learning_patients(split, fit), *tuning_patients(split, fit)}
    if others := sorted(set(learned) - allowed):
        raise ValueError(
            f"the fit {fit} used the outcome of {', '.join(others[:5])}{' and others' if len(others) > 5 else ''} "
            f"({len(others)} in all), who must be unseen in it: their scores would be too good. What to do: report "
            "this; the method fits on patients that it is given to predict"
        )


def predictions_of(
    fitted: FittedMethod, data: Any, fit: Fit, split: pd.DataFrame, labels: pd.DataFrame, seed: int
) -> pd.DataFrame:
    """Rows of the predictions table of one fit: model by model, the splits one below the other.

    Args:
        labels: patient_id, er, rfs_months, rfs_event. seed: of the fit.

    Raises: ValueError where the fit saw a patient whose score must be of one who was not there, or gives no score.
    """
    import pandas as pd

    from hcc_recurrence.learning.predictions import COLUMNS, prediction_rows

    refuse_leaks(fitted.learned, split, fit)
    parts: dict[str, list[pd.DataFrame]] = {}
    for name, estimate, patients in scored_patients(split, fit):
        # Each split on its own: the last bits of a matrix product depend on how many rows it has.
        scores = fitted.predict(data, patients)
        if list(scores.index) != patients or scores.isna().any(axis=None):
            raise ValueError(f"the fit {fit} gives no score for some of the {name} patients")
        about = {**fit.about, "split": name, "estimate": estimate, "seed": seed}
        for model in scores.columns:
            rows = prediction_rows(labels, patients, scores[model].to_numpy(), model=model, **about)
            parts.setdefault(model, []).append(rows)
    # Of all training patients, where a cohort has neither validation nor external patients: kept, to be applied.
    if not parts:
        return pd.DataFrame(columns=list(COLUMNS))
    return pd.concat([part for rows in parts.values() for part in rows], ignore_index=True)


def cross_validated_rows(
    held: pd.DataFrame, fit: Fit, split: pd.DataFrame, labels: pd.DataFrame, seed: int
) -> pd.DataFrame:
    """Rows of the predictions table by the cross-validation inside a fit as published, estimate `cross_validated`.

    Args:
        held: index patient_id, the patients that learned; fold, from 1; a column a model, with its probability when it
            is fitted without that fold. seed: of the fit.

    Raises: ValueError for a strict fit, one without a fold, or other patients than those that learned.
    """
    import pandas as pd

    from hcc_recurrence.learning.predictions import prediction_rows

    if fit.protocol == STRICT or fit.left_out:
        raise ValueError(f"{fit}: only a published fit on all training patients has cross-validated rows of its own")
    patients = learning_patients(split, fit)
    held = held.reindex(sorted(held.index))
    if list(held.index) != patients or held.isna().any(axis=None):
        raise ValueError(f"the fit {fit} gives no cross-validated score for some of the patients that learned")
    about = {"protocol": fit.protocol, "split": "train", "estimate": CROSS_VALIDATED, "repeat": fit.repeat}
    about |= {"fold": held["fold"].to_numpy(int), "seed": seed}
    return pd.concat(
        [
            prediction_rows(labels, patients, held[model].to_numpy(float), model=model, **about)
            for model in held.columns.drop("fold")
        ],
        ignore_index=True,
    )


def run_method(
    fit_method: Callable[..., tuple[FittedMethod, dict[str, pd.DataFrame]]],
    data: Any,
    fit: Fit,
    settings: Mapping[str, Any],
    seed: int,
    split: pd.DataFrame,
    labels: pd.DataFrame,
) -> Run:
    """Fit a method once, score whom the fit reports on, and say in its tables which fit they are of.

    A table `cross_validated` of a fit as published (`cross_validated_rows`) becomes rows of the predictions.

    Args:
        fit_method: the method's `fit(data, fit, settings, seed)`. seed: of the run; that of the fit is this plus its
            repeat.

    Raises: ValueError as `predictions_of`.
    """
    own_seed = seed + fit.repeat
    fitted, tables = fit_method(data, fit, settings, own_seed)
    predictions = predictions_of(fitted, data, fit, split, labels, own_seed)
    tables = dict(tables)
    if CROSS_VALIDATED in tables:
        import pandas as pd

        rows = cross_validated_rows(tables.pop(CROSS_VALIDATED), fit, split, labels, own_seed)
        predictions = pd.concat([predictions, rows], ignore_index=True)
    return Run(fitted, predictions, {name: with_fit(table, fit, own_seed) for name, table in tables.items()})


def with_fit(table: pd.DataFrame, fit: Fit, seed: int) -> pd.DataFrame:
    """A table of one fit, which its first columns name: protocol, repeat, fold, seed."""
    about = {**fit.about, "seed": seed}
    return table.assign(**about)[[*about, *(c for c in table.columns if c not in about)]]


def main_fits(folds: int, repeats: int, published: str = "training", cross_validated: bool = False) -> list[Fit]:
    """The fits of a method without networks: in each repeat without each fold, then on all training patients; last the
    published one.

    Args:
        published: whose outcomes tune the published fit (`Fit.tuned_on`). cross_validated: whether the published
            figures of training patients are cross-validated: there is also one without each fold, tuned by it.
    """
    strict = [
        Fit.without(STRICT, repeat, fold) for repeat in range(1, repeats + 1) for fold in (*range(1, folds + 1), 0)
    ]
    by_folds = [Fit(PUBLISHED, 1, (fold,), LEFT_OUT) for fold in range(1, folds + 1)] if cross_validated else []
    return [*strict, *by_folds, Fit(PUBLISHED, tuned_on=published)]


def write_tables(tables: Mapping[str, pd.DataFrame], folder: Path) -> None:
    """Keep the tables of a fit with all digits, a parquet file each."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        table.to_parquet(folder / f"{name}.parquet")


def read_table(folder: str | Path, name: str) -> pd.DataFrame:
    """One table of a fit.

    Args:
        folder: of its tables.
    """
    import pandas as pd

    return pd.read_parquet(Path(folder, f"{name}.parquet"))


def read_tables(folders: Sequence[str | Path], name: str) -> pd.DataFrame:
    """One table of several fits, in their order."""
    import pandas as pd

    return pd.concat([read_table(folder, name) for folder in folders], ignore_index=True)
