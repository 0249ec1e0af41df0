"""A real CT by three sheets and a config, without a code change: DICOM to 1037 features at 1 mm."""

from __future__ import annotations

import pandas as pd
import pytest
import SimpleITK as sitk
import yaml
from pyradiomics_reference import whole_volume_features
from tiny_cohort import CONFIG

ROW = "results/crlm/radiomics/zhao2024/CRLM1004"


@pytest.mark.shared_data
def test_the_real_ct_goes_through_and_its_features_are_pyradiomics_own(fresh_copy, shared_data):
    """Within 1e-4 relative of PyRadiomics, called directly on the same whole 1 mm volume."""
    sheets = fresh_copy.folder / "sheets"
    (sheets / "patients.csv").write_text("patient_id,centre,rfs_months,rfs_event\nCRLM1004,MSKCC,30,0\n")
    (sheets / "series.csv").write_text("patient_id,phase,path\nCRLM1004,portal,dicom\n")
    (sheets / "masks.csv").write_text("patient_id,phase,reader,path\nCRLM1004,portal,R1,liver_roi.nii.gz\n")
    cohort = {
        **CONFIG["cohorts"]["tiny"],
        "title": "one real CT",
        "modality": "CT",
        "data_root": str(shared_data / "crlm_1004"),
        "clinical": {},
    }
    settings = yaml.safe_load((fresh_copy.folder / "config/papers/zhao2024.yaml").read_text())
    variables = list(settings["settings"]["published"]["clinical"]["value"])
    study = {"paper": "zhao2024", "cohort": "crlm", "phases": {"portal": "portal"}, "without": variables}
    # Its networks register to an arterial phase, which is not there: said before the first job.
    fresh_copy.config(preset="published", studies=[study], cohorts={"crlm": cohort}, overrides={})
    assert "register to the arterial phase" in fresh_copy.refuse()
    study["networks"] = False
    fresh_copy.config(preset="published", studies=[study], cohorts={"crlm": cohort}, overrides={})
    fresh_copy.run(ROW)

    table = pd.read_feather(fresh_copy.folder / ROW / "portal.feather")
    found = table.drop(columns=["patient_id", "phase", "reader"]).iloc[0]
    assert len(found) == 1037
    folder = fresh_copy.folder / "results/crlm"
    image = sitk.ReadImage(str(folder / "images/iso1/CRLM1004/portal.nii.gz"))
    mask = sitk.ReadImage(str(folder / "masks/iso1/CRLM1004/portal.R1.nii.gz"))
    assert image.GetSize() == (408, 408, 205) and image.GetSpacing() == (1, 1, 1)

    reference = whole_volume_features(image, mask)
    worst = max(abs(found[name] - value) / max(abs(value), 1e-9) for name, value in reference.items())
    assert set(reference) == set(found.index) and worst < 1e-4
