"""Zhao 2024 (Front Oncol 14:1446386): radiomics, clinical-radiological and combined models.

docs/methods.md 4. Models here: CR (clinical), one radiomics model a classifier, the chosen radiomics
model, and RCR (radiomics and clinical). `fit_models` fits all of them on the rows it is given and on no
others; the two protocols differ in what is called a training row and in how a classifier is chosen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from hcc_recurrence.learning.clinical import dichotomise, select_clinical
from hcc_recurrence.learning.estimators import cross_validated_auc, fit_predict
from hcc_recurrence.learning.predictions import prediction_rows
from hcc_recurrence.learning.scaling import Imputer, Standardiser
from hcc_recurrence.learning.selection import (
    group_difference_p,
    l1_logistic_coefficients,
    lasso_coefficients,
    reproducible_features,
)
from hcc_recurrence.radiomics.tables import RadiomicsTable
from hcc_recurrence.statistics.logistic import fit_logistic

CHOSEN = "Radiomics"
CLINICAL = "CR"
COMBINED = "RCR"


@dataclass(frozen=True)
class Data:
    """Everything the method takes. Rows of `radiomics.values`, `clinical` and `labels` are one patient."""

    radiomics: RadiomicsTable
    clinical: pd.DataFrame
    labels: pd.DataFrame
    split: pd.DataFrame

    def outcome(self, patients: list[str]) -> np.ndarray:
        """er of the patients, in their order."""
        return self.labels.set_index("patient_id").loc[patients, "er"].to_numpy().astype(int)

    def patients(self, split: str) -> list[str]:
        """Patients of one split, sorted."""
        return sorted(self.split.loc[self.split["split"] == split, "patient_id"])


@dataclass
class Fitted:
    """Probabilities of each model for each asked group of patients, and how the models came about.

    inputs: what RCR, and the fusion with a network, take of every patient: patient_id, kind, variable, value.
    """

    probability: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)
    coefficients: list[dict[str, Any]] = field(default_factory=list)
    selection: list[dict[str, Any]] = field(default_factory=list)
    inputs: pd.DataFrame = field(default_factory=pd.DataFrame)


def select_radiomics(
    data: Data,
    rows: list[str],
    reader_rows: list[str],
    settings: Mapping[str, Any],
    protocol: str,
    seed: int,
    fitted: Fitted,
) -> tuple[list[str], Standardiser]:
    """Columns that survive ICC, group difference and LASSO, and the scaler of all columns.

    Args:
        rows: the training rows. reader_rows: patients whose repeated readings may be used.
    """
    values = data.radiomics.values
    columns = values.columns
    y = data.outcome(rows)
    scale = Standardiser(values.loc[rows].to_numpy())
    keep = np.ones(len(columns), bool)
    fitted.selection.append({"step": "extracted", "features": int(keep.sum())})
    for reader, repeated in data.radiomics.repeated.items():
        both = [p for p in repeated.index if p in set(reader_rows)]
        if len(both) < settings["icc_minimum_patients"]:
            print(f"reader {reader}: {len(both)} patients are too few for an ICC; filter not applied")
            continue
        ratings = np.stack([values.loc[both].to_numpy(), repeated.loc[both].to_numpy()], axis=1)
        keep &= reproducible_features(ratings, settings["icc_threshold"])
        fitted.selection.append({"step": f"ICC with {reader} ({len(both)} patients)", "features": int(keep.sum())})
    x = scale(values.loc[rows].to_numpy())
    p = group_difference_p(x, y, settings["normality_alpha"])
    p[~keep] = 1.0
    significant = p < settings["univariable_p"]
    fitted.selection.append({"step": "group difference", "features": int(significant.sum())})
    survivors = np.flatnonzero(significant)
    chosen = np.zeros(0, int)
    if len(survivors):
        if protocol == "strict":
            weights = l1_logistic_coefficients(
                x[:, survivors], y, settings["lasso_folds"], seed, settings["l1_penalties"]
            )
        else:
            weights = lasso_coefficients(x[:, survivors], y, settings["lasso_folds"], seed)
        chosen = survivors[np.abs(weights) > 1e-8]
    fitted.selection.append({"step": "LASSO", "features": len(chosen)})
    return [columns[i] for i in chosen], scale


def fit_models(
    data: Data,
    rows: list[str],
    groups: Mapping[str, list[str]],
    settings: Mapping[str, Any],
    protocol: str,
    seed: int,
) -> Fitted:
    """Fit every model on `rows` and predict each group of patients.

    Args:
        groups: name -> patients. `validation`, where given and not empty, decides the chosen classifier in
            the `as_published` protocol (the authors chose by it); `strict` never looks at it.
    """
    fitted = Fitted()
    y = data.outcome(rows)
    everyone = sorted(data.radiomics.values.index)
    reader_rows = rows if protocol == "strict" else everyone
    selected, scale = select_radiomics(data, rows, reader_rows, settings, protocol, seed, fitted)
    position = [data.radiomics.values.columns.get_loc(c) for c in selected]

    def radiomics(patients: list[str]) -> np.ndarray:
        return scale(data.radiomics.values.loc[patients].to_numpy())[:, position]

    names = list(groups)
    train, others = radiomics(rows), [radiomics(groups[g]) for g in names]
    for classifier in settings["classifiers"]:
        found = fit_predict(classifier, train, y, others, seed)
        fitted.probability[f"{CHOSEN} {classifier}"] = dict(zip(names, found, strict=True))
    best = _choose_classifier(data, fitted, train, y, groups, settings, protocol, seed)
    fitted.probability[CHOSEN] = dict(fitted.probability[f"{CHOSEN} {best}"])
    fitted.selection.append({"step": f"chosen classifier: {best}", "features": len(selected)})

    raw = dichotomise(data.clinical, settings["clinical"])
    impute = Imputer(raw.loc[rows].to_numpy())
    clinical = pd.DataFrame(impute(raw.to_numpy()), index=raw.index, columns=raw.columns)
    kept, table = select_clinical(clinical.loc[rows], y, settings["clinical_p"], settings["none_significant"])
    fitted.coefficients += table.assign(model=CLINICAL).to_dict("records")
    spread = Standardiser(clinical.loc[rows, kept].to_numpy())

    def clinical_of(patients: list[str]) -> np.ndarray:
        return spread(clinical.loc[patients, kept].to_numpy())

    def combined(patients: list[str]) -> np.ndarray:
        return np.hstack([radiomics(patients), clinical_of(patients)])

    fitted.inputs = pd.concat(
        [
            _long(everyone, "radiomics", selected, radiomics(everyone)),
            _long(everyone, "clinical", kept, clinical_of(everyone)),
        ]
    )
    for model, inputs, labels in (
        (CLINICAL, clinical_of, kept),
        (COMBINED, combined, selected + kept),
    ):
        others = [inputs(groups[g]) for g in names]
        # CR is the logistic regression of its table of risk factors; RCR is the radiomics classifier, with its penalty.
        weights, found = (
            unpenalised(inputs(rows), y, others) if model == CLINICAL else _logistic(inputs(rows), y, others, seed)
        )
        fitted.probability[model] = dict(zip(names, found, strict=True))
        fitted.coefficients += [
            {"model": model, "step": "final", "variable": v, "coefficient": float(w)}
            for v, w in zip(labels, weights, strict=True)
        ]
        if not labels:
            # A fit without a variable is a fit as well, of those that are counted.
            fitted.coefficients.append({"model": model, "step": "none selected", "variable": "", "coefficient": np.nan})
    return fitted


def _long(patients: list[str], kind: str, variables: list[str], values: np.ndarray) -> pd.DataFrame:
    wide = pd.DataFrame(values, index=pd.Index(patients, name="patient_id"), columns=variables)
    # Without a variable there is still a row a patient: the fit was made.
    wide = wide if variables else wide.assign(**{"": np.nan})
    return wide.reset_index().melt("patient_id", var_name="variable").assign(kind=kind if variables else "none")


def unpenalised(x: np.ndarray, y: np.ndarray, others: list[np.ndarray]) -> tuple[np.ndarray, list[np.ndarray]]:
    """Logistic regression by maximum likelihood (Firth's where the outcome is separated): weights and probabilities.

    Args:
        x: (patients, variables) that learn, with the outcome y. others: the same variables of other patients.
    """
    names = list(range(x.shape[1]))
    model = fit_logistic(y, pd.DataFrame(x, columns=names))
    weights = np.array([model.coefficients.get(name, 0.0) for name in names])
    return weights, [model.predict(pd.DataFrame(o, columns=names)) for o in others]


def _logistic(x: np.ndarray, y: np.ndarray, others: list[np.ndarray], seed: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """Logistic regression with scikit-learn's defaults (docs/methods.md 4.3): weights and probabilities."""
    from sklearn.linear_model import LogisticRegression

    if not x.shape[1]:
        return np.zeros(0), [np.full(len(o), y.mean()) for o in others]
    model = LogisticRegression(max_iter=1000, random_state=seed).fit(x, y)
    return model.coef_.ravel(), [model.predict_proba(o)[:, 1] if len(o) else np.empty(0) for o in others]


def _choose_classifier(
    data: Data,
    fitted: Fitted,
    x: np.ndarray,
    y: np.ndarray,
    groups: Mapping[str, list[str]],
    settings: Mapping[str, Any],
    protocol: str,
    seed: int,
) -> str:
    """The classifier by validation AUC (`as_published`) or by cross-validation on the rows (`strict`)."""
    from sklearn.metrics import roc_auc_score

    validation = groups.get("validation", [])
    outcome = data.outcome(validation) if validation else np.empty(0)
    scores = {}
    for classifier in settings["classifiers"]:
        if protocol == "as_published" and len(set(outcome.tolist())) == 2:
            probability = fitted.probability[f"{CHOSEN} {classifier}"]["validation"]
            scores[classifier] = float(roc_auc_score(outcome, probability))
        else:
            scores[classifier] = cross_validated_auc(classifier, x, y, settings["choice_folds"], seed)
    return max(scores, key=lambda name: (scores[name], -settings["classifiers"].index(name)))


def run_protocol(
    data: Data, settings: Mapping[str, Any], protocol: str, repeats: int, seed: int
) -> dict[str, pd.DataFrame]:
    """Every fit of one protocol.

    `strict`: in each repeat every step inside each fold (out_of_fold), then on all training patients for
    those outside (held_out). `as_published`: once, on all training patients, reported on themselves (apparent)
    and on those outside (held_out).

    Args:
        repeats: of the strict protocol; repeat r uses the split's column fold_r and seed + r.

    Returns: predictions, coefficients, selection, inputs (repeat, fold, patient_id, variable, value, kind).
    """
    train = data.patients("train")
    outside = {name: data.patients(name) for name in ("validation", "external")}
    tables: dict[str, list] = {"predictions": [], "coefficients": [], "selection": [], "inputs": []}

    def fit(rows: list[str], repeat: int, fold: int, groups: Mapping[str, tuple[str, str, list[str]]]) -> None:
        patients = {name: members for name, (_, _, members) in groups.items()}
        fitted = fit_models(data, rows, patients, settings, protocol, seed + repeat)
        about = {"protocol": protocol, "repeat": repeat, "fold": fold, "seed": seed + repeat}
        for model, found in fitted.probability.items():
            for name, (split, estimate, members) in groups.items():
                if members:
                    named = {"model": model, "split": split, "estimate": estimate, **about}
                    tables["predictions"].append(prediction_rows(data.labels, members, found[name], **named))
        tables["coefficients"].extend({**about, **row} for row in fitted.coefficients)
        tables["selection"].extend({**about, **row} for row in fitted.selection)
        tables["inputs"].append(fitted.inputs.assign(repeat=repeat, fold=fold))

    held_out = {name: (name, "held_out", members) for name, members in outside.items()}
    if protocol == "as_published":
        fit(train, 1, 0, {"train": ("train", "apparent", train), **held_out})
    else:
        for repeat in range(1, repeats + 1):
            folds = data.split.set_index("patient_id")[f"fold_{repeat}"]
            for fold in sorted(folds.loc[train].unique()):
                held = [p for p in train if folds[p] == fold]
                rows = [p for p in train if folds[p] != fold]
                fit(rows, repeat, int(fold), {"held": ("train", "out_of_fold", held)})
                print(f"repeat {repeat} of {repeats}, fold {int(fold)}: {len(rows)} trained, {len(held)} held out")
            fit(train, repeat, 0, held_out)
    return {
        "predictions": pd.concat(tables["predictions"], ignore_index=True),
        "coefficients": pd.DataFrame(tables["coefficients"]),
        "selection": pd.DataFrame(tables["selection"]),
        "inputs": pd.concat(tables["inputs"], ignore_index=True),
    }


def summarise_selection(selection: pd.DataFrame) -> pd.DataFrame:
    """Features left after each step, over the fits of a protocol: all training patients, and the folds.

    Zhao 2024 reports 3111 -> 2739 (ICC) -> 961 (group difference) -> 34 (LASSO).
    """
    rows = selection[~selection["step"].str.startswith("chosen")].copy()
    rows["step"] = rows["step"].str.replace(r" \(\d+ patients\)", "", regex=True)
    order = list(dict.fromkeys(rows["step"]))
    rows["fits"] = np.where(rows["fold"] == 0, "all training patients", "folds")
    table = rows.groupby(["protocol", "fits", "step"])["features"].agg(["count", "min", "median", "max"]).reset_index()
    table["step"] = pd.Categorical(table["step"], order)
    table = table.sort_values(["protocol", "fits", "step"], ascending=[False, True, True])
    table["step"] = table["step"].astype(str)
    chosen = selection[selection["step"].str.startswith("chosen")].copy()
    chosen["fits"] = np.where(chosen["fold"] == 0, "all training patients", "folds")
    counts = chosen.groupby(["protocol", "fits", "step"]).size().rename("count").reset_index()
    return pd.concat([table, counts], ignore_index=True).rename(columns={"count": "number of fits"})
