"""Splits and folds that an edit of the cohort hardly changes."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hcc_recurrence.cohort.draws import draw_folds, draw_key, draw_part, fold_sizes
from hcc_recurrence.cohort.fit import Fit
from hcc_recurrence.cohort.splits import make_split
from hcc_recurrence.networks.examples import FITTED, INNER, fit_roles, keep_share

FOLDS = 5


def cohort(er, name="P{:03d}"):
    """Labels of patients whose numbers say nothing of their outcome."""
    return pd.DataFrame({"patient_id": [name.format(i) for i in range(len(er))], "er": er, "excluded_because": ""})


def outcomes(number, seed):
    return (np.random.default_rng(seed).random(number) < 0.35).astype(float)


def changes(before, after, folds=("fold_1", "fold_2", "fold_3")):
    """Patients of both splits who change set, and the most of a repeat who are in both trainings and change folds."""
    both = before.merge(after, on="patient_id")
    sets = set(both.loc[both["split_x"] != both["split_y"], "patient_id"])
    training = both[(both["split_x"] == "train") & (both["split_y"] == "train")]
    return sets, max(int((training[f"{f}_x"] != training[f"{f}_y"]).sum()) for f in folds)


def split_of(labels, seed, fraction=0.3, assigned=None):
    return make_split(labels, assigned or {}, fraction, FOLDS, 3, seed)


@pytest.mark.parametrize("seed", range(8))
def test_one_patient_added_to_100_changes_at_most_the_folds_and_two_sets(seed):
    labels = cohort(outcomes(101, seed))
    for place in range(0, 101, 10):
        fewer = labels.drop(index=place)
        sets, folds = changes(split_of(fewer, seed), split_of(labels, seed))
        assert len(sets) <= 2 and folds <= FOLDS


@given(st.integers(60, 110), st.integers(0, 10**6), st.floats(0.1, 0.4), st.integers(0, 10**6))
def test_a_patient_added_or_removed_moves_few(number, seed, fraction, place):
    labels = cohort(outcomes(number, seed))
    before = split_of(labels.drop(index=place % number), seed, fraction)
    sets, folds = changes(before, split_of(labels, seed, fraction))
    assert len(sets) <= 1 and folds <= FOLDS
    # The same patients under other seeds are another split.
    assert changes(before, split_of(labels.drop(index=place % number), seed + 1, fraction))[1] > FOLDS


@given(st.integers(60, 110), st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_corrected_outcome_moves_few(number, seed, place):
    labels = cohort(outcomes(number, seed))
    corrected = labels.copy()
    corrected.loc[place % number, "er"] = 1 - labels.loc[place % number, "er"]
    sets, folds = changes(split_of(labels, seed), split_of(corrected, seed))
    # One less of an outcome and one more of the other: of other patients one in each.
    assert len(sets - {labels.loc[place % number, "patient_id"]}) <= 2 and folds <= 2 * FOLDS


def test_of_100_patients_nearly_every_corrected_outcome_changes_at_most_the_folds():
    found = []
    for seed in range(4):
        labels = cohort(outcomes(100, seed))
        before = make_split(labels, {}, 0.3, FOLDS, 1, seed)
        for place in range(0, 100, 4):
            corrected = labels.copy()
            corrected.loc[place, "er"] = 1 - labels.loc[place, "er"]
            after = make_split(corrected, {}, 0.3, FOLDS, 1, seed)
            found.append([len(f) if isinstance(f, set) else f for f in changes(before, after, ("fold_1",))])
    sets, folds = np.array(found).T
    assert np.mean(sets <= 2) >= 0.95 and np.mean(folds <= FOLDS) >= 0.95 and folds.mean() < 3.5


@settings(max_examples=30)
@given(st.integers(30, 120), st.integers(0, 10**6), st.sampled_from([0.2, 0.3, 0.5]))
def test_sets_have_their_fraction_and_folds_are_even(number, seed, fraction):
    labels = cohort(outcomes(number, seed))
    labels.loc[:19, "er"] = [0, 1] * 10
    split = split_of(labels, seed, fraction).merge(labels, on="patient_id")
    for value in (0, 1):
        own = split[split["er"] == value]
        assert abs((own["split"] == "validation").sum() - fraction * len(own)) <= 0.5
        for repeat in (1, 2, 3):
            sizes = own[f"fold_{repeat}"].value_counts().reindex(range(1, FOLDS + 1), fill_value=0)
            assert sizes.max() - sizes.min() <= 1
    for repeat in (1, 2, 3):
        whole = split[f"fold_{repeat}"].value_counts()
        assert whole.max() - whole.min() <= 1


def test_a_split_is_the_same_in_any_order_of_the_sheet_and_on_any_machine():
    labels = cohort(outcomes(60, 3))
    split = split_of(labels, 11)
    pd.testing.assert_frame_equal(split_of(labels.sample(frac=1, random_state=5), 11), split)
    # BLAKE2b (64 bit) of "11", "validation" and the name, joined by the unit separator.
    assert draw_key("P001", 11, "validation") == 0x1BF6906E21656B8C
    assert draw_key("P001", 11) != draw_key("P001", 1, 1) != draw_key("1P001", 1)


def test_repeats_are_independent():
    labels = cohort(outcomes(400, 1))
    split = split_of(labels, 4, 0.0)
    same = (split["fold_1"] == split["fold_2"]).mean()
    # A fifth of the patients by chance; its standard error is 0.02.
    assert same == pytest.approx(0.2, abs=0.08)
    other = split_of(labels, 5, 0.0)
    assert (split["fold_1"] == other["fold_2"]).mean() == pytest.approx(0.2, abs=0.08)


def test_assigned_patients_stay_and_move_nobody():
    labels = cohort(outcomes(80, 2))
    assigned = {"P003": "external", "P004": "train"}
    split = split_of(labels, 6, 0.3, assigned).set_index("patient_id")["split"]
    assert split["P003"] == "external" and split["P004"] == "train"


def test_a_small_cohort_has_both_outcomes_in_its_validation_set():
    labels = cohort([1.0, 1, 1, 1, *[0.0] * 20])
    split = make_split(labels, {}, 0.1, 3, 1, 0).merge(labels, on="patient_id")
    assert split.loc[split["split"] == "validation", "er"].value_counts().to_dict() == {0.0: 2, 1.0: 1}


def test_fold_sizes():
    assert fold_sizes(12, 5) == [3, 3, 2, 2, 2] and fold_sizes(12, 5, from_last=True) == [2, 2, 2, 3, 3]


@given(st.sets(st.text("abcdef0123", min_size=1, max_size=6), min_size=6, max_size=60), st.integers(0, 999))
def test_folds_hold_everyone_once_in_the_wanted_sizes(names, seed):
    drawn = draw_folds(names, 4, seed)
    assert set(drawn) == names
    counts = pd.Series(drawn).value_counts().reindex([1, 2, 3, 4], fill_value=0)
    assert counts.tolist() == fold_sizes(len(names), 4)
    fewer = sorted(names)[1:]
    without = draw_folds(fewer, 4, seed)
    assert sum(without[p] != drawn[p] for p in fewer) <= 4
    part = set(draw_part(names, 0.25, seed))
    assert len(part) == int(0.25 * len(names) + 0.5)
    assert len((part ^ set(draw_part(fewer, 0.25, seed))) - {min(names)}) <= 1


def test_early_stopping_and_learning_curve_patients_hardly_change_with_a_patient_added():
    er = outcomes(81, 9)
    labels = cohort(er)
    outcome = labels.set_index("patient_id")["er"]
    everyone = pd.DataFrame({"patient_id": labels["patient_id"], "split": "train", "fold_1": 1})
    for place in range(0, 81, 9):
        name = labels.loc[place, "patient_id"]
        roles, fewer = (fit_roles(s, outcome, Fit(), 0.25, 7) for s in (everyone, everyone.drop(index=place)))
        kept = roles.drop(index=name)
        assert (kept != fewer).sum() <= 1
        half, half_of_fewer = (keep_share(r, outcome, 0.5, 7) for r in (roles, fewer))
        # One who changes parts takes a place in one and frees one in the other.
        assert (half.drop(index=name) != half_of_fewer).sum() <= 4
        for value in (0, 1):
            members = kept.index[outcome[kept.index] == value]
            assert abs((roles[members] == INNER).sum() - 0.25 * len(members)) <= 1.5
        assert set(roles) == {FITTED, INNER}
