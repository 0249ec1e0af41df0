"""What every method must hold, tried on a small cohort, as scikit-learn's `check_estimator` does for estimators."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
    make_data: Callable[[pd.DataFrame], Any],
    labels: pd.DataFrame,
    split: pd.DataFrame,
    settings: Mapping[str, Any],
    fits: Sequence[Fit],
    folder: Path,
    seed: int = 0,
    alone: bool = True,
) -> list[Run]:
    """Fit a method in all its fits, and try what must hold of each.

    Prediction reads no outcome; no outcome of a patient outside `learned` has a part in a fit; a patient's score does
    not depend on who else is asked for; a model that was saved gives the same bytes; no fit reports on patients that it
    saw as unseen; every declared model and table is there, and no other.

    Args:
        fit_method: the method's `fit`. make_data: from labels to what it takes. fits: all that make up its predictions
            table. folder: for models, empty. alone: False where a method's published protocol scales patients together.

    Returns: what each fit left.

    Raises: AssertionError naming the method, the fit and what does not hold; ValueError as `run_method`.
    """
    runs = []
    for fit in fits:
        what = f"{method.name}, fit {fit}"
        run = run_method(fit_method, make_data(labels), fit, settings, seed, split, labels)
        _declared(method, settings, run, what)
        patients = sorted({p for group in scored_patients(split, fit) for p in group.patients})
        before = _bytes(run.fitted, make_data(labels), patients)
        of_others = _bytes(run.fitted, make_data(flipped(labels, labels["patient_id"])), patients)
        assert of_others == before, f"{what}: prediction reads outcomes"
        unseen = sorted(set(labels["patient_id"]) - set(run.fitted.learned))
        again = run_method(fit_method, make_data(flipped(labels, unseen)), fit, settings, seed, split, labels)
        assert _bytes(again.fitted, make_data(labels), patients) == before, (
            f"{what}: outcomes of patients whom `learned` does not name have a part in the fit"
        )
        if alone:
            _each_alone(run.fitted, make_data(labels), patients, what)
        _kept(run.fitted, make_data(labels), patients, folder / str(fit), what)
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


def _kept(fitted: FittedMethod, data: Any, patients: Sequence[str], folder: Path, what: str) -> None:
    fitted.save(folder / "first")
    loaded = type(fitted).load(folder / "first")
    loaded.save(folder / "second")
    assert loaded.learned == fitted.learned, f"{what}: a model that was saved has forgotten who learned"
    assert _bytes(loaded, data, patients) == _bytes(fitted, data, patients), (
        f"{what}: a model that was saved gives other probabilities"
    )
    first, second = ({f.name: f.read_bytes() for f in sorted((folder / n).iterdir())} for n in ("first", "second"))
    assert first == second, f"{what}: a model that was saved and read is saved with other bytes"
