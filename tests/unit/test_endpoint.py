"""Another outcome than early recurrence: its words, an outcome without times, studies without clinical variables."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest
import yaml
from figure_checks import shown_text, unreadable
from small_cohort import AFP, SCHEMAS, make_plan, patient_row, problems_of, write_cohort
from workflow_runner import REPOSITORY
from zhao_cohort import SETTINGS, make_data

from hcc_recurrence.cohort.fit import Fit
from hcc_recurrence.cohort.labels import make_labels, summarise_labels
from hcc_recurrence.configuration import load_configuration, plain_values
from hcc_recurrence.endpoint import EARLY_RECURRENCE, Endpoint, capital, endpoint, use_endpoint
from hcc_recurrence.figures.coefficients import plot_coefficients
from hcc_recurrence.figures.comparison import plot_seeds
from hcc_recurrence.figures.forest import plot_optimism
from hcc_recurrence.figures.survival import plot_survival_calibration, plot_survival_decision_curve
from hcc_recurrence.learning.predictions import prediction_rows
from hcc_recurrence.learning.risk_factors import _separation
from hcc_recurrence.learning.selection import lasso_coefficients
from hcc_recurrence.methods.contract import declared
from hcc_recurrence.methods.zhao2024.fit import fit
from hcc_recurrence.problems import InputError
from hcc_recurrence.statistics.baseline import for_readers, sets_note, sets_table

METASTASIS = Endpoint("lung metastasis", "LM", "lung metastasis", column="met")


@pytest.fixture(autouse=True)
def words():
    """Each test begins and ends with the words of early recurrence."""
    yield
    use_endpoint(asdict(EARLY_RECURRENCE))


def sheet(cells):
    names = [f"p{k}" for k in range(len(cells))]
    return pd.DataFrame({"patient_id": names, "centre": "A", "met": cells}, index=names)


def test_a_column_of_the_sheet_is_the_outcome_and_nobody_has_a_time():
    labels = make_labels(sheet(["1", "0", "1.0"]), column="met")
    assert list(labels["er"]) == [1, 0, 1] and labels[["rfs_months", "rfs_event"]].isna().all(axis=None)
    assert (labels["excluded_because"] == "").all()
    rows = prediction_rows(labels, ["p0", "p1"], np.array([0.6, 0.4]), model="m", protocol="strict", split="train",
                           estimate="out_of_fold", repeat=1, fold=1, seed=1)  # fmt: skip
    assert list(rows["y"]) == [1, 0] and rows[["rfs_months", "rfs_event"]].isna().all(axis=None)


def test_an_outcome_that_cannot_be_read_is_refused_unless_the_patient_is_left_out():
    with pytest.raises(ValueError, match="the outcome of p1 cannot be read"):
        make_labels(sheet(["1", ""]), column="met")
    labels = make_labels(sheet(["1", ""]), excluded={"p1": "no images"}, column="met")
    assert list(labels["excluded_because"]) == ["", "no images"] and np.isnan(labels["er"][1])


def test_a_longer_outcome_is_not_cut_off_beside_the_names_of_features():
    use_endpoint(asdict(METASTASIS))
    feature = "log-sigma-3-0-mm-3D_gldm_SmallDependenceHighGrayLevelEmphasis"
    row = {"protocol": "strict", "repeat": 1, "seed": 1, "model": "Radiomics", "step": "final", "coefficient": 0.9}
    rows = [{**row, "fold": fold, "variable": f"precontrast__{feature}"} for fold in (0, 1)]
    figure = plot_coefficients(pd.DataFrame(rows), "strict", "Radiomics")
    assert "higher risk of lung metastasis" in shown_text(figure) and unreadable(figure) == []


def test_an_auc_far_below_a_half_is_seen():
    """Four patients with the outcome of ten in validation: 0.12 was cut off at the left, without a word."""
    low = {"model": "LR", "patients": "validation", "strict": 0.18, "strict_sd_over_repeats": 0.1, "as_published": 0.12,
           "optimism": -0.06, "low": np.nan, "high": np.nan, "remark": ""}  # fmt: skip
    seeds = pd.DataFrame({"model": "LR", "split": "validation", "estimate": "held_out", "auc": [0.12, 0.3]})
    for figure in (plot_optimism(pd.DataFrame([low]), "cohort"), plot_seeds(seeds, "cohort")):
        assert figure.axes[0].get_xlim()[0] <= 0


def cohort_with(folder, cells, **endpoint_settings):
    rows = [patient_row(k, met=cell) for k, cell in enumerate(cells)]
    for row in rows:
        for column in ("resection_date", "recurrence_date", "last_follow_up_date"):
            del row[column]
    write_cohort(folder, rows)
    return {"endpoint": {"name": "lung metastasis", "column": "met", **endpoint_settings}}


def test_a_plan_of_an_outcome_without_times_needs_no_dates(tmp_path):
    own = cohort_with(tmp_path, ["0", "1"] * 8)
    plan = make_plan(tmp_path, own)
    assert len(plan.patients("c")) == 16
    before = plan.outcome_hash("c")
    own = cohort_with(tmp_path, ["0", "1"] * 7 + ["1", "1"])
    assert make_plan(tmp_path, own).outcome_hash("c") != before


def test_an_outcome_that_is_not_there_not_one_or_among_the_variables_is_refused_in_words(tmp_path):
    own = cohort_with(tmp_path, ["0", "1"] * 7 + ["", "2"])
    found = problems_of(tmp_path, own)
    assert ("P14", "column met: '' is not 0 or 1") in found and ("P15", "column met: '2' is not 0 or 1") in found
    (found,) = problems_of(tmp_path, {"endpoint": {"column": "mets"}})
    assert found == ("", "has no column 'mets', which cohorts.c.endpoint.column names")
    own = cohort_with(tmp_path, ["0", "1"] * 8)
    found = problems_of(tmp_path, {**own, "clinical": {"afp": {**AFP, "column": "met"}}})
    assert [what for _, what in found if "which is the outcome itself" in what]


def test_a_study_without_what_its_method_needs_is_refused_before_the_first_job(tmp_path):
    paper = yaml.safe_load((REPOSITORY / "config/papers/wang2022.yaml").read_text())
    study = {"paper": "wang2022", "cohort": "c", "phases": {"portal": "portal"}}
    study["without"] = sorted(plain_values(paper["settings"]["published"]["clinical"]))
    own = {"title": "c", "modality": "CT", "patients": "", "endpoint": {"column": "met"}}
    config = {"preset": "demo", "studies": [study], "cohorts": {"c": own}}
    with pytest.raises(InputError) as error:
        load_configuration(config, REPOSITORY / "config/papers", SCHEMAS)
    said = [p.what for p in error.value.problems]
    assert any("has no times, and the method needs them: its nomogram is a Cox regression" in what for what in said)
    assert any("`without` leaves no clinical variable, and the method needs one" in what for what in said)


def test_the_words_of_an_endpoint_stand_in_the_tables():
    use_endpoint(asdict(METASTASIS))
    table = summarise_labels(make_labels(sheet(["1", "0", "0"]), column="met"))
    assert dict(table.to_numpy()) == {
        "patients in the sheet": 3,
        "used": 3,
        "used, lung metastasis": 1,
        "used, no lung metastasis": 2,
    }
    assert endpoint().happened == "lung metastasis" and not endpoint().has_times
    assert capital("HCC progression") == "HCC progression" and capital("death") == "Death"


def test_the_table_of_the_sets_has_the_outcome_alone_where_there_is_nothing_else():
    use_endpoint(asdict(METASTASIS))
    labels = make_labels(sheet(["1", "0"] * 10), column="met")
    split = labels[["patient_id"]].assign(split=["train"] * 14 + ["validation"] * 6)
    table = sets_table(pd.DataFrame(index=labels["patient_id"]), labels, split, {}, {"yates": True, "fisher_below": 5})
    assert list(table["label"]) == ["Lung metastasis, n (%)"] and list(table["training"]) == ["7 (50.0)"]
    assert not {"level", "missing"} & set(for_readers(table))
    assert "recurrence" not in sets_note().lower()


def test_someone_lost_is_told_by_the_event_of_the_endpoint():
    use_endpoint({**asdict(EARLY_RECURRENCE), "event": "death"})
    frame = pd.DataFrame({"patient_id": ["p0"], "centre": ["A"], "rfs_months": ["3"], "rfs_event": ["0"]}, index=["p0"])
    assert make_labels(frame)["excluded_because"][0] == "death-free but followed for less than 24 months"


def test_a_separated_variable_is_told_in_the_words_of_the_endpoint():
    """All of the two patients with it died; nothing recurred."""
    use_endpoint({**asdict(EARLY_RECURRENCE), "name": "death within 24 months", "event": "death"})
    said = _separation(pd.Series([1, 1, 0, 0]), np.array([1, 1, 1, 0]))
    assert said == "no estimate: all of 2 with it had death within 24 months"


def test_figures_of_survival_say_the_event():
    death = {"name": "death within 24 months", "event": "death", "survival": "overall survival"}
    use_endpoint({**asdict(EARLY_RECURRENCE), **death})
    y = np.array([1, 0] * 10)
    rows = pd.DataFrame({"patient_id": [f"p{i:02}" for i in range(20)], "y": y, "probability": 0.3 + 0.4 * y})
    rows = rows.assign(model="RF", protocol="strict", split="validation", estimate="held_out", repeat=1, fold=0, seed=0)
    rows = rows.assign(rfs_months=np.where(y == 1, 6.0, 30.0), rfs_event=y)
    figure = plot_survival_decision_curve(rows, "strict", ["RF"], 24.0)
    assert figure.get_suptitle().endswith("Death within 24 months.")
    figure = plot_survival_calibration(rows, "strict", ["RF"], 24.0, 5, 1)
    assert " ".join(figure.axes[0].get_xlabel().split()) == "Predicted overall survival at 24 months"


def test_a_method_says_what_it_cannot_do_without():
    assert set(declared("wang2022").needs) == {"times", "variables"}
    assert set(declared("zhang2025").needs) == {"variables"}
    assert not any(declared(name).needs for name in ("cui2022", "yan2023", "zhao2024"))


DATA = make_data()


@pytest.mark.parametrize("univariable_p", [0.05, 1e-12])
def test_without_clinical_variables_there_are_the_radiomics_models_alone(univariable_p):
    """Also where nothing is selected, which ended in an empty table of coefficients."""
    settings = {**SETTINGS, "clinical": {}, "univariable_p": univariable_p}
    data = replace(DATA, clinical=DATA.clinical[[]])
    for asked in (Fit(), Fit("as_published")):
        fitted, tables = fit(data, asked, settings, 1)
        patients = list(data.split["patient_id"])
        found = fitted.predict(data, patients)
        names = [name for name in declared("zhao2024").models(settings) if not name.startswith("DL")]
        assert sorted(found.columns) == sorted(names) and not {"CR", "RCR"} & set(names)
        table = tables["coefficients"]
        assert len(table) and set(table["model"]) == {"Radiomics"}
        again = type(fitted).from_state(fitted.state()).predict(data, patients)
        pd.testing.assert_frame_equal(found, again)
        if univariable_p < 1e-6:
            assert list(table["step"]) == ["none selected"]
            classifiers = found.drop(columns=[c for c in found if "KNN" in c])
            learned = data.outcome(fitted.learned).mean()
            assert np.allclose(classifiers.loc[:, ["Radiomics LR"]], learned)


def test_a_lasso_of_one_outcome_in_a_fold_chooses_nothing_or_says_so():
    """Three events among thirty: folds without an event, from which a penalty cannot be chosen by classes."""
    x = np.random.default_rng(0).normal(size=(30, 4))
    y = np.array([1] * 3 + [0] * 27)
    assert np.isfinite(lasso_coefficients(x, y, 5, 1)).all()
