"""What the papers' pages name is there after a run, and holds something."""

from __future__ import annotations

import pytest
from paper_tables import cohorts_of, lacking_in, pages, paths_below, pattern, read_rows


@pytest.fixture(scope="module")
def results(tiny_run):
    return tiny_run.folder / "results"


def test_every_named_file_of_the_papers_that_ran_is_there(results):
    ran = [page.stem for page in pages() if cohorts_of(results, page.stem)]
    assert ran
    assert [f"{row.paper}: {row.item}: {name}" for row, name in lacking_in(results)] == []


def test_no_named_file_is_empty(results):
    paths = paths_below(results)
    for page in pages():
        if cohorts_of(results, page.stem):
            for row in read_rows(page):
                for name in row.files:
                    found = [results / path for path in paths if pattern(name).fullmatch(path)]
                    assert all(path.is_dir() or path.stat().st_size > 50 for path in found), name
