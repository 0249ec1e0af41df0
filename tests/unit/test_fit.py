"""The name of a fit is written and read in one place, and says all of it."""

from __future__ import annotations

import re

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from workflow_runner import REPOSITORY

from hcc_recurrence.cohort.fit import LEFT_OUT, PROTOCOLS, PUBLISHED, STRICT, TRAINING, VALIDATION, Fit
from hcc_recurrence.learning.folds import outer_fit, outer_fits
from hcc_recurrence.learning.network_scores import SEVERAL, with_fits

NAMES = {
    "strict.1.0": Fit(),
    "strict.2.3": Fit(STRICT, 2, (3,)),
    "strict.1.1-3": Fit(STRICT, 1, (1, 3)),
    "as_published.1.0": Fit(PUBLISHED),
    "as_published.1.0.validation": Fit(PUBLISHED, tuned_on=VALIDATION),
    "as_published.1.2.left_out": Fit(PUBLISHED, 1, (2,), LEFT_OUT),
    "strict.1.2.50percent": Fit(STRICT, 1, (2,), share=0.5),
}


@st.composite
def fits(draw):
    folds = tuple(sorted(draw(st.sets(st.integers(1, 12), max_size=3))))
    tuned = [TRAINING, VALIDATION, *([LEFT_OUT] if len(folds) == 1 else [])]
    share = draw(st.integers(1, 100)) / 100
    return Fit(draw(st.sampled_from(PROTOCOLS)), draw(st.integers(1, 30)), folds, draw(st.sampled_from(tuned)), share)


@pytest.mark.parametrize(("name", "fit"), NAMES.items())
def test_names_are_those_of_the_page(name, fit):
    assert str(fit) == name and Fit.parse(name) == fit


@given(fits())
def test_a_name_says_everything_and_matches_the_wildcard(fit):
    name = str(fit)
    assert Fit.parse(name) == fit and re.fullmatch(Fit.PATTERN, name)
    whole = len(fit.left_out) < 2 and fit.share == 1
    assert bool(re.fullmatch(Fit.PATTERN_OF_ONE_FOLD, name)) == whole
    # A fit that two rules would make is made by none.
    if fit.tuned_on == TRAINING or len(fit.left_out) < 2:
        parts = bool(re.fullmatch(Fit.PATTERN_OF_PARTS, name))
        assert parts == (not whole and (len(fit.left_out) < 2 or fit.share == 1))


@pytest.mark.parametrize(
    "name",
    ["1.0", "strict.0.1", "strict.1.3-1", "strict.1.1-1", "strict.1.0.left_out", "strict.1.2.0percent", "both.1.0"],
)
def test_what_is_no_name_of_a_fit_is_refused(name):
    with pytest.raises(ValueError, match=r"is no name of a fit|no fit has"):
        Fit.parse(name)


def test_a_fit_that_leaves_out_two_folds_is_of_no_single_one():
    with pytest.raises(ValueError, match="more than one fold"):
        _ = Fit(left_out=(1, 2)).fold
    with pytest.raises(ValueError, match=r"share 0.333"):
        Fit(share=0.333)
    table = with_fits(pd.DataFrame({"fit": list(NAMES)}))
    assert table["fold"].tolist() == [0, 3, SEVERAL, 0, 0, 2, 2]
    assert table["tuned_on"].tolist()[3:] == [TRAINING, VALIDATION, LEFT_OUT, TRAINING]
    assert table["share"].tolist()[-2:] == [1.0, 0.5] and table["repeat"].tolist() == [1, 2, 1, 1, 1, 1, 1]


def test_outer_fits_are_the_fits_of_a_protocol_in_order():
    split = pd.DataFrame(
        {"patient_id": list("dabc"), "split": ["train"] * 3 + ["validation"], "fold_1": [2, 1, 1, None]}
    )
    assert [str(f.fit) for f in outer_fits(split, 1)] == ["strict.1.1", "strict.1.2", "strict.1.0"]
    assert [str(f.fit) for f in outer_fits(split, 1, PUBLISHED)] == ["as_published.1.0"]
    one = outer_fit(split, Fit(left_out=(1,)))
    assert one.rows == ["d"] and one.unseen == ["a", "b"]
    whole = outer_fit(split, Fit(PUBLISHED))
    assert whole.rows == ["a", "b", "d"] and whole.unseen == ["c"]


def test_no_other_file_writes_or_reads_the_name_of_a_fit():
    """As text in paths: a repeat and a fold beside one another."""
    pattern = re.compile(r"\{[^{}]*repeat\}\.\{[^{}]*fold|held[0-9{]|[0-9]percent")
    found = [
        str(file.relative_to(REPOSITORY))
        for file in [*(REPOSITORY / "workflow").rglob("*.py"), *(REPOSITORY / "workflow").rglob("*.smk")]
        if pattern.search(file.read_text()) and file.name != "fit.py"
    ]
    assert found == []
