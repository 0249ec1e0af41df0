"""Two public collections from DICOM to sheets, and to a plan of jobs, on trees with their quirks."""

from __future__ import annotations

import html
import re

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk
import yaml
from public_trees import FIRST, NECROSIS, SECOND, make_chemoembolisations, make_metastases
from workflow_runner import REPOSITORY, Workspace


def build(tiny_inputs, folder, collection, make, table):
    """A workspace whose config is the collection's own, after the sheets were built with the demo's."""
    workspace = Workspace(tiny_inputs).copy_to(folder, results=False)
    place = workspace.folder / "public" / collection
    make(place)
    asked = ("--config", f"dicom_root=public/{collection}/dicom", f"clinical_table=public/{collection}/{table}")
    workspace.run(f"public/{collection}/patients.csv", *asked)
    own = (REPOSITORY / f"config/public/{collection}.yaml").read_text()
    # Eleven patients do not fill five folds.
    few = "splits:\n  zhao2024: {folds: 2}\n  wang2022: {folds: 2}\n"
    (workspace.folder / "tiny.yaml").write_text(own + few)
    sheets = {
        n: pd.read_csv(place / f"{n}.csv", dtype=str, keep_default_na=False) for n in ("series", "masks", "patients")
    }
    return workspace, sheets, (place / "left_out.html").read_text()


@pytest.fixture(scope="module")
def metastases(tiny_inputs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("metastases") / "run"
    return build(tiny_inputs, folder, "colorectal_liver_metastases", make_metastases, "clinical.xlsx")


def test_metastases_take_the_collections_own_masks_and_say_who_is_left_out(metastases):
    _, sheets, left_out = metastases
    assert len(sheets["patients"]) == 11 and set(sheets["series"]["phase"]) == {"portal"}
    assert set(sheets["masks"]["label"]) == {"Tumor_*"} and sheets["masks"]["path"].str.endswith("/a").all()
    for words in ("0 segmentations of the collection", "no outcome: months_to_DFS_progression '999'", "has no row in"):
        assert words in html.unescape(left_out)
    assert "CRLM-CT-1999" in left_out and "has no images in the folder" in left_out
    first = sheets["patients"].set_index("patient_id").loc["CRLM-CT-1005"]
    assert first["rfs_event"] == "1" and float(first["rfs_months"]) == 9 and first["centre"] == "MSKCC"


def test_metastases_run_with_the_config_as_it_is(metastases):
    workspace, _, _ = metastases
    jobs = workspace.jobs()
    assert jobs["convert_patient"] == 11 and jobs["fit_method"] == 16 and "train_network" not in jobs
    workspace.run("results/crlm/masks/native/CRLM-CT-1006", "results/crlm/labels.csv")
    mask = sitk.ReadImage(str(workspace.folder / "results/crlm/masks/native/CRLM-CT-1006/portal.MSKCC.nii.gz"))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(mask) > 0, FIRST | SECOND)
    assert set(pd.read_csv(workspace.folder / "results/crlm/labels.csv")["er"]) == {0, 1}


def test_methods_with_networks_are_planned_where_the_config_asks_for_them(metastases):
    workspace, _, _ = metastases
    config = workspace.folder / "tiny.yaml"
    text = config.read_text()
    config.write_text(re.sub(r"^  # ([ -])", r"  \1", text, flags=re.MULTILINE))
    jobs = workspace.jobs()
    config.write_text(text)
    assert jobs["gather_cui2022"] and jobs["train_unet"] == 1 and jobs["gather_wang2022"]


def test_chemoembolisations_find_their_phases_by_the_vessels(tiny_inputs, tmp_path):
    workspace, sheets, left_out = build(
        tiny_inputs, tmp_path / "run", "hcc_tace_seg", make_chemoembolisations, "clinical.csv"
    )
    assert list(sheets["patients"]["patient_id"]) == ["HCC_001", "HCC_003"]
    assert "HCC_002" in left_out and "holds no tumour: Liver, Portal vein, Abdominal aorta" in left_out
    series = sheets["series"].set_index(["patient_id", "phase"])
    assert series.loc[("HCC_001", "arterial"), "part"] == "acquisition 1"
    assert series.loc[("HCC_001", "portal"), "part"] == "acquisition 2"
    assert series.loc[("HCC_001", "precontrast"), "part"] == "" and len(series) == 6
    assert list(sheets["masks"]["phase"]) == ["portal", "portal"]
    assert float(sheets["patients"]["rfs_months"][1]) == pytest.approx(30 * 7 / 30.4375, abs=1e-3)

    config = yaml.safe_load((workspace.folder / "tiny.yaml").read_text())
    assert config["cohorts"]["tace"]["carry_masks"] == "registration"
    workspace.run("results/tace/masks/native/HCC_001")
    masks = workspace.folder / "results/tace/masks/native/HCC_001"
    drawn = sitk.GetArrayFromImage(sitk.ReadImage(str(masks / "portal.MDACC.nii.gz"))) > 0
    np.testing.assert_array_equal(drawn, FIRST | NECROSIS)
    carried = pd.read_csv(masks / "carried.csv")
    assert sorted(carried["phase"]) == ["arterial", "precontrast"] and (masks / "arterial.MDACC.nii.gz").is_file()
