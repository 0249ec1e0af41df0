"""An exported model of a real run: the stored probabilities, and equal bytes twice."""

from __future__ import annotations

import numpy as np
import pandas as pd

from hcc_recurrence.exported.bundle import exporting, read_bundle
from hcc_recurrence.files import as_written, read_csv
from hcc_recurrence.methods.exporting import Rows
from hcc_recurrence.networks.examples import load_images
from hcc_recurrence.radiomics.tables import join_phases

ARCHIVE = "results/tiny/zhao2024/export/zhao2024.tiny.zip"


def test_the_zip_gives_the_stored_probabilities_and_has_equal_bytes_twice(tiny_copy, tmp_path):
    run = tiny_copy
    done = run.snakemake("--cores", "1", "export", "--config", "study=zhao2024:tiny")
    assert done.returncode == 0, done.stdout + done.stderr
    first = (run.folder / ARCHIVE).read_bytes()
    bundle = read_bundle(run.folder / ARCHIVE, tmp_path)
    results, about, parts = run.folder / "results/tiny", bundle.about, bundle.parts()
    settings = about["config"]["settings"]
    tables = {p: pd.read_parquet(results / f"radiomics/{settings['radiomics']}/{p}.parquet") for p in about["phases"]}
    split = read_csv(results / "splits/tiny.csv")
    patients = sorted(split["patient_id"])
    features = join_phases(tables, patients, "R1").values
    images, _ = load_images(results / f"crops/{settings['crops']}.npz", about["phases"], patients)
    # Every clinical variable that the models read is asked for by name: none is left to chance.
    sheet = pd.read_csv(run.folder / "sheets/patients.csv", dtype=str).set_index("patient_id").loc[patients]
    columns = {"age": "age_years", "afp": "afp_ng_ml", "ast": "ast_u_l", "diameter": "diameter_mm"}
    clinical = pd.DataFrame({v: sheet[columns[v]].astype(float) for v in about["reads"]["clinical"]}, index=patients)
    clinical.index.name = "patient_id"
    data = exporting("zhao2024").data_of(parts, Rows(features, clinical, {"crops": images}))
    stored = read_csv(results / "zhao2024/predictions.csv")
    stored = stored[(stored["protocol"] == "strict") & (stored["estimate"] == "held_out") & (stored["repeat"] == 1)]
    for name, part in parts.items():
        found = part.predict(data[name], patients)
        for model in found:
            own = stored[stored["model"] == model].set_index("patient_id")["probability"]
            if name == "models":
                assert len(own) and as_written(found.loc[own.index, model]) == own.tolist(), model
            # This process scores by the fastest kernels of its processor, the run by those of `numerics`.
            np.testing.assert_allclose(found.loc[own.index, model], own, rtol=0, atol=1e-6, err_msg=model)
    for name, place in (("models", "strict.1.0"), ("networks", "networks/strict.1.0")):
        kept = type(parts[name]).load(results / f"zhao2024/models/{place}")
        expected = kept.predict(data[name], patients).to_numpy()
        assert np.array_equal(parts[name].predict(data[name], patients).to_numpy(), expected)
    done = run.snakemake("--cores", "1", "export", "--config", "study=zhao2024:tiny", "--forcerun", "export_model")
    assert done.returncode == 0 and (run.folder / ARCHIVE).read_bytes() == first
