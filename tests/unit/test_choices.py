"""Of equally good ones the documented first is taken, however the bits of their scores fell."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from hcc_recurrence.learning.choices import first_of_best
from hcc_recurrence.learning.signature_grid import choose_cells

# The mean is 0.2 in any order; the bits of the sum have one.
LOWER, HIGHER = sorted((np.sum([0.1, 0.2, 0.3]) / 3, np.sum([0.3, 0.2, 0.1]) / 3))


def test_the_sums_differ_by_their_order():
    assert 0 < HIGHER - LOWER < 1e-15


def test_the_first_of_equal_ones_is_taken_and_a_better_one_by_more():
    assert first_of_best({"a": LOWER, "b": HIGHER}) == "a"
    assert first_of_best({"b": HIGHER, "a": LOWER}) == "b"
    assert first_of_best({"a": 0.8, "b": 0.8 + 1e-9, "c": 0.7}) == "b"
    assert first_of_best({"a": math.nan, "b": 0.4}) == "b"
    assert first_of_best({"a": math.nan, "b": math.nan}) == "a"
    with pytest.raises(ValueError, match="nothing to choose from"):
        first_of_best({})


def test_of_equal_cells_the_first_of_the_config_is_taken():
    order = [("RFE", "SVM"), ("ANOVA", "RF")]
    rows = [
        {
            "repeat": 1,
            "fold": fold,
            "selector": s,
            "classifier": c,
            "k": 10,
            "features": 3,
            "inner_auc": auc,
            "chosen": True,
        }
        for fold, areas in ((0, (HIGHER, LOWER)), (1, (LOWER, HIGHER)), (2, (0.7, 0.6)))
        for (s, c), auc in zip((("ANOVA", "RF"), ("RFE", "SVM")), areas, strict=True)
    ]
    # Cells come from files of their own, whose rows are counted anew.
    choices = pd.DataFrame(rows, index=[0, 0, 1, 1, 2, 2])
    best = choose_cells(choices, order)
    assert best["fold"].tolist() == [0, 1, 2]
    assert list(zip(best["selector"], best["classifier"], strict=True)) == [order[0], order[0], order[1]]
    assert best.loc[2, "inner_auc"] == 0.7
