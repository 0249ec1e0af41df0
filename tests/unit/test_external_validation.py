"""External validation of applied models: rows of the predictions table, case mix, sentences, tables, figures, page."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from applied_models import about_model, applied_tables, distribution_of_training
from figure_checks import unreadable
from workflow_runner import REPOSITORY

from hcc_recurrence.exported.evaluation import (
    FIGURES,
    evaluation_figures,
    evaluation_page,
    evaluation_tables,
)
from hcc_recurrence.exported.pages import marks_of, render
from hcc_recurrence.exported.validation import (
    case_mix_table,
    external_predictions,
    nobody_words,
    recalibrations,
    sentences,
    sizes,
)
from hcc_recurrence.learning.predictions import COLUMNS

PATIENTS = [f"p{i:03d}" for i in range(60)]


@pytest.fixture(scope="module")
def applied():
    """Two models on 60 patients, one of whom has no outcome; the outcome follows the risk of CR, half as steep."""
    about, distribution = about_model(), distribution_of_training()
    scores, outside = applied_tables(about, distribution, PATIENTS, 5)
    generator = np.random.default_rng(8)
    risk = scores[scores["model"] == "CR"]["probability"].to_numpy()
    true = 1 / (1 + np.exp(-(0.5 * np.log(risk / (1 - risk)) - 0.8)))
    er = (generator.uniform(size=60) < true).astype(float)
    months = np.where(er == 1, generator.uniform(2, 23, 60), generator.uniform(25, 60, 60)).round(1)
    labels = pd.DataFrame({"patient_id": PATIENTS, "er": er, "rfs_months": months, "rfs_event": er.astype(int)})
    labels.loc[3, "er"] = np.nan
    return about, distribution, scores, outside, labels


def test_rows_are_those_of_the_predictions_table(applied):
    _, _, scores, _, labels = applied
    rows = external_predictions(scores, labels)
    assert list(rows.columns) == [*COLUMNS, "cutoff"] and "p003" not in set(rows["patient_id"])
    assert set(rows["split"]) == {"external"} and set(rows["estimate"]) == {"held_out"}
    assert set(rows["protocol"]) == {"strict"} and len(rows) == 2 * 59
    joined = rows.merge(scores, on=["patient_id", "model"])
    assert np.array_equal(joined["probability_x"], joined["probability_y"]) and (rows["cutoff"] == 0.4).all()
    with pytest.raises(ValueError, match="no patient has both a score and an outcome"):
        external_predictions(scores, labels.assign(er=np.nan))


def test_case_mix_by_hand():
    distribution = distribution_of_training()
    rows = pd.DataFrame(
        [("a", "clinical", "age", 49.0), ("b", "clinical", "age", 67.0), ("c", "clinical", "age", None)]
        + [(p, "clinical", "sex", s) for p, s in zip("abcd", "MMFF", strict=True)],
        columns=["patient_id", "group", "item", "value"],
    )
    table = case_mix_table(rows, distribution, pd.Series([1, 1, 0, np.nan], index=list("abcd")))
    by = table.set_index("item")
    # 58 here and 58 there: no difference, whatever the spread.
    assert by.loc["age", "difference"] == pytest.approx(0) and by.loc["age", "verdict"] == "alike"
    assert by.loc["age", "n_here"] == 2 and by.loc["age", "missing_here"] == 1
    expected = 0.25 / np.sqrt((0.5 * 0.5 + 0.75 * 0.25) / 2)
    assert by.loc["sex", "difference"] == pytest.approx(expected) and by.loc["sex", "here"] == "F 50%, M 50%"
    here, there = 2 / 3, 30 / 80
    spread = np.sqrt((here * (1 - here) + there * (1 - there)) / 2)
    assert by.loc["early recurrence", "difference"] == pytest.approx((here - there) / spread)
    assert list(table["difference"].abs()) == sorted(table["difference"].abs(), reverse=True)


def test_everything_is_made_and_says_what_was_built_in(applied, tmp_path):
    about, distribution, scores, outside, labels = applied
    rows, main = external_predictions(scores, labels), ["CR", "RCR"]
    tables = evaluation_tables(rows, main, 24.0, [24], 20, 0)
    tables["recalibration"], tables["cutoffs"] = recalibrations(rows, 20, 0)
    tables["size"] = sizes(rows, {"observed_expected": 0.2, "slope": 0.2, "c": 0.1})
    tables["case_mix"] = case_mix_table(outside, distribution, labels.set_index("patient_id")["er"])
    # The carried cut-off, not one of these patients.
    assert (tables["metrics"]["threshold"] == 0.4).all()
    own = rows[rows["model"] == "CR"]
    high = own["probability"] >= 0.4
    metrics = tables["metrics"].set_index("model").loc["CR"]
    assert metrics["tp"] == int((high & (own["y"] == 1)).sum()) and metrics["n"] == 59
    words = sentences(main, *(tables[n] for n in ("metrics", "recalibration", "cutoffs", "size", "case_mix")))
    first = next(w for w in words if w.startswith("CR: 59 patients"))
    # Built in: risks too high, of which 59 patients are enough to be sure; and too extreme, of which they are not.
    assert "risks are too high" in first and "Riley's criteria ask for" in first
    untouched = tables["recalibration"].set_index(["model", "update"]).loc[("CR", "untouched")]
    # By hand: sqrt((1 - O/n) / O) is the standard error of ln(O/E).
    events, expected = own["y"].sum(), own["probability"].sum()
    high_end = events / expected * np.exp(1.959964 * np.sqrt((1 - events / 59) / events))
    assert untouched["observed_expected_high"] == pytest.approx(high_end, rel=1e-6) and high_end < 1
    drawn = evaluation_figures(rows, tables, main, "there on here", 24.0, 20, 0)
    assert list(drawn) == list(FIGURES)
    for name in ("recalibration", "confusion"):
        figure = drawn[name]()
        assert unreadable(figure) == [], name
        plt.close(figure)
    model = type("Model", (), {"about": about, "title": about["title"]})()
    page = evaluation_page(about["title"], "here", marks_of([model]), tables, words, [], 20)
    text = render(REPOSITORY / "workflow/report", "applied_evaluation.html.j2", page)
    assert "Research use only" in text and "untouched" in text and "too few" in text and "recommended" in text
    assert f"{59}" in text and "http" not in text


def test_a_handful_has_words_instead_of_numbers(applied):
    _, distribution, scores, outside, labels = applied
    few = labels[labels["patient_id"].isin(PATIENTS[:6])]
    rows = external_predictions(scores, few)
    tables = evaluation_tables(rows, ["CR"], 24.0, [24], 20, 0)
    updates, cuts = recalibrations(rows, 20, 0)
    size = sizes(rows, {"observed_expected": 0.2, "slope": 0.2, "c": 0.1})
    mix = case_mix_table(outside, distribution, few.set_index("patient_id")["er"])
    words = sentences(["CR"], tables["metrics"], updates, cuts, size, mix)
    assert "Nothing can be said of how it does: fewer than 5" in words[-1]


def test_inputs_that_are_far_apart_are_told_from_the_outcome(applied):
    """A name may have a comma; the rate of the outcome is no input."""
    _, distribution, scores, outside, labels = applied
    one = labels[labels["er"] == 1].iloc[:1]
    rows = external_predictions(scores, one)
    tables = evaluation_tables(rows, ["CR"], 24.0, [24], 20, 0)
    updates, cuts = recalibrations(rows, 20, 0)
    mix = case_mix_table(outside, distribution, one.set_index("patient_id")["er"])
    mix = mix.assign(
        verdict=["far apart" if group in ("outcome", "acquisition") else "alike" for group in mix["group"]]
    )
    size = sizes(rows, {"observed_expected": 0.2, "slope": 0.2, "c": 0.1})
    first, second = sentences(["CR"], tables["metrics"], updates, cuts, size, mix)
    assert "and 1 far apart (Slice thickness, arterial). Where patients differ" in first
    assert first.endswith("Early recurrence: 38% in training, 100% here.")
    assert second.startswith("CR: 1 patient, 1 with early recurrence. Nothing can be said")


def test_where_nobody_has_an_outcome_the_page_says_why(applied):
    *_, labels = applied
    reason = "no recurrence, and followed for less than 730 days"
    nobody = labels.iloc[:3].assign(er=np.nan, excluded_because=[reason, reason, "no outcome in the patients sheet"])
    gone = pd.DataFrame(columns=["patient_id", "words"])
    assert nobody_words(nobody, gone) == (
        "No patient has an outcome: there is nothing to validate the model on (2: no recurrence, and followed for less "
        "than 730 days; 1: no outcome in the patients sheet)."
    )
    gone = pd.DataFrame({"patient_id": ["a"], "words": ["seen"]})
    assert nobody_words(labels.iloc[:0].assign(excluded_because=""), gone).startswith(
        "Nobody else has an outcome: there"
    )
