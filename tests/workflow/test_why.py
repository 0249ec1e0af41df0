"""The target `why` names the module, the column, the setting or the file that makes a result run again."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pydicom
import pytest

PREDICTIONS = "results/tiny/zhao2024/predictions.csv"


def why(run, output: str) -> str:
    """What is said of one output."""
    done = run.snakemake("--cores", "1", "why", "--config", f"job={output}")
    text = done.stdout + done.stderr
    assert done.returncode == 0, text
    said = re.search(rf"^{re.escape(output)} (?:will|is).*?^It was last made[^\n]*", text, re.MULTILINE | re.DOTALL)
    assert said, text
    return said[0]


@pytest.fixture
def run(finished_copy):
    return finished_copy


def test_each_change_is_told_by_its_name(run):
    assert "is up to date" in why(run, PREDICTIONS)

    # A clinical value of one patient, of a column that the study's models use.
    path = run.folder / "sheets/patients.csv"
    text = path.read_text()
    sheet = pd.read_csv(path, dtype=str, keep_default_na=False)
    sheet.loc[0, "ast_u_l"] = str(float(sheet.loc[0, "ast_u_l"]) + 1)
    sheet.to_csv(path, index=False)
    assert "    ast of the patients sheet has another value\n" in why(run, PREDICTIONS)
    path.write_text(text)

    # A setting of the method.
    run.edit("tiny.yaml", "l1_penalties: 5", "l1_penalties: 6")
    assert "setting settings.l1_penalties: 5 before, 6 now" in why(run, PREDICTIONS)
    run.edit("tiny.yaml", "l1_penalties: 6", "l1_penalties: 5")

    # A module of the package.
    module = run.folder / "workflow/scripts/hcc_recurrence/radiomics/features.py"
    code = module.read_text()
    module.write_text(code + "\nADDED = 1\n")
    assert "    module radiomics.features was changed\n" in why(run, PREDICTIONS)
    module.write_text(code)

    # One DICOM file.
    image = sorted((run.folder / "hospital/T003/portal").iterdir())[0]
    data = pydicom.dcmread(image)
    pixels = data.pixel_array.copy()
    pixels[0, 0] += 1
    data.PixelData = pixels.astype(np.uint16).tobytes()
    data.save_as(image)
    assert "is up to date" in why(run, "results/tiny/labels.csv")
    said = why(run, PREDICTIONS)
    assert re.search(r"convert_patient runs, .*T003:\n    the files of portal are others\n", said)


def test_an_output_that_nothing_makes_is_refused_in_words(run):
    done = run.snakemake("--cores", "1", "why", "--config", "job=results/tiny/nothing.csv")
    text = done.stdout + done.stderr
    assert done.returncode != 0 and "nothing says why results/tiny/nothing.csv would run" in text
    assert "Traceback" not in text
