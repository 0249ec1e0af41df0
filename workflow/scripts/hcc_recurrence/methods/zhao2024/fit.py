"""Zhao 2024 (Front Oncol 14:1446386): radiomics, clinical-radiological and combined models.

docs/methods.md 4. Models here: CR (clinical), one radiomics model a classifier, the chosen radiomics model, and RCR
(radiomics and clinical). `fit` fits all of them on the patients that learn in a fit and on no others; the two protocols
differ in which these are, in the LASSO, and in how a classifier is chosen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from hcc_recurrence.cohort.fit import STRICT, Fit
from hcc_recurrence.learning.choices import first_of_best
from hcc_recurrence.learning.clinical import dichotomise, select_clinical
from hcc_recurrence.learning.estimators import cross_validated_auc, fit_estimator, predicted
from hcc_recurrence.learning.model_files import expect_keys
from hcc_recurrence.learning.scaling import Imputer, Standardiser
from hcc_recurrence.learning.selection import (
    group_difference_p,
    l1_logistic_coefficients,
    lasso_coefficients,
    reproducible_features,
)
from hcc_recurrence.methods.contract import FittedMethod
from hcc_recurrence.methods.run import learning_patients, tuning_patients
from hcc_recurrence.methods.zhao2024.declare import BEST, CLINICAL, COMBINED, RADIOMICS
from hcc_recurrence.methods.zhao2024.variables import Data, Variables
from hcc_recurrence.radiomics.tables import join_phases
from hcc_recurrence.statistics.logistic import LogisticModel, fit_logistic


@dataclass(frozen=True)
class Zhao(FittedMethod):
    """All models without a network of one fit.

    classifiers: by the names of `learning.estimators`, on the selected features. chosen: which of them is the radiomics
    model. clinical: CR, of the clinical variables. combined: RCR, of features and clinical variables. Both are None in
    a study without clinical variables.
    """

    method: ClassVar[str] = "zhao2024"
    learned: tuple[str, ...]
    variables: Variables
    classifiers: Mapping[str, Any]
    chosen: str
    clinical: LogisticModel | None
    combined: Any | None

    def predict(self, data: Data, patients: Sequence[str]) -> pd.DataFrame:
        """Probability of early recurrence by each model; reads the features and clinical variables of these patients
        alone."""
        x = self.variables.radiomics(data, patients)
        found = {f"{RADIOMICS} {name}": predicted(model, x) for name, model in self.classifiers.items()}
        found[RADIOMICS] = found[f"{RADIOMICS} {self.chosen}"]
        if self.clinical is not None:
            found[CLINICAL] = self.clinical.predict(
                pd.DataFrame(self.variables.clinical(data, patients), columns=self.variables.clinical_names)
            )
            found[COMBINED] = predicted(self.combined, self.variables.both(data, patients))
        return pd.DataFrame(found, index=pd.Index(list(patients), name="patient_id"))

    def state(self) -> dict[str, Any]:
        """What a model file holds of it."""
        own = self.clinical
        return {
            "learned": list(self.learned),
            "variables": self.variables.state(),
            "classifiers": [{"name": name, "model": model} for name, model in self.classifiers.items()],
            "chosen": self.chosen,
            "clinical": None
            if own is None
            else {
                "variables": list(own.coefficients),
                "coefficients": list(own.coefficients.values()),
                "intercept": own.intercept,
                "method": own.method,
            },
            "combined": self.combined,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """From what `state` gave.

        Raises: ModelFileError for other keys.
        """
        expect_keys(state, {"learned", "variables", "classifiers", "chosen", "clinical", "combined"}, cls.method)
        own, clinical = state["clinical"], None
        if own is not None:
            expect_keys(own, {"variables", "coefficients", "intercept", "method"}, f"{cls.method}, clinical")
            weights = dict(zip(own["variables"], own["coefficients"], strict=True))
            clinical = LogisticModel(weights, own["intercept"], own["method"])
        return cls(
            tuple(state["learned"]),
            Variables.from_state(state["variables"]),
            {row["name"]: row["model"] for row in state["classifiers"]},
            state["chosen"],
            clinical,
            state["combined"],
        )


def read_data(
    files: Mapping[str, Sequence[str]],
    about: Mapping[str, Any],
    clinical: pd.DataFrame,
    labels: pd.DataFrame,
    split: pd.DataFrame,
) -> Data:
    """What the method takes, from the files of the rule `fit_method`.

    Args:
        files: radiomics: a table a phase. about: phases, and reader, whose masks the models use.
    """
    tables = [pd.read_parquet(file) for file in files["radiomics"]]
    phases = dict(zip(about["phases"], tables, strict=True))
    return Data(join_phases(phases, list(split["patient_id"]), about["reader"]), clinical, labels, split)


def select_radiomics(
    data: Data, rows: list[str], reader_rows: list[str], settings: Mapping[str, Any], protocol: str, seed: int
) -> tuple[dict[str, float], Standardiser, list[dict[str, Any]]]:
    """Columns that survive ICC, group difference and LASSO with its weights, the scaler of all columns, and how many
    each step left.

    Args:
        rows: the patients that learn. reader_rows: patients whose repeated readings may be used.
    """
    values = data.radiomics.values
    columns = values.columns
    y = data.outcome(rows)
    scale = Standardiser(values.loc[rows].to_numpy())
    keep = np.ones(len(columns), bool)
    steps = [{"step": "extracted", "features": int(keep.sum())}]
    for reader, repeated in data.radiomics.repeated.items():
        both = [p for p in repeated.index if p in set(reader_rows)]
        if len(both) < settings["icc_minimum_patients"]:
            print(f"reader {reader}: {len(both)} patients are too few for an ICC; filter not applied")
            continue
        ratings = np.stack([values.loc[both].to_numpy(), repeated.loc[both].to_numpy()], axis=1)
        keep &= reproducible_features(ratings, settings["icc_threshold"])
        steps.append({"step": f"ICC with {reader} ({len(both)} patients)", "features": int(keep.sum())})
    x = scale(values.loc[rows].to_numpy())
    p = group_difference_p(x, y, settings["normality_alpha"])
    p[~keep] = 1.0
    significant = p < settings["univariable_p"]
    steps.append({"step": "group difference", "features": int(significant.sum())})
    survivors = np.flatnonzero(significant)
    chosen: dict[str, float] = {}
    if len(survivors):
        if protocol == STRICT:
            weights = l1_logistic_coefficients(
                x[:, survivors], y, settings["lasso_folds"], seed, settings["l1_penalties"]
            )
        else:
            weights = lasso_coefficients(x[:, survivors], y, settings["lasso_folds"], seed)
        chosen = {columns[i]: float(w) for i, w in zip(survivors, weights, strict=True) if abs(w) > 1e-8}
    steps.append({"step": "LASSO", "features": len(chosen)})
    return chosen, scale, steps


def fit(data: Data, fit: Fit, settings: Mapping[str, Any], seed: int) -> tuple[Zhao, dict[str, pd.DataFrame]]:
    """Fit every model on the patients that learn in a fit.

    As published, the validation patients, where they tune the fit and have both outcomes, decide the chosen classifier
    (the authors chose by it); `strict` never looks at them.

    Args:
        seed: of the fit.

    Returns: the models; and coefficients, selection (features after each step) and inputs (`Variables.table` of all
    patients, which the fusion with a network reads).
    """
    rows = learning_patients(data.split, fit)
    y = data.outcome(rows)
    everyone = sorted(data.radiomics.values.index)
    reader_rows = rows if fit.protocol == STRICT else everyone
    lasso, scale, steps = select_radiomics(data, rows, reader_rows, settings, fit.protocol, seed)
    selected = list(lasso)
    positions = [data.radiomics.values.columns.get_loc(c) for c in selected]

    coded = dichotomise(data.clinical, settings["clinical"])
    impute = Imputer(coded.loc[rows].to_numpy())
    clinical = pd.DataFrame(impute(coded.to_numpy()), index=coded.index, columns=coded.columns)
    kept, table = [], pd.DataFrame()
    if settings["clinical"]:
        kept, table = select_clinical(clinical.loc[rows], y, settings["clinical_p"], settings["none_significant"])
    variables = Variables(
        tuple(selected),
        scale.of_columns(positions),
        {name: settings["clinical"][name] for name in kept},
        impute.of_columns([coded.columns.get_loc(name) for name in kept]),
        Standardiser(clinical.loc[rows, kept].to_numpy()),
    )

    train = variables.radiomics(data, rows)
    known = {name: settings["classifier_settings"].get(name, {}) for name in settings["classifiers"]}
    classifiers = {name: fit_estimator(name, train, y, seed, **own) for name, own in known.items()}
    for name, model in classifiers.items():
        if getattr(model, "falls_", False):
            kept = f"falling_sigmoid: {model.falling_sigmoid}"
            print(f"{name}: probabilities would fall where decision values rise; {kept}")
    tuning = tuning_patients(data.split, fit)
    folds = settings["choice_folds"]
    chosen, used = choose_classifier(data, variables, classifiers, train, y, tuning, folds, seed, known)
    steps.append({"step": f"chosen classifier: {chosen}", "features": len(selected)})

    own = combined = None
    coefficients = table.assign(model=CLINICAL).to_dict("records")
    if settings["clinical"]:
        # CR is the logistic regression of its table of risk factors; RCR is the best-performing radiomics classifier.
        own = fit_logistic(y, pd.DataFrame(variables.clinical(data, rows), columns=kept))
        named = settings["combined_classifier"]
        classifier = chosen if named == BEST else named
        combined = fit_estimator(
            classifier, variables.both(data, rows), y, seed, **settings["classifier_settings"].get(classifier, {})
        )
        weights = [own.coefficients.get(name, 0.0) for name in kept]
        described = [
            (CLINICAL, kept, "LR", weights),
            (COMBINED, selected + kept, classifier, weights_of_classifier(combined, selected + kept)),
        ]
    else:
        # Of the logistic regression, whose weights can be read, also where another classifier was chosen.
        shown = "LR" if "LR" in classifiers else chosen
        described = [(RADIOMICS, selected, shown, weights_of_classifier(classifiers[shown], selected))]
    for model, names, used_by, weights in described:
        coefficients += [
            {"model": model, "step": "final", "variable": v, "coefficient": w, "classifier": used_by}
            for v, w in zip(names, weights, strict=True)
        ]
        if not names:
            # A fit without a variable is a fit as well, of those that are counted.
            coefficients.append({"model": model, "step": "none selected", "variable": "", "coefficient": np.nan})
    coefficients += [{"model": RADIOMICS, "step": "LASSO", "variable": v, "coefficient": w} for v, w in lasso.items()]
    fitted = Zhao(tuple(sorted({*rows, *used})), variables, classifiers, chosen, own, combined)
    tables = {
        "coefficients": pd.DataFrame(coefficients),
        "selection": pd.DataFrame(steps),
        "inputs": variables.table(data, everyone),
    }
    return fitted, tables


def weights_of_classifier(classifier: Any, names: Sequence[str]) -> list[float]:
    """One weight a variable, which the logistic regression alone has; NaN of another classifier."""
    return getattr(classifier, "coef_", np.full((1, len(names)), np.nan)).ravel().tolist()


def choose_classifier(
    data: Data,
    variables: Variables,
    classifiers: Mapping[str, Any],
    x: np.ndarray,
    y: np.ndarray,
    tuning: Sequence[str],
    folds: int,
    seed: int,
    settings: Mapping[str, Mapping[str, Any]],
) -> tuple[str, list[str]]:
    """The classifier with the highest AUC of the patients that tune the fit, or, where these are none or have one
    outcome, by cross-validation on the patients that learn; of equal ones the first.

    Args:
        x, y: features (patients, features) and outcome of those that learn.

    Returns: its name, and the tuning patients whose outcomes were used.
    """
    from sklearn.metrics import roc_auc_score

    outcome = data.outcome(tuning)
    used = list(tuning) if len(set(outcome.tolist())) == 2 else []
    if used:
        others = variables.radiomics(data, used)
        scores = {name: float(roc_auc_score(outcome, predicted(m, others))) for name, m in classifiers.items()}
    else:
        scores = {name: cross_validated_auc(name, x, y, folds, seed, **settings[name]) for name in classifiers}
    return first_of_best(scores), used


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
