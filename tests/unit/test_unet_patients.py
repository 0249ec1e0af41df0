"""Who trains the segmentation network."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest

from hcc_recurrence.planning.unets import Unets, unet_problems

PATIENTS = [f"P{n:03d}" for n in range(208)]


def unets_of(delineated: int) -> tuple[Unets, SimpleNamespace, SimpleNamespace]:
    """208 patients, the last 28 of an external centre, of whom the first few have masks of both phases."""
    settings = {"external_centres": ["B"], "reader": "R1", "masks": "masks.csv", "modality": "CT"}
    centres = pd.DataFrame({"centre": ["A"] * 180 + ["B"] * 28}, index=PATIENTS)
    masks = {(p, phase, "R1"): None for p in PATIENTS[:delineated] for phase in ("arterial", "portal")}
    cohort = SimpleNamespace(name="own", settings=settings, patients=centres, masks=masks)
    entry = {"fraction": 0.3333, "inner_fraction": 0.2, "windows": {"arterial": [0, 1], "portal": [0, 1]}}
    studies = SimpleNamespace(
        config={"seed": 1, "unets": {"wang": entry}, "masks": {"source": "unet", "unet": "wang"}},
        unet_phases=lambda name, unet: ("arterial", "portal"),
        unets=lambda name: ["wang"],
        applied=False,
    )
    return Unets(studies, {"own": cohort}, lambda name: PATIENTS), studies, cohort


@pytest.mark.parametrize("delineated", [60, 180, 208])
def test_a_third_of_180_patients_are_the_papers_60(delineated):
    """Wang 2022, 4.3: 60 of the 180 patients were delineated, 48 of whom learn and 12 choose the epoch."""
    unets, *_ = unets_of(delineated)
    parts = unets.unet_parts("own", "wang")
    assert len(parts) == 60 and sorted(parts.values()).count("inner") == 12
    assert set(parts) <= set(PATIENTS[:180])
    if delineated == 60:
        assert set(parts) == set(PATIENTS[:60])
        assert [p for p in PATIENTS if unets.has_predicted_masks("own", p)] == PATIENTS[60:]


def test_fewer_masks_than_that_train_it_all_and_three_are_refused():
    unets, studies, cohort = unets_of(40)
    assert set(unets.unet_parts("own", "wang")) == set(PATIENTS[:40])
    assert unet_problems(studies, cohort, PATIENTS) == []
    _, studies, cohort = unets_of(3)
    (problem,) = unet_problems(studies, cohort, PATIENTS)
    assert "3 patients would train the network wang, 4 are needed" in problem.what
    # A larger fraction of three is not four.
    more = "add patients with manual masks in all phases of the network; or leave out the studies that need it"
    assert problem.remedy == more
