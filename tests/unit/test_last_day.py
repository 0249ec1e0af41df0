"""A recurrence at exactly 24 months: the cohort decides, and a notice tells which paper counts it otherwise."""

import pytest
import yaml
from small_cohort import make_plan, patient_row, write_cohort, write_rows
from workflow_runner import REPOSITORY

from hcc_recurrence.cohort.labels import make_labels

# FIDELITY of each paper's text: `<` or `<=` two years.
PAPERS = {"cui2022": True, "wang2022": False, "yan2023": True, "zhang2025": False, "zhao2024": True}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    write_cohort(folder, [patient_row(k) for k in range(5)])
    return folder


def dates(recurrence):
    row = {"resection_date": "2018-01-01", "last_follow_up_date": "2021-06-01"}
    return [patient_row(k, **row, recurrence_date=recurrence if k == 1 else "") for k in range(5)]


def test_each_papers_file_says_which_it_means():
    for paper, inclusive in PAPERS.items():
        own = yaml.safe_load((REPOSITORY / f"config/papers/{paper}.yaml").read_text())
        assert own["er_inclusive"]["value"] is inclusive, paper


@pytest.mark.parametrize("inclusive", [True, False])
def test_the_cohort_decides_and_a_paper_that_differs_is_named(folder, inclusive):
    # 2018-01-01 and 730 days.
    write_rows(folder / "patients.csv", dates("2020-01-01"))
    plan = make_plan(folder, {"er_inclusive": inclusive})
    labels = make_labels(plan.cohorts["c"].patients, 730, inclusive).set_index("patient_id")
    assert labels.loc["P1", "er"] == inclusive
    found = [(notice.patient, notice.what) for notice in plan.notices if "exactly" in notice.what]
    # Zhao 2024 says within two years.
    words = "recurrence at exactly 730 days is not early (er_inclusive: false), and early in Zhao 2024"
    assert found == ([] if inclusive else [("P1", words)])


@pytest.mark.parametrize("day", ["2019-12-31", "2020-01-02", ""])
def test_one_day_before_or_after_there_is_nothing_to_say(folder, day):
    write_rows(folder / "patients.csv", dates(day))
    plan = make_plan(folder, {"er_inclusive": False})
    assert not [notice for notice in plan.notices if "exactly" in notice.what]


def test_the_event_is_that_of_the_endpoint(folder):
    write_rows(folder / "patients.csv", dates("2020-01-01"))
    own = {"name": "death within 24 months", "event": "death"}
    plan = make_plan(folder, {"er_inclusive": False, "endpoint": own})
    (found,) = [notice.what for notice in plan.notices if "exactly" in notice.what]
    assert found.startswith("death at exactly 730 days is not early")
