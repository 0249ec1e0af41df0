"""Wang 2022: DSFR, DSFR-C and visual models, the Cox nomogram, and survival measures against the libraries' own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.model_selection import ParameterGrid
from workflow_runner import REPOSITORY

from hcc_recurrence.cohort.fit import Fit
from hcc_recurrence.configuration import plain_values
from hcc_recurrence.figures.survival import plot_survival_calibration, plot_survival_decision_curve
from hcc_recurrence.learning.predictions import check_predictions, explained_patients, outcome_of
from hcc_recurrence.learning.scaling import Standardiser
from hcc_recurrence.learning.selection import order_by_auc
from hcc_recurrence.methods.check import check_method, other_values
from hcc_recurrence.methods.run import learning_patients, main_fits, run_method
from hcc_recurrence.methods.wang2022.declare import (
    BOTH,
    METHOD,
    NOMOGRAM,
    SIGNATURE,
    SIGNATURE_ALONE,
    VISUAL,
    WITH_CLINICAL,
    phase_sets,
)
from hcc_recurrence.methods.wang2022.fit import Data, Wang, fit
from hcc_recurrence.methods.wang2022.nomogram import development_table, hazard_table
from hcc_recurrence.methods.wang2022.signature import (
    deep_table,
    feature_numbers,
    fit_signature,
    select_order,
)
from hcc_recurrence.methods.wang2022.tables import explained_features
from hcc_recurrence.statistics.auc import auc_delong
from hcc_recurrence.statistics.classification import metrics_table
from hcc_recurrence.statistics.comparisons import delong_pairs
from hcc_recurrence.statistics.measures import survival_tables
from hcc_recurrence.statistics.nomogram import Axis, NomogramModel
from hcc_recurrence.statistics.survival import censor_at, kaplan_meier, log_rank_p

TRAINING, EXTERNAL = 60, 16
PATIENTS = [f"P{i:03d}" for i in range(TRAINING + EXTERNAL)]
SETTINGS = {
    **{"feature_selection": "inside_folds", "explained_features": 3, "phases": ["arterial", "portal"]},
    **{"constant_below": 1e-8, "correlation_r": 0.9, "feature_numbers": [2, 4], "inner_folds": 3, "cox_p": 0.2},
    "regression_grid": {"C": [0.1, 1.0], "max_iter": [200], "tol": [1e-4]},
    "clinical": {"afp": {"at_least": 400}, "hepatitis": None, "ggt": None, "diameter": None},
    "visual": ["diameter"],
}
DEFINITIONS = {
    "afp": {"unit": "ng/mL", "timing": "pre", "kind": "continuous", "levels": []},
    "hepatitis": {"unit": "", "timing": "pre", "kind": "binary", "levels": []},
    "ggt": {"unit": "U/L", "timing": "pre", "kind": "continuous", "levels": []},
    "diameter": {"unit": "mm", "timing": "pre", "kind": "continuous", "levels": []},
}


class Cohort:
    """Two phases of features, of which the portal ones know the risk; clinical variables; no validation patients."""

    def __init__(self, signal: float = 1.0, features: int = 12, seed: int = 1):
        generator = np.random.default_rng(seed)
        n = len(PATIENTS)
        self.er = np.arange(n) % 2
        months = np.where(self.er == 1, generator.uniform(2, 23, n), generator.uniform(25, 60, n)).round(2)
        event = np.where(self.er == 1, 1, generator.integers(0, 2, n))
        self.labels = pd.DataFrame(
            {"patient_id": PATIENTS, "er": self.er, "rfs_months": months, "rfs_event": event, "excluded_because": ""}
        )
        names = [f"decoder1_{i + 1:03d}" for i in range(features)]
        tables = []
        for phase in ("arterial", "portal"):
            x = generator.normal(size=(n, features))
            if phase == "portal":
                x[:, :3] += signal * 1.5 * (self.er[:, None] - 0.5)
            tables.append(pd.DataFrame(x, columns=names).assign(patient_id=PATIENTS, phase=phase))
        self.tables = tables
        self.deep = deep_table(tables, ["arterial", "portal"], PATIENTS)
        raw = pd.DataFrame({"afp": generator.uniform(0, 800, n), "hepatitis": generator.integers(0, 2, n)}, PATIENTS)
        raw["ggt"] = 40 + 40 * signal * self.er + generator.normal(0, 25, n)
        raw["diameter"] = generator.normal(40, 10, n)
        raw.iloc[3, 2] = np.nan
        self.raw = raw
        columns = {"patient_id": PATIENTS, "split": ["train"] * TRAINING + ["external"] * EXTERNAL}
        self.split = pd.DataFrame(columns)
        for repeat in (1, 2):
            folds = np.repeat(generator.permutation(TRAINING // 2) % 3 + 1, 2)
            self.split[f"fold_{repeat}"] = pd.array([*folds, *[pd.NA] * EXTERNAL], dtype="Int64")

    def data(self, labels=None, raw=None):
        labels = self.labels if labels is None else labels
        raw = self.raw if raw is None else raw
        return Data(self.deep, raw, DEFINITIONS, labels, self.split, SETTINGS["phases"], 24.0)

    def run(self, name, **settings):
        return run_method(fit, self.data(), Fit.parse(name), {**SETTINGS, **settings}, 5, self.split, self.labels)

    def all_fits(self, **settings):
        """Predictions and hazards of all fits."""
        runs = [self.run(str(one), **settings) for one in FITS]
        parts = [[run.predictions for run in runs], [run.tables["hazards"] for run in runs]]
        return [pd.concat(part, ignore_index=True) for part in parts]


FITS = main_fits(3, 1, cross_validated=True)
WHOLE = "strict.1.0"


@pytest.fixture(scope="module")
def cohort():
    return Cohort()


@pytest.fixture(scope="module")
def made(cohort):
    return cohort.all_fits()


def test_the_grid_of_the_paper_has_200_points_and_eight_visual_findings():
    paper = plain_values(yaml.safe_load((REPOSITORY / "config/papers/wang2022.yaml").read_text()))["settings"]
    assert len(ParameterGrid(paper["published"]["regression_grid"])) == 200
    assert len(paper["published"]["visual"]) == 8 and set(paper["published"]["visual"]) < set(
        paper["published"]["clinical"]
    )
    assert len(paper["published"]["clinical"]) - 8 == 10, "the candidates of section 4.2"
    assert set(paper["demo"]["regression_grid"]["C"]) == set(paper["published"]["regression_grid"]["C"])


def test_the_linear_predictor_of_a_worked_patient_is_that_of_table_3():
    """Signature 0.6, HBsAg positive, AFP below 400, GGT 50: 2.785 (docs/methods.md 8, item 3)."""
    axes = (
        Axis("signature", 1.985, 0, 1),
        Axis("HBsAg", 1.294, 0, 1, ("no", "yes")),
        Axis("AFP >= 400", 0.858, 0, 1, ("no", "yes")),
        Axis("GGT", 0.006, 0, 300),
    )
    model = NomogramModel("cox", axes, 0.0, 0.9, "24-month recurrence-free survival", as_survival=True)
    patient = {"signature": 0.6, "HBsAg": 1, "AFP >= 400": 0, "GGT": 50}
    assert model.linear_predictor(patient) == pytest.approx(2.785)
    assert model.risk(patient) == pytest.approx(1 - 0.9 ** np.exp(2.785))
    assert model.risk_of_points(model.total_points(patient)) == pytest.approx(model.risk(patient))
    assert NomogramModel.from_dict(model.to_dict()) == model


def test_constant_and_repeated_features_go_and_the_best_come_first():
    generator = np.random.default_rng(2)
    y = np.arange(40) % 2
    good = y + generator.normal(0, 0.5, 40)
    weaker = good + generator.normal(0, 0.15, 40)
    noise = generator.normal(size=40)
    x = np.column_stack([np.full(40, 3.0), weaker, noise, good, -noise + 1e-9 * good])
    strength = [abs(np.corrcoef(c, y)[0, 1]) for c in (weaker, good)]
    assert abs(np.corrcoef(good, weaker)[0, 1]) > 0.9
    order = select_order(x, y, SETTINGS)
    kept = 1 if strength[0] > strength[1] else 3
    assert order[0] == kept and len(order) == 2 and 0 not in order
    assert {2, 4} & set(order), "one of the two that mirror each other"
    from sklearn.metrics import roc_auc_score

    aucs = [abs(roc_auc_score(y, c) - 0.5) for c in x.T]
    assert list(order_by_auc(x, y)) == sorted(range(5), key=lambda i: (-round(aucs[i], 12), i))
    assert len(select_order(x[:, :1], y, SETTINGS)) == 0


def test_numbers_of_features_go_no_further_than_there_are_features():
    assert feature_numbers([6, 10, 15], 30) == [6, 10, 15]
    assert feature_numbers([6, 10, 15], 8) == [6, 8]
    assert feature_numbers([6, 10, 15], 0) == [0]


def test_features_of_both_phases_stand_side_by_side_and_absent_ones_are_named(cohort):
    assert list(cohort.deep.columns[[0, 12]]) == ["arterial__decoder1_001", "portal__decoder1_001"]
    assert phase_sets(["arterial", "portal"]) == {
        "arterial": ["arterial"],
        "portal": ["portal"],
        BOTH: ["arterial", "portal"],
    }
    assert phase_sets(["portal"]) == {"portal": ["portal"]}
    short = [table.iloc[1:] for table in cohort.tables]
    with pytest.raises(ValueError, match=r"\['P000'\] have no deep features of the arterial phase.*What to do"):
        deep_table(short, ["arterial", "portal"], PATIENTS)


def test_a_fit_takes_the_phase_that_knows_more_and_says_what_it_chose(cohort):
    run = cohort.run(WHOLE)
    choices = run.tables["choices"].set_index("model")
    assert run.fitted.phases in ("portal", BOTH) and run.fitted.learned == tuple(PATIENTS[:TRAINING])
    aucs = choices["cross_validated_auc"]
    best = f"{SIGNATURE} {run.fitted.phases}"
    sets = [name for name in aucs.index if name.startswith(f"{SIGNATURE} ")]
    assert aucs[SIGNATURE] == aucs[best] == aucs[sets].max() and aucs[SIGNATURE] > 0.85 > aucs[VISUAL]
    assert choices.loc[SIGNATURE, "phases"] == run.fitted.phases and choices.loc[SIGNATURE, "features"] in (2, 4)
    assert choices.loc[VISUAL, "features"] == 0 and choices.loc[VISUAL, "variables"] == 1
    assert choices.loc[WITH_CLINICAL, "variables"] == choices.loc[WITH_CLINICAL, "features"] + 3
    own = run.tables["weights"].query("model == @SIGNATURE")
    assert own["deep_rank"].tolist() == list(range(1, len(own) + 1))
    assert own["weight"].abs().is_monotonic_decreasing
    shown = explained_features(run.tables["weights"], 2)
    assert shown["variable"].tolist() == own["variable"].head(2).tolist()


def test_dsfr_c_has_the_deep_features_of_dsfr_and_settings_of_its_own(cohort):
    """2.2 of the paper: the deep features of the DSFR model based on the portal phase, and clinical information."""
    for one in FITS:
        found = cohort.run(str(one), feature_numbers=[2, 3, 4, 6]).fitted.regressions
        assert found[WITH_CLINICAL].features == found[SIGNATURE].features
        assert found[WITH_CLINICAL].others and not found[SIGNATURE].others


def test_a_model_is_the_logistic_regression_of_its_weights(cohort):
    run = cohort.run(WHOLE)
    one = run.fitted.regressions[SIGNATURE]
    x = cohort.deep[list(one.features)]
    z = Standardiser(x.loc[PATIENTS[:TRAINING]].to_numpy())(x.to_numpy())
    lp = z @ np.array([one.weights[name] for name in one.features]) + one.model.intercept_[0]
    assert run.fitted.predict(cohort.data(), PATIENTS)[SIGNATURE].to_numpy() == pytest.approx(1 / (1 + np.exp(-lp)))


def test_predictions_keep_their_promises(cohort, made):
    predictions, _ = made
    check_predictions(predictions, cohort.split)
    assert list(METHOD.models(SETTINGS)) == list(predictions["model"].unique())


def test_what_every_method_must_hold(cohort, tmp_path):
    def data_of(labels, changed):
        data = cohort.data(labels, other_values(cohort.raw, changed))
        return replace(data, deep=other_values(data.deep, changed))

    check_method(METHOD, fit, data_of, cohort.labels, cohort.split, SETTINGS, FITS, tmp_path)


def test_choices_are_of_all_training_patients_and_coefficients_without_the_fold(cohort):
    whole, one = cohort.run("as_published.1.0"), cohort.run("as_published.1.2.left_out")
    assert one.fitted.learned == whole.fitted.learned and one.fitted.phases == whole.fitted.phases
    names = {n: [axis.name for axis in r.fitted.cox[NOMOGRAM].nomogram.axes] for n, r in (("a", whole), ("b", one))}
    assert names["a"] == names["b"]
    held = one.predictions["patient_id"].unique()
    assert set(one.predictions["estimate"]) == {"cross_validated"} and len(held) == TRAINING // 3
    # The regression is that of the rows without the fold: another outcome there only changes what is chosen.
    rows = learning_patients(cohort.split, Fit.parse("as_published.1.2.left_out"))
    own = one.fitted.regressions[SIGNATURE]
    x = cohort.deep.loc[rows, list(own.features)].to_numpy()
    assert own.scale.mean == pytest.approx(x.mean(axis=0))
    from sklearn.linear_model import LogisticRegression

    settings = one.tables["choices"].set_index("model").loc[SIGNATURE]
    reference = LogisticRegression(C=settings["C"], max_iter=1000, tol=1e-8)
    reference.fit((x - x.mean(axis=0)) / x.std(axis=0), outcome_of(cohort.labels).loc[rows])
    assert own.model.coef_ == pytest.approx(reference.coef_, abs=1e-3)


def test_dsfr_against_a_nomogram_that_holds_dsfr_alone_is_no_difference_in_any_panel(made):
    predictions, _ = made
    pairs = delong_pairs(predictions, [SIGNATURE, SIGNATURE_ALONE])
    assert len(pairs) == 5, "strict: out of fold and external; as published: cross-validated, apparent and external"
    assert pairs["difference"].abs().max() < 1e-12
    measures, against = survival_tables(predictions, [SIGNATURE, SIGNATURE_ALONE], 24.0, 20, 1)
    assert against["difference"].abs().max() < 1e-12 and len(measures) == 10


def test_a_saved_model_gives_the_same_bytes_and_the_fold_is_not_forgotten(cohort, tmp_path):
    run = cohort.run("as_published.1.1.left_out")
    run.fitted.save(tmp_path / "model")
    loaded = Wang.load(tmp_path / "model")
    asked = PATIENTS[3:40:7]
    assert loaded.predict(cohort.data(), asked).equals(run.fitted.predict(cohort.data(), asked))
    assert loaded.cox[NOMOGRAM].nomogram == run.fitted.cox[NOMOGRAM].nomogram
    gap = cohort.raw.copy()
    gap.loc[asked[0], "ggt"] = np.nan
    filled = cohort.raw.copy()
    rows = learning_patients(cohort.split, Fit.parse("as_published.1.1.left_out"))
    filled.loc[asked[0], "ggt"] = cohort.raw.loc[rows, "ggt"].median()
    first, second = (loaded.predict(cohort.data(raw=raw), asked) for raw in (gap, filled))
    assert first.equals(second), "a gap is the median of those that learned"


def noise_cohort(seed, features):
    """60 training patients with noise of one phase, and no clinical variable that says anything."""
    null = Cohort(signal=0.0, features=features, seed=100 + seed)
    keep = [c for c in null.deep.columns if c.startswith("portal")]
    null.deep = null.deep[keep]
    return null


def cross_validated_aucs(seeds, features, **settings):
    """AUC within the folds of the cross-validated rows of DSFR on noise, by seed."""
    # One clinical variable: DSFR sees none, and their Cox models would be most of the time.
    found, own = [], {**SETTINGS, "phases": ["portal"], "clinical": {"diameter": None}, **settings}
    for seed in seeds:
        null = noise_cohort(seed, features)
        data = Data(null.deep, null.raw, DEFINITIONS, null.labels, null.split, ["portal"], 24.0)
        areas = []
        for fold in (1, 2, 3):
            run = run_method(fit, data, Fit.parse(f"as_published.1.{fold}.left_out"), own, 5, null.split, null.labels)
            rows = run.predictions.query("model == @SIGNATURE")
            areas.append(auc_delong(rows["y"].to_numpy(), rows["probability"].to_numpy()).auc)
        found.append(np.mean(areas))
    return np.array(found)


def test_on_noise_the_published_cross_validation_is_at_a_half_with_selection_inside_the_folds():
    """Twenty seeds of 1984 features and 120 patients are tests/benchmarks/wang_noise.py; here a smaller one."""
    inside = cross_validated_aucs(range(10), 200)
    error = inside.std(ddof=1) / np.sqrt(len(inside))
    assert abs(inside.mean() - 0.5) < 3 * error and error < 0.05
    outside = cross_validated_aucs(range(3), 200, feature_selection="on_all_patients")
    assert outside.min() > 0.7, "the worst-case reading"


def test_strict_never_selects_outside_the_folds(cohort):
    first, second = (cohort.run(WHOLE, feature_selection=where) for where in ("inside_folds", "on_all_patients"))
    assert first.predictions.equals(second.predictions)
    published = [cohort.run("as_published.1.0", feature_selection=w) for w in ("inside_folds", "on_all_patients")]
    assert not published[0].tables["choices"].equals(published[1].tables["choices"])


def test_the_cox_model_is_that_of_lifelines_and_its_risk_is_at_24_months(cohort):
    from lifelines import CoxPHFitter

    run = cohort.run(WHOLE)
    rows, nomogram = PATIENTS[:TRAINING], run.fitted.cox[NOMOGRAM].nomogram
    chosen = [axis.name for axis in nomogram.axes]
    assert SIGNATURE in chosen and "GGT, U/L" in chosen
    y = outcome_of(cohort.labels).loc[rows].to_numpy()
    own = cohort.deep[[c for c in cohort.deep if run.fitted.phases == BOTH or c.startswith(run.fitted.phases)]]
    signature = fit_signature(own, own[[]], rows, y, SETTINGS, 6)
    clinical = pd.DataFrame({"GGT, U/L": cohort.raw["ggt"].fillna(cohort.raw.loc[rows, "ggt"].median())})
    clinical["AFP ≥ 400 ng/mL"] = (cohort.raw["afp"] >= 400).astype(float)
    clinical["Hepatitis B or C"] = cohort.raw["hepatitis"].astype(float)
    scores = run.fitted.predict(cohort.data(), PATIENTS)
    # Those that learn enter with signatures of folds without them; others are scored with the signature of all.
    frame = clinical.loc[rows].assign(**{SIGNATURE: signature.out_of_fold})[chosen]
    frame["months"], frame["event"] = censor_at(
        *cohort.labels.set_index("patient_id").loc[rows, ["rfs_months", "rfs_event"]].to_numpy().T, 24.0
    )
    reference = CoxPHFitter().fit(frame, "months", "event")
    # Recurrences beyond 24 months are censored there: the last estimate is the one at 24.
    x = clinical.assign(**{SIGNATURE: scores[SIGNATURE]})[chosen]
    expected = 1 - reference.predict_survival_function(x, times=[24.0]).iloc[0]
    assert scores[NOMOGRAM].to_numpy() == pytest.approx(expected.to_numpy(), abs=1e-6)
    hazards = run.tables["hazards"]
    table = hazards[hazards["step"] == "nomogram"].set_index("variable")
    assert table["coefficient"].to_dict() == pytest.approx(reference.params_.to_dict(), abs=1e-6)
    limits = hazards[hazards["step"] == "univariable"].set_index("variable")["p"] < 0.2
    together = hazards[hazards["step"] == "multivariable"]["variable"]
    assert set(together) == set(limits.index[limits]) and set(chosen) <= set(together)
    assert nomogram.as_survival and nomogram.outcome == "24-month recurrence-free survival"
    assert run.tables["drawn"]["patient"].iloc[0] in rows
    alone = CoxPHFitter().fit(frame[[SIGNATURE, "months", "event"]], "months", "event")
    expected = 1 - alone.predict_survival_function(x[[SIGNATURE]], times=[24.0]).iloc[0]
    assert scores[SIGNATURE_ALONE].to_numpy() == pytest.approx(expected.to_numpy(), abs=1e-6)


def test_without_a_variable_everyone_has_the_risk_of_the_training_patients():
    null = Cohort(signal=0.0)
    run = null.run(WHOLE, cox_p=0.0)
    assert run.fitted.cox[NOMOGRAM].nomogram is None
    scores = run.fitted.predict(null.data(), PATIENTS)[NOMOGRAM]
    assert scores.to_numpy() == pytest.approx(null.er[:TRAINING].mean())


def test_features_of_two_phases_are_correlated_as_scipy_and_by_hand(cohort):
    """Tables S3 and S4: r by its definition; P from r sqrt((n - 2) / (1 - r^2)) in Student's t of n - 2."""
    from scipy.stats import t as student

    table = cohort.run(WHOLE).tables["correlations"]
    assert set(table["model"]) == {"DSFR arterial"} and set(table["other_model"]) == {"DSFR portal"}
    assert len(table) == len(table["feature"].unique()) * len(table["other_feature"].unique()) <= 9
    line = table.iloc[0]
    x, y = (cohort.deep.loc[PATIENTS[:TRAINING], line[name]].to_numpy() for name in ("feature", "other_feature"))
    r = ((x - x.mean()) * (y - y.mean())).sum() / np.sqrt(((x - x.mean()) ** 2).sum() * ((y - y.mean()) ** 2).sum())
    assert line["r"] == pytest.approx(r) and line["n"] == TRAINING
    assert line["p"] == pytest.approx(2 * student.sf(abs(r) * np.sqrt((TRAINING - 2) / (1 - r**2)), TRAINING - 2))


def test_the_tables_of_all_fits(cohort, made):
    predictions, hazards = made
    table = hazard_table(hazards)
    drawn = table[(table["step"] == "nomogram") & (table["variable"] == SIGNATURE)].set_index("protocol")
    assert drawn.loc["strict", "fits"] > 0.7 and drawn.loc["as_published", "fits"] == 1
    assert drawn["hazard_ratio"].gt(1).all()
    metrics = metrics_table(predictions)
    development = development_table(metrics, {SIGNATURE: 0.74}).set_index("model")
    line = development.loc[SIGNATURE]
    own = predictions[(predictions["model"] == SIGNATURE) & (predictions["estimate"] == "cross_validated")]
    inside = [auc_delong(p["y"].to_numpy(), p["probability"].to_numpy()).auc for _, p in own.groupby("fold")]
    assert line["cross_validated"] == pytest.approx(np.mean(inside)) and len(own) == line["n"] == TRAINING
    keyed = metrics.set_index(["model", "protocol", "split", "estimate"])["auc"]
    assert line["nested"] == keyed[SIGNATURE, "strict", "train", "out_of_fold"]
    assert line["apparent"] == keyed[SIGNATURE, "as_published", "train", "apparent"] and line["published"] == 0.74
    assert np.isnan(development.loc[f"{SIGNATURE} portal", "published"])


def test_the_patients_that_are_explained_are_the_most_right_and_the_most_wrong(made):
    predictions, _ = made
    chosen = explained_patients(predictions, SIGNATURE)
    own = predictions[(predictions["model"] == SIGNATURE) & (predictions["estimate"] == "out_of_fold")]
    recurred = own[own["y"] == 1].sort_values("probability")["patient_id"].tolist()
    assert chosen["patient_id"].tolist()[:2] == [recurred[-1], recurred[0]]
    assert chosen["kind"].tolist()[2:] == ["no recurrence, most right", "no recurrence, most wrong"]


def test_concordance_and_time_dependent_auc_are_those_of_scikit_survival(made):
    from sksurv.metrics import concordance_index_censored, cumulative_dynamic_auc
    from sksurv.util import Surv

    predictions, _ = made
    measures, _ = survival_tables(predictions, [SIGNATURE, NOMOGRAM], 24.0, 20, 1)
    panel = measures[(measures["split"] == "external") & (measures["protocol"] == "strict")].set_index("model")
    for model in (SIGNATURE, NOMOGRAM):
        keys = {"model": model, "protocol": "strict", "split": "external"}
        own = predictions[(predictions[list(keys)] == list(keys.values())).all(axis=1)]
        event, months, score = own["rfs_event"].astype(bool), own["rfs_months"], own["probability"].to_numpy()
        c = concordance_index_censored(event.to_numpy(), months.to_numpy(), score)[0]
        survival = Surv.from_arrays(event, months)
        auc = cumulative_dynamic_auc(survival, survival, score, 24.0)[0][0]
        assert panel.loc[model, "c"] == pytest.approx(c) and panel.loc[model, "auc_t"] == pytest.approx(auc)


def test_kaplan_meier_and_log_rank_are_those_of_lifelines(cohort):
    from lifelines import KaplanMeierFitter
    from lifelines.statistics import logrank_test

    months, event = cohort.labels["rfs_months"].to_numpy(), cohort.labels["rfs_event"].to_numpy()
    group = (cohort.deep["portal__decoder1_001"] > 0).to_numpy().astype(int)
    curve = kaplan_meier(months, event)
    fitter = KaplanMeierFitter().fit(months, event)
    assert curve["survival"].to_numpy() == pytest.approx(fitter.survival_function_at_times(curve["time"]).to_numpy())
    one, other = group == 1, group == 0
    reference = logrank_test(months[one], months[other], event[one], event[other]).p_value
    assert log_rank_p(months, event, group) == pytest.approx(reference)


def test_survival_figures_have_every_model_in_every_panel(made):
    predictions, _ = made
    models = [SIGNATURE, NOMOGRAM]
    figure = plot_survival_calibration(predictions, "strict", models, 24.0, 20, 1)
    panels = [axis for axis in figure.axes if axis.get_title()]
    assert len(panels) == 2
    groups = [line for axis in panels for line in axis.lines if line.get_label() in models]
    assert len(groups) == 4
    for line in groups:
        assert np.all((line.get_ydata() >= 0) & (line.get_ydata() <= 1)) and len(line.get_xdata()) >= 2
    figure = plot_survival_decision_curve(predictions, "strict", models, 24.0)
    labels = {line.get_label() for axis in figure.axes for line in axis.lines}
    assert {*models, "treat all", "treat none"} <= labels
