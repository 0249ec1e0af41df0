"""Sheets of two public collections from trees with their layout, and the plan of their own configs."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import yaml
from public_trees import make_chemoembolisations_as_nifti, make_sarcomas
from small_cohort import SCHEMAS
from snakemake.utils import update_config
from workflow_runner import REPOSITORY

from hcc_recurrence.cohort.crawl import crawl
from hcc_recurrence.cohort.dicom_folders import list_delivery
from hcc_recurrence.cohort.public_collections import COLLECTIONS, build_sheets, read_clinical
from hcc_recurrence.cohort.public_nifti import NIFTI_COLLECTIONS, build_nifti_sheets
from hcc_recurrence.configuration import load_configuration
from hcc_recurrence.plan import Plan


def own_config(name: str, sheets: dict[str, pd.DataFrame], folder: Path, images: str) -> dict:
    """The collection's config as it is, its sheets written into a folder; fewer folds, for there are few patients."""
    config = yaml.safe_load((REPOSITORY / f"config/public/{name}.yaml").read_text())
    (cohort,) = config["cohorts"].values()
    cohort["data_root"] = str(folder / images)
    for kind, sheet in sheets.items():
        sheet.to_csv(folder / f"{kind}.csv", index=False)
        cohort[kind] = str(folder / f"{kind}.csv")
    config["splits"] = {"zhao2024": {"folds": 2}}
    return load_configuration(config, REPOSITORY / "config/papers", SCHEMAS)


def test_of_a_sarcomas_scans_t1_is_taken_with_its_own_contours(tmp_path):
    make_sarcomas(tmp_path)
    found, _ = crawl(list_delivery(tmp_path / "dicom").files, tmp_path / "cache.json", 1)
    collection = COLLECTIONS["soft_tissue_sarcoma"]
    clinical = read_clinical(tmp_path / "outcome.csv")
    sheets, left_out = build_sheets(found, tmp_path / "dicom", clinical, collection)
    assert sheets["patients"].to_dict("records") == [
        {"patient_id": "STS_001", "lung_metastasis": "1", "centre": "McGill"}
    ]
    assert list(sheets["series"]["path"]) == ["STS_001/T1"] and list(sheets["series"]["phase"]) == ["precontrast"]
    assert list(sheets["masks"]["path"]) == ["STS_001/T1_contours.dcm"]
    reasons = dict(left_out.to_numpy())
    assert "has 0 contours of the tumour on a series of the kind that is taken (of 1 contours" in reasons["STS_002"]
    assert reasons["STS_003"] == "no outcome: lung_metastasis ''"
    with pytest.raises(ValueError, match="no column lung_metastasis; it has patient"):
        build_sheets(found, tmp_path, clinical.drop(columns="lung_metastasis"), collection)


def test_of_several_lesions_the_largest_is_taken_on_its_phase(tmp_path):
    make_chemoembolisations_as_nifti(tmp_path)
    clinical = read_clinical(tmp_path / "clinical.xlsx")
    files = list_delivery(tmp_path / "images").files
    sheets, left_out = build_nifti_sheets(files, tmp_path / "images", clinical, NIFTI_COLLECTIONS["waw_tace"])
    assert dict(left_out.to_numpy()) == {
        "WAW_2": "has no lesion that was drawn on a scan of the folder",
        "WAW_3": "no outcome: survival_time '', death '1'",
        "WAW_99": "has no images in the folder",
    }
    masks = sheets["masks"].set_index("patient_id")
    assert masks.loc["WAW_1"].to_dict() == {
        "phase": "arterial", "reader": "Warsaw", "path": "1_1_1_tumor_seg.nrrd"
    }  # fmt: skip
    phases = sheets["series"].groupby("patient_id")["phase"].apply(list)
    assert phases["WAW_1"] == ["precontrast", "arterial", "portal", "delayed"] and "precontrast" not in phases["WAW_4"]
    first = sheets["patients"].set_index("patient_id").loc["WAW_1"]
    # 260 days of 30.4375 a month.
    assert (first["rfs_months"], first["rfs_event"]) == ("8.542", "1")

    config = own_config("waw_tace", sheets, tmp_path, "images")
    plan = Plan(config, Path(), None)
    assert len(plan.patients("waw")) == 10 and plan.phases("zhao2024", "waw") == ["arterial", "portal", "delayed"]
    assert config["cohorts"]["waw"]["endpoint"]["name"] == "death within 24 months"
    assert plan.horizon_words("waw") == "24 months"


def test_the_smaller_networks_of_the_sarcomas_lie_on_the_collections_own_config():
    """Three methods on one phase of MR: no registration, no window in HU."""
    config = {}
    for name in ("soft_tissue_sarcoma", "soft_tissue_sarcoma_networks"):
        update_config(config, yaml.safe_load((REPOSITORY / f"config/public/{name}.yaml").read_text()))
    full = load_configuration(config, REPOSITORY / "config/papers", SCHEMAS)
    assert [study["paper"] for study in full["studies"]] == ["zhao2024", "cui2022", "yan2023"]
    assert full["grids"]["one_phase"]["spacing_mm"] == [2, 2, 2] and full["grids"]["one_phase"]["register_to"] == ""
    boxes = [full["crops"][f"cui2022_{name}"] for name in ("ss", "nss")]
    assert [box["masked"] for box in boxes] == [True, False]
    assert all(box["grid"] == "one_phase" and box["window"] == [-3, 3] for box in boxes)
