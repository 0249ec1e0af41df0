"""Recurrences on the very last day of early recurrence, which the papers count differently.

All methods of a cohort share one outcome, its splits and its comparison, so that `er_inclusive` is a setting of the
cohort. Where a patient is early for one paper and not for the cohort, a person should know.
"""

from __future__ import annotations

from collections.abc import Mapping

from hcc_recurrence.cohort.labels import horizon_words, make_labels
from hcc_recurrence.cohort.outcome import decimal_comma, outcome_column
from hcc_recurrence.cohort.sheets import Cohort
from hcc_recurrence.planning.studies import Studies
from hcc_recurrence.problems import Notice


def horizon_notices(studies: Studies, cohorts: Mapping[str, Cohort], patients: Mapping[str, list[str]]) -> list[Notice]:
    """A notice for each patient in use whose outcome a paper of the cohort counts otherwise than the cohort does.

    Args:
        patients: cohort -> patients in use.
    """
    found = []
    for name in studies.cohorts:
        cohort = cohorts[name]
        inclusive, days = cohort.settings["er_inclusive"], cohort.settings["er_days"]
        others = [
            studies.config["papers"][paper]["title"]
            for paper, of in sorted(studies.pairs)
            if of == name and studies.config["papers"][paper].get("er_inclusive", inclusive) != inclusive
        ]
        if not others or outcome_column(cohort):
            continue
        frame = cohort.patients.loc[patients[name]]
        ways = [
            make_labels(frame, days, way, decimal_comma=decimal_comma(cohort)).set_index("patient_id")["er"]
            for way in (True, False)
        ]
        event = cohort.settings["endpoint"]["event"]
        words, titles = horizon_words(days, "resection_date" in frame), ", ".join(others)
        for patient in ways[0].index[ways[0] != ways[1]]:
            here, there = ("early", "not early") if inclusive else ("not early", "early")
            what = f"{event} at exactly {words} is {here} (er_inclusive: {str(inclusive).lower()}), and {there} in "
            remedy = f"set cohorts.{name}.er_inclusive as the paper whose numbers you publish has it"
            found.append(Notice(name, patient, cohort.settings["patients"], what + titles, remedy))
    return found
