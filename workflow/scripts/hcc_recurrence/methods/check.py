"""What every method must hold, tried on a small cohort, as scikit-learn's `check_estimator` does for estimators."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from hcc_recurrence.cohort.fit import Fit
from hcc_recurrence.learning.predictions import check_predictions
from hcc_recurrence.methods.contract import FittedMethod, Method
from hcc_recurrence.methods.run import Run, run_method, scored_patients

# Patients who are also asked for alone.
FEW = 5


def check_method(
    method: Method,
    fit_method: Callable[..., tuple[FittedMethod, dict[str, pd.DataFrame]]],
    make_data: Callable[[pd.DataFrame, Sequence[str]], Any],
    labels: pd.DataFrame,
    split: pd.DataFrame,
    settings: Mapping[str, Any],
    fits: Sequence[Fit],
    folder: Path,
    seed: int = 0,
    together: Sequence[Fit] = (),
) -> list[Run]:
    """Fit a method in all its fits, and try what must hold of each.

    Prediction reads no outcome; no outcome and no feature of a patient outside `learned` has a part in a fit, nor an
    imputer or a scaler that is fitted on everybody; a patient's score depends neither on who else is asked for nor on
    the features of others; a model that was saved gives the same bytes; no fit reports on patients that it saw as
    unseen; every declared model and table is there, and no other.

    Args:
        fit_method: the method's `fit`. make_data: from labels, and patients whose features are to be other ones
            (`other_values`), to what it takes. fits: all that make up its predictions table. folder: for models, empty.
        together: fits whose published protocol scales patients of a set together, who are unseen in the fit.

    Returns: what each fit left.

    Raises: AssertionError naming the method, the fit and what does not hold; ValueError as `run_method`.
    """
    runs = []
    for fit in fits:
        what = f"{method.name}, fit {fit}"

        def fitted_on(data: Any, fit: Fit = fit) -> Run:
            return run_method(fit_method, data, fit, settings, seed, split, labels)

        data = make_data(labels, [])
        run = fitted_on(data)
        _declared(method, settings, run, what)
        patients = sorted({p for group in scored_patients(split, fit) for p in group.patients})
        before = _bytes(run.fitted, data, patients)
        of_others = _bytes(run.fitted, make_data(flipped(labels, labels["patient_id"]), []), patients)
        assert of_others == before, f"{what}: prediction reads outcomes"
        _kept(run.fitted, data, patients, folder / str(fit), what)
        unseen = sorted(set(split["patient_id"]) - set(run.fitted.learned))
        again = fitted_on(make_data(flipped(labels, unseen), unseen)).fitted
        if _saved(again, folder / str(fit) / "again") != _saved(run.fitted, folder / str(fit) / "first"):
            alone = fitted_on(make_data(flipped(labels, unseen), [])).fitted
            outcomes = _saved(alone, folder / str(fit) / "outcomes") != _saved(run.fitted, folder / str(fit) / "first")
            raise AssertionError(
                f"{what}: {'outcomes' if outcomes else 'features'} of patients whom `learned` does not name have a "
                "part in the fit"
            )
        _each_alone(run.fitted, data, patients, what)
        if fit not in together:
            _not_by_others(run.fitted, data, partial(make_data, labels), patients, what)
        runs.append(run)
    check_predictions(pd.concat([run.predictions for run in runs], ignore_index=True), split)
    return runs


def flipped(labels: pd.DataFrame, patients: Sequence[str]) -> pd.DataFrame:
    """The labels with the other outcome, and another time, for some patients."""
    rows = labels["patient_id"].isin(set(patients))
    return labels.assign(
        er=labels["er"].where(~rows, 1 - labels["er"]),
        rfs_months=labels["rfs_months"].where(~rows, 1 + 60 / (1 + labels["rfs_months"])),
        rfs_event=labels["rfs_event"].where(~rows, 1 - labels["rfs_event"]),
    )


def other_values(table: pd.DataFrame, patients: Sequence[str]) -> pd.DataFrame:
    """A table of numbers with other values of some patients: the other one of two, else far outside the others' range.

    Args:
        table: index patient_id, columns of numbers.
    """
    rows = table.index.isin(set(patients))
    changed = {}
    for name, column in table.items():
        binary = column.dropna().isin([0, 1]).all()
        changed[name] = column.mask(rows, 1 - column if binary else 3 * column + 7 * column.abs().max() + 1)
    return pd.DataFrame(changed, table.index)


def _saved(fitted: FittedMethod, folder: Path) -> dict[str, bytes]:
    """The files of a model that is saved, or that was."""
    if not folder.exists():
        fitted.save(folder)
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def _bytes(fitted: FittedMethod, data: Any, patients: Sequence[str]) -> bytes:
    return fitted.predict(data, patients).to_numpy(float).tobytes()


def _declared(method: Method, settings: Mapping[str, Any], run: Run, what: str) -> None:
    made, wanted = set(run.predictions["model"]), set(method.models(settings))
    assert made == wanted, f"{what}: declared and made are not the same models: {sorted(made ^ wanted)}"
    tables = set(run.tables) ^ set(method.tables)
    assert not tables, f"{what}: declared and made are not the same tables: {sorted(tables)}"


def _each_alone(fitted: FittedMethod, data: Any, patients: Sequence[str], what: str) -> None:
    together = fitted.predict(data, patients)
    for patient in patients[:: max(1, len(patients) // FEW)]:
        own = fitted.predict(data, [patient])
        assert list(own.index) == [patient] and list(own.columns) == list(together.columns), f"{what}: {patient}"
        # The last bits of a matrix product depend on how many rows it has.
        same = np.allclose(own.to_numpy(), together.loc[[patient]].to_numpy(), rtol=1e-6, atol=1e-9)
        assert same, f"{what}: the score of {patient} depends on who else is asked for"


def _not_by_others(
    fitted: FittedMethod, data: Any, change: Callable[[Sequence[str]], Any], patients: Sequence[str], what: str
) -> None:
    """That other features of every second patient change no score of the rest, and that `change` changes features."""
    found, changed = (fitted.predict(one, patients).to_numpy(float) for one in (data, change(patients[::2])))
    same = found[1::2].tobytes() == changed[1::2].tobytes()
    assert same, f"{what}: a score depends on the features of other patients"
    read = (found != found[0]).any()
    assert not read or (found[::2] != changed[::2]).any(), f"{what}: `make_data` gives nobody other features"


def _kept(fitted: FittedMethod, data: Any, patients: Sequence[str], folder: Path, what: str) -> None:
    first = _saved(fitted, folder / "first")
    loaded = type(fitted).load(folder / "first")
    assert loaded.learned == fitted.learned, f"{what}: a model that was saved has forgotten who learned"
    assert _bytes(loaded, data, patients) == _bytes(fitted, data, patients), (
        f"{what}: a model that was saved gives other probabilities"
    )
    assert _saved(loaded, folder / "second") == first, (
        f"{what}: a model that was saved and read is saved with other bytes"
    )
