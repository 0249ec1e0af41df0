"""How far a network moves when it is trained again: by hand, and against scikit-learn."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from hcc_recurrence.endpoint import EARLY_RECURRENCE, use_endpoint
from hcc_recurrence.learning import network_scores
from hcc_recurrence.statistics import movement as module
from hcc_recurrence.statistics.movement import (
    beside_differences,
    bootstrap_interval,
    methods_sentence,
    movement,
    patients_of_fit,
)

OUTCOME = pd.Series({"A": 0, "B": 1, "C": 0, "D": 1, "E": 0, "F": 1, "G": 0, "H": 1})
ROLES = ["fitted", "fitted", "inner", "inner", "unseen", "unseen", "unseen", "unseen"]


def scores(probabilities, roles=ROLES):
    return pd.DataFrame({"patient_id": list("ABCDEFGH"), "role": roles, "probability": probabilities})


# Cut-off 0.6 (both training patients with recurrence at or above it): F and H are at high risk. AUC of E to H: 1.
FIRST = scores([0.1, 0.6, 0.2, 0.7, 0.3, 0.8, 0.4, 0.65])
# Cut-off 0.5: E, F, H are. E passes F: AUC 3/4.
AGAIN = scores([0.1, 0.5, 0.2, 0.9, 0.75, 0.7, 0.4, 0.81])


def test_the_word_for_a_patient_whom_a_fit_did_not_see_is_everywhere_the_same():
    assert module.UNSEEN == network_scores.UNSEEN


def test_movement_is_counted_in_patients_whom_neither_training_saw():
    found, patients = movement(FIRST, AGAIN, OUTCOME, 50, 1)
    # |0.3 - 0.75|, |0.8 - 0.7|, 0, |0.65 - 0.81|
    assert found["patients"] == 4 and found["early_recurrence"] == 2
    assert found["largest_moved"] == pytest.approx(0.45) and found["median_moved"] == pytest.approx(0.13)
    assert (found["auc"], found["auc_again"], found["auc_moved"]) == (1.0, 0.75, -0.25)
    assert found["changed_group"] == 1 and list(patients.loc[patients["changed_group"], "patient_id"]) == ["E"]
    assert found["auc_low"] == found["auc_high"] == 1.0, "every resample ranks all pairs right"
    # A patient whom one of the two saw counts in neither.
    seen = AGAIN.assign(role=[*ROLES[:4], "fitted", *ROLES[5:]])
    assert movement(FIRST, seen, OUTCOME, 50, 1)[0]["patients"] == 3
    with pytest.raises(ValueError, match="no patient whom neither"):
        movement(FIRST.assign(role="fitted"), AGAIN, OUTCOME, 50, 1)


def test_the_same_training_twice_moves_nothing():
    found, _ = movement(FIRST, FIRST, OUTCOME, 50, 1)
    assert found["largest_moved"] == found["auc_moved"] == found["changed_group"] == 0


def test_one_outcome_alone_has_no_auc_but_moves():
    found, _ = movement(FIRST, AGAIN, pd.Series({**OUTCOME, "F": 0, "H": 0}), 50, 1)
    assert np.isnan(found["auc"]) and np.isnan(found["auc_low"]) and found["largest_moved"] == pytest.approx(0.45)


def test_a_patient_of_several_images_has_their_mean():
    images = pd.DataFrame(
        {"patient_id": ["A", "B", "A", "B"], "role": ["unseen", "inner"] * 2, "probability": [0.2, 0.4, 0.6, 0.5]}
    )
    assert patients_of_fit(images).to_dict("index") == {
        "A": {"role": "unseen", "probability": pytest.approx(0.4)},
        "B": {"role": "inner", "probability": pytest.approx(0.45)},
    }


def test_the_bootstrap_interval_is_that_of_the_resampled_aucs_of_scikit_learn():
    generator = np.random.default_rng(3)
    y = np.repeat([0, 1], 15)
    score = generator.normal(size=30) + y
    low, high = bootstrap_interval(y, score, 100, 7)
    again = np.random.default_rng(7)
    found = []
    for _ in range(100):
        rows = again.integers(0, 30, 30)
        if len(set(y[rows])) == 2:
            found.append(roc_auc_score(y[rows], score[rows]))
    assert (low, high) == pytest.approx(tuple(np.percentile(found, [2.5, 97.5])))
    assert np.isnan(bootstrap_interval(np.array([0, 0]), np.array([0.1, 0.2]), 20, 0)).all()


def test_the_sentence_has_the_numbers_of_the_table():
    table = pd.DataFrame(
        [
            {"model": "R", "again": again, **movement(FIRST, other, OUTCOME, 50, 1)[0]}
            for again, other in (("kernels", FIRST), ("seed", AGAIN))
        ]
    )
    said = methods_sentence(table, ("AVX2", "SSE4"))
    assert said.startswith(
        "The network was trained once more with other machine code of the numerical libraries (SSE4 "
    )
    assert "moved by a median of 0 and at most 0, the AUC by at most 0, and at most 0% of patients" in said
    assert "once more with another random seed" in said
    assert "a median of 0.13 and at most 0.45, the AUC by at most 0.25, and at most 25% of patients" in said


def test_the_sentence_is_of_the_endpoint():
    table = pd.DataFrame([{"model": "R", "again": "seed", **movement(FIRST, AGAIN, OUTCOME, 50, 1)[0]}])
    assert "a patient's probability of early recurrence outside training" in methods_sentence(table, ("a", "b"))
    use_endpoint({**asdict(EARLY_RECURRENCE), "name": "death within 24 months", "event": "death"})
    try:
        assert "a patient's probability of death within 24 months outside" in methods_sentence(table, ("a", "b"))
    finally:
        use_endpoint(asdict(EARLY_RECURRENCE))


def test_a_difference_between_methods_is_set_beside_what_another_seed_moves():
    pairs = pd.DataFrame(
        [
            ("strict", "train", "out_of_fold", "p:DL", "q:CR", 0.10, 0.2),
            ("strict", "train", "out_of_fold", "p:DL", "q:DL", -0.30, 0.01),
            ("strict", "train", "out_of_fold", "q:CR", "r:CR", 0.01, 0.9),
            ("strict", "train", "out_of_fold", "p:CR", "q:CR", 0.01, 0.9),
            ("strict", "train", "out_of_fold", "p:DL", "q:RCR", np.nan, np.nan),
            # Not of two methods, not strict, not of methods at all.
            ("strict", "train", "out_of_fold", "p:DL", "p:CR", 0.10, 0.2),
            ("as_published", "train", "apparent", "p:DL", "q:CR", 0.10, 0.2),
            ("strict", "train", "out_of_fold", "BCLC", "p:DL", 0.10, 0.2),
        ],
        columns=["protocol", "split", "estimate", "model", "other", "difference", "p"],
    )
    rows = [("seed", -0.15), ("seed", 0.02), ("kernels", 0.4)]
    moved = pd.DataFrame(rows, columns=["again", "auc_moved"])
    found = beside_differences(pairs, {"p": moved}, ["p:", "q:", "r:"], ["p:CR", "q:CR", "r:CR"])
    assert list(found["moved_by_seed"].round(3).fillna(-1)) == [0.15, 0.15, -1, -1, 0.15]
    assert list(found["verdict"]) == [
        "no larger than what another seed moves",
        "larger than what another seed moves",
        "no network",
        # A model of tables in a paper that has networks; and one that gave nobody a probability.
        "no network",
        "no AUC",
    ]
