"""Selection, classifiers and the composition of Zhao 2024: nothing is fitted on what it is reported on."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import mannwhitneyu, shapiro, ttest_ind
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from zhao_cohort import SETTINGS, make_data, run_protocol

from hcc_recurrence.learning.clinical import dichotomise, select_clinical
from hcc_recurrence.learning.estimators import ESTIMATORS, fit_estimator, fit_predict
from hcc_recurrence.learning.folds import stratified_folds
from hcc_recurrence.learning.predictions import check_predictions, main_models
from hcc_recurrence.learning.scaling import Imputer, Standardiser
from hcc_recurrence.learning.selection import (
    group_difference_p,
    l1_logistic_coefficients,
    lasso_coefficients,
    mean_deviance,
    reproducible_features,
)
from hcc_recurrence.methods.run import patients_of_split
from hcc_recurrence.methods.zhao2024.variables import Data
from hcc_recurrence.radiomics.tables import join_phases


def test_group_difference_equals_the_tests_one_by_one():
    generator = np.random.default_rng(0)
    y = np.tile([0, 1], 20)
    x = np.column_stack(
        [generator.normal(size=40) + y, np.exp(2 * generator.normal(size=40) + y), np.ones(40), y * 1.0]
    )
    p = group_difference_p(x, y)
    for j in range(2):
        zero, one = x[y == 0, j], x[y == 1, j]
        normal = min(shapiro(zero).pvalue, shapiro(one).pvalue) > 0.05
        assert normal == (j == 0)
        test = ttest_ind(zero, one) if normal else mannwhitneyu(zero, one, method="asymptotic")
        assert p[j] == pytest.approx(test.pvalue)
    assert p[2] == 1 and p[3] < 1e-6


def test_reproducible_features_keeps_what_readers_agree_on():
    generator = np.random.default_rng(1)
    truth = generator.normal(size=(20, 1, 2))
    ratings = truth + generator.normal(0, [0.05, 2.0], (20, 2, 2))
    assert reproducible_features(ratings, 0.9).tolist() == [True, False]


@pytest.mark.parametrize("method", ["lasso", "l1"])
def test_penalised_regressions_find_the_signal(method):
    generator = np.random.default_rng(2)
    x = generator.normal(size=(120, 60))
    y = (x[:, 3] - x[:, 17] + 0.5 * generator.normal(size=120) > 0).astype(int)
    weights = lasso_coefficients(x, y, 5, 0) if method == "lasso" else l1_logistic_coefficients(x, y, 5, 0, 15)
    assert set(np.argsort(-np.abs(weights))[:2]) == {3, 17}
    assert weights[3] > 0 > weights[17] and (weights == 0).sum() > 20


def test_mean_deviance_is_scikit_learns_log_loss_to_the_last_bit():
    generator = np.random.default_rng(5)
    x = generator.normal(size=(90, 7))
    y = (x[:, 0] + generator.normal(size=90) > 0).astype(int)
    # By hand: two patients at a probability of a half.
    assert mean_deviance(np.array([0, 1]), np.zeros(2)) == pytest.approx(np.log(2), abs=1e-15)
    for c in (1e-6, 0.1, 1.0, 1e4):
        model = LogisticRegression(C=c, l1_ratio=1.0, solver="liblinear", random_state=0).fit(x[:50], y[:50])
        logit = (x[50:] @ model.coef_.T + model.intercept_).ravel()
        assert mean_deviance(y[50:], logit) == log_loss(y[50:], model.predict_proba(x[50:]), labels=[0, 1])
    # Where a probability is 0 or 1 as far as a computer can tell.
    certain = np.array([-800.0, 800.0, 40.0])
    wrong = np.array([1, 0, 0])
    one = expit(certain)
    assert mean_deviance(wrong, certain) == log_loss(wrong, np.column_stack([1 - one, one]), labels=[0, 1])


@pytest.mark.parametrize("name", list(ESTIMATORS))
def test_classifiers_give_probabilities_and_the_same_ones_again(name):
    generator = np.random.default_rng(3)
    x = generator.normal(size=(60, 4))
    y = (x[:, 0] > 0).astype(int)
    first, again = (fit_predict(name, x[:40], y[:40], [x[40:]], seed=1)[0] for _ in range(2))
    assert np.array_equal(first, again) and ((first >= 0) & (first <= 1)).all()
    assert first[y[40:] == 1].mean() > first[y[40:] == 0].mean() + 0.2
    assert (fit_predict(name, x[:40, :0], y[:40], [x[40:, :0]], seed=1)[0] == y[:40].mean()).all()
    # scikit-learn's own contract: what a config may set are parameters, and a fitted one knows both outcomes.
    made = ESTIMATORS[name].make(1)
    assert set(ESTIMATORS[name].needs) <= set(ESTIMATORS[name].settings) <= set(made.get_params())
    assert fit_estimator(name, x, y, 1).classes_.tolist() == [0, 1]


def test_folds_shrink_to_the_rarer_outcome_and_refuse_a_single_patient():
    y = np.array([0] * 10 + [1] * 3)
    assert stratified_folds(y, 5, 0).get_n_splits() == 3
    assert stratified_folds(np.tile([0, 1], 10), 5, 0).get_n_splits() == 5
    with pytest.raises(ValueError, match="two patients of each outcome; one outcome has 1"):
        stratified_folds(np.array([0, 0, 0, 1]), 5, 0)


def test_scaling_and_imputation_use_the_fitted_rows_only():
    x = np.array([[1.0, 5.0], [3.0, 5.0], [np.nan, 5.0]])
    filled = Imputer(x)(np.array([[np.nan, np.nan]]))
    assert filled.tolist() == [[2.0, 5.0]]
    scaled = Standardiser(np.array([[1.0, 5.0], [3.0, 5.0]]))(np.array([[4.0, 9.0]]))
    assert scaled.tolist() == [[2.0, 0.0]]


def test_dichotomise_keeps_missing_values():
    frame = pd.DataFrame({"afp": [400, 401, np.nan], "age": [50, 60, 70]})
    assert dichotomise(frame, {"afp": 400, "age": None})["afp"].tolist()[:2] == [0, 1]
    assert np.isnan(dichotomise(frame, {"afp": 400})["afp"].iloc[2])


def test_no_clinical_variable_is_kept_where_none_is_significant():
    generator = np.random.default_rng(4)
    x = pd.DataFrame({"a": np.tile([0.0, 1, 1, 0], 20), "b": generator.permutation(np.tile([0.0, 1], 40))})
    y = np.tile([0, 1, 0, 1], 20)
    kept, table = select_clinical(x[["a"]], y, 0.05)
    assert kept == [] and table["p"].iloc[0] > 0.9
    assert select_clinical(x.assign(c=np.where(generator.random(80) < 0.9, y, 1 - y)), y, 0.05)[0] == ["c"]


def swap_label(data, patient):
    labels = data.labels.copy()
    rows = labels["patient_id"] == patient
    labels.loc[rows, "er"] = 1 - labels.loc[rows, "er"]
    return Data(data.radiomics, data.clinical, labels, data.split)


def scores(results, **about):
    frame = results["predictions"]
    for column, value in about.items():
        frame = frame[frame[column] == value]
    return frame.set_index(["model", "patient_id"])["probability"].sort_index()


def test_strict_never_sees_the_patient_it_predicts():
    """A patient's own label, in training or in validation, does not move the patient's own strict score."""
    data = make_data()
    before = run_protocol(data, SETTINGS, "strict")
    check_predictions(before["predictions"], data.split)
    for patient, estimate in (("p03", "out_of_fold"), ("p46", "held_out")):
        after = run_protocol(swap_label(data, patient), SETTINGS, "strict")
        own = [scores(r, patient_id=patient, estimate=estimate) for r in (before, after)]
        pd.testing.assert_series_equal(own[0], own[1])
    # A training label does move what is learned from it.
    after = run_protocol(swap_label(data, "p03"), SETTINGS, "strict")
    assert not scores(before, estimate="held_out").equals(scores(after, estimate="held_out"))


def test_strict_ignores_validation_labels_and_the_published_protocol_uses_them():
    data = make_data(signal=0.6)
    changed = data
    for patient in (f"p{i}" for i in range(44, 54)):
        changed = swap_label(changed, patient)
    strict = [scores(run_protocol(d, SETTINGS, "strict")) for d in (data, changed)]
    pd.testing.assert_series_equal(*strict)
    chosen = [
        [s for s in run_protocol(d, SETTINGS, "as_published")["selection"]["step"] if "chosen" in s]
        for d in (data, changed)
    ]
    assert chosen[0] != chosen[1]


def test_the_published_protocol_is_optimistic_on_noise():
    data = make_data(seed=5, signal=0.0)
    from sklearn.metrics import roc_auc_score

    apparent = run_protocol(data, SETTINGS, "as_published")["predictions"]
    strict = run_protocol(data, SETTINGS, "strict")["predictions"]
    area = {}
    for name, frame, estimate in (("apparent", apparent, "apparent"), ("strict", strict, "out_of_fold")):
        own = frame[(frame["model"] == "Radiomics KNN") & (frame["estimate"] == estimate)]
        area[name] = roc_auc_score(own["y"], own["probability"])
    assert area["apparent"] > 0.65 and abs(area["strict"] - 0.5) < 0.2


def test_the_icc_filter_removes_what_the_readers_disagree_on():
    results = run_protocol(make_data(), SETTINGS, "as_published")
    used = set(results["coefficients"].query("step == 'final' and model == 'RCR'")["variable"])
    assert "a__f0" in used and "a__f1" not in used
    steps = results["selection"].set_index("step")["features"]
    assert steps["extracted"] == 32 - 2 and steps.filter(like="ICC with R2").iloc[0] < 30


def test_joining_phases_names_who_is_missing():
    def rows(phase, patients, reader="R1"):
        return pd.DataFrame({"patient_id": patients, "phase": phase, "reader": reader, "x": 1.0, "y": 2.0})

    tables = {
        "arterial": pd.concat([rows("arterial", ["a", "b"]), rows("arterial", ["a"], "R2")]),
        "portal": pd.concat([rows("portal", ["b", "a"]), rows("portal", ["b"], "R2")]),
    }
    table = join_phases(tables, ["b", "a"], "R1")
    assert list(table.values.index) == ["b", "a"]
    assert list(table.values.columns) == ["arterial__x", "arterial__y", "portal__x", "portal__y"]
    assert table.repeated["R2"].empty  # each phase was read again in another patient
    with pytest.raises(ValueError, match=r"no features of reader R1 for \['c'\]"):
        join_phases(tables, ["a", "c"], "R1")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f.assign(split="validation"), "another split"),
        (lambda f: pd.concat([f, f.iloc[:1]]), "stands twice"),
        (lambda f: f.assign(probability=1.2), r"outside \[0, 1\]"),
        (lambda f: f.iloc[1:], "leaves out 1 patients"),
        (lambda f: f.assign(protocol="other"), "column protocol holds"),
        (lambda f: f.assign(estimate="held_out"), "held_out is for patients outside training"),
    ],
)
def test_broken_predictions_are_refused(change, words):
    data = make_data()
    train = patients_of_split(data.split, "train")
    frame = run_protocol(data, {**SETTINGS, "classifiers": ["LR"]}, "as_published")["predictions"]
    frame = frame[(frame["model"] == "CR") & (frame["estimate"] == "apparent")].reset_index(drop=True)
    check_predictions(frame, data.split)
    assert len(frame) == len(train)
    with pytest.raises(ValueError, match=words):
        check_predictions(change(frame), data.split)


def test_nothing_selected_and_no_clinical_variable_leave_tables_with_their_columns(tmp_path):
    """The coefficients were a file without a column, and gathering them ended in a traceback of pandas."""
    from hcc_recurrence.figures.coefficients import plot_coefficients
    from hcc_recurrence.files import read_csv, write_csv
    from hcc_recurrence.statistics.classification import metrics_table
    from hcc_recurrence.statistics.degenerate import NOTHING

    data, settings = make_data(signal=0), {**SETTINGS, "univariable_p": 1e-9, "clinical": {}}
    parts = []
    for protocol in ("strict", "as_published"):
        results = run_protocol(data, settings, protocol)
        write_csv(results["coefficients"], tmp_path / f"{protocol}.csv")
        parts.append(results["predictions"])
    coefficients = pd.concat([read_csv(tmp_path / f"{p}.csv") for p in ("strict", "as_published")])
    assert set(coefficients["step"]) == {"none selected"}
    # Five fits of the strict protocol (four folds and all) and the published one, each of the radiomics model alone.
    assert len(coefficients) == 5 + 1 and set(coefficients["model"]) == {"Radiomics"}
    drawn = plot_coefficients(coefficients, "strict", "Radiomics").axes[0].texts[0].get_text()
    assert "No variable was selected" in drawn
    metrics = metrics_table(pd.concat(parts))
    assert (metrics["remark"].str.startswith(NOTHING) | (metrics["split"] == "external")).all()
    assert metrics["tp"].isna().all()


def test_fits_without_a_variable_count_in_how_often_one_was_chosen():
    from hcc_recurrence.figures.coefficients import plot_coefficients

    rows = [
        {
            "protocol": "strict",
            "repeat": 1,
            "fold": f,
            "seed": 1,
            "model": "CR",
            "step": "final",
            "variable": "afp",
            "coefficient": 1.0,
        }
        for f in (0, 1)
    ]
    rows += [{**rows[0], "fold": f, "step": "none selected", "variable": np.nan, "coefficient": np.nan} for f in (2, 3)]
    figure = plot_coefficients(pd.DataFrame(rows), "strict", "CR")
    assert "50%" in [text.get_text() for text in figure.axes[0].texts]


def test_the_auc_of_a_classifier_without_a_feature_is_a_half():
    from hcc_recurrence.learning.estimators import cross_validated_auc

    assert cross_validated_auc("LR", np.empty((31, 0)), np.r_[np.zeros(20, int), np.ones(11, int)], 5, 0) == 0.5


def test_a_file_without_a_column_is_an_empty_table(tmp_path):
    from hcc_recurrence.files import read_csv, write_csv

    write_csv(pd.DataFrame(), tmp_path / "none.csv")
    assert read_csv(tmp_path / "none.csv").empty


def test_main_models_are_those_that_are_declared_whatever_they_are_called():
    """A main model called Deep Radiomics, or AP:late, vanished from figures and from the comparison."""
    study = pd.DataFrame({"model": ["Deep Radiomics", "AP:late", "Deep Radiomics LR", "CR", "CR"]})
    assert main_models(study, ["CR", "Deep Radiomics", "AP:late"]) == ["AP:late", "CR", "Deep Radiomics"]
    comparison = pd.DataFrame({"model": ["BCLC", "Volume", "wang2022:Nomogram", "zhao2024:Deep Radiomics"]})
    main = ["zhao2024:", "wang2022:", "Volume"]
    assert main_models(comparison, main) == ["wang2022:Nomogram", "zhao2024:Deep Radiomics", "Volume"]


@pytest.mark.parametrize(("main", "named"), [([], "none"), (["DLR", "Fused"], "DLR, Fused")])
def test_a_study_without_its_main_models_is_refused(main, named):
    """Models of one word stood in for main models that no declaration named: a broken one went unseen."""
    study = pd.DataFrame({"model": ["Radiomics", "CR"]})
    with pytest.raises(ValueError, match=rf"declares \({named}\) the predictions have none: they are of CR, Radiomics"):
        main_models(study, main)


def test_a_method_that_makes_other_models_than_it_declares_is_refused():
    data = make_data()
    frame = run_protocol(data, {**SETTINGS, "classifiers": ["LR"]}, "as_published")["predictions"]
    models = ["CR", "RCR", "Radiomics", "Radiomics LR"]
    check_predictions(frame, data.split, models)
    with pytest.raises(ValueError, match=r"declares other models than it made: CR, DL$"):
        check_predictions(frame, data.split, [*models[1:], "DL"])
