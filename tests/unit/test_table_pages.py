"""A method's table as CSV with all digits and as a page that is rounded, with its note and mark."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd

from hcc_recurrence.figures.table_pages import write_table
from hcc_recurrence.files import read_csv


def test_a_table_stands_once_with_all_digits_and_once_for_readers(tmp_path):
    output = {f"curve_{kind}": tmp_path / f"curve.{kind}" for kind in ("csv", "html")}
    table = pd.DataFrame({"model": ["deep_one"], "auc": [0.123456], "p": [0.0004]})
    write_table("curve", table, "Mean over folds.", SimpleNamespace(title="Cohort A", mark="Random weights"), output)
    pd.testing.assert_frame_equal(read_csv(output["curve_csv"]), table)
    page = output["curve_html"].read_text()
    for words in ("Cohort A", "Mean over folds.", "Random weights", "deep one", "0.123<"):
        assert words in page, words
    assert "0.123456" not in page
