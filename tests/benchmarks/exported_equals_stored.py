"""Whether exported models give the patients of their study the probabilities that the study stored, bit for bit.

    python tests/benchmarks/exported_equals_stored.py FOLDER STUDY ...

FOLDER is where a run of the workflow is finished (its `config` and `results` are read, nothing is written there), STUDY
a paper and a cohort, such as cui2022:demo_ct, that `snakemake export` has made a zip of. Each zip is read in an empty
folder of its own, and applied:
- to the patients outside training, compared with predictions.csv of the study (strict, held out, repeat 1), as the
  numbers stand there;
- to the training patients, compared byte by byte with the fit that the study keeps (models/strict.1.0): a study stores
  no probability of a patient by the fit that learned from him, but for protocols whose fit is another one.

Without Snakemake: 10 to 60 s of a processor a study of the demo.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY / "workflow/scripts")]


def inputs_of(results: Path, cohort: str, bundle: Any) -> tuple[list[str], dict[str, str]]:
    """Files of features and, by name, stacks of crops that a study has made, as the rules name them."""
    from hcc_recurrence.exported.inputs import CROPS, DEEP, NOTHING, source_of_features

    about, own = bundle.about, results / cohort
    settings, kind = about["config"]["settings"], source_of_features(about)
    if kind == NOTHING:
        features = []
    elif kind == DEEP:
        features = sorted(str(folder) for folder in (own / "segmentation" / settings["unet"]).glob("batch*"))
    elif kind == CROPS:
        features = [str(own / f"crops/{settings['crops']}.npz")]
    else:
        features = [str(own / f"radiomics/{settings['radiomics']}/{p}.parquet") for p in about["phases"]]
    return features, {i["name"]: str(own / f"crops/{i['crops']}.npz") for i in about["reads"]["images"]}


def clinical_of(folder: Path, cohort: str, variables: list[str], patients: list[str]) -> pd.DataFrame:
    """The clinical variables of a study in the papers' units, from its sheet and config."""
    from hcc_recurrence.cohort.sheets import clinical_table, sheet_source
    from hcc_recurrence.cohort.units import in_standard_unit
    from hcc_recurrence.configuration import load_configuration

    config = yaml.safe_load((folder / "config/config.yaml").read_text())
    own = load_configuration(config, folder / "config/papers", folder / "workflow/schemas")["cohorts"][cohort]
    source = {**sheet_source(own), "path": str(folder / own["patients"])}
    definitions = {name: in_standard_unit(name, own["clinical"][name]) for name in variables}
    return clinical_table(source, definitions, own["missing_codes"], patients)


def compare(folder: Path, study: str) -> list[tuple[str, str, int, int, float]]:
    """Of each model: group of patients, model, patients, how many are equal, the largest difference."""
    import torch

    from hcc_recurrence.exported.applying import predict_rows
    from hcc_recurrence.exported.bundle import exporting, read_bundle
    from hcc_recurrence.exported.inputs import read_rows
    from hcc_recurrence.files import read_csv
    from hcc_recurrence.methods.exporting import Rows

    torch.set_num_threads(1)
    paper, cohort = study.split(":")
    results = folder / "results"
    stored = read_csv(results / cohort / paper / "predictions.csv")
    strict = stored[(stored["protocol"] == "strict") & (stored["repeat"] == 1)]
    held_out = strict[strict["estimate"] == "held_out"]
    with tempfile.TemporaryDirectory() as empty:
        bundle = read_bundle(results / cohort / paper / f"export/{paper}.{cohort}.zip", Path(empty))
        features, images = inputs_of(results, cohort, bundle)
        phases, reader = bundle.about["phases"], bundle.about["config"]["cohort"]["reader"]
        variables, found = list(bundle.about["reads"]["clinical"]), []

        def rows_of(patients: list[str]) -> Rows:
            clinical = clinical_of(folder, cohort, variables, patients)
            return read_rows(bundle, {"features": features}, images, phases, reader, clinical)

        new = predict_rows(bundle, rows_of(sorted(held_out["patient_id"].unique())))
        both = new.merge(held_out, on=["patient_id", "model"], suffixes=("", "_stored"))
        for model, own in both.groupby("model", sort=False):
            away = (own["probability"] - own["probability_stored"]).abs()
            found.append(("held out", model, len(own), int((away == 0).sum()), float(away.max())))
        for model in sorted(set(held_out["model"]) - set(new["model"])):
            found.append(("held out", f"{model} (not in the bundle)", 0, 0, float("nan")))
        rows = rows_of(sorted(set(strict.loc[strict["split"] == "train", "patient_id"])))
        parts = bundle.parts()
        places = {"models": "strict.1.0", "networks": "networks/strict.1.0"}
        for name, part in parts.items():
            kept = type(part).load(results / cohort / paper / "models" / places[name])
            # The study's own way to features of VGG19 and the like is not run again: these are read above.
            one, other = (
                own.predict(exporting(paper).data_of({**parts, name: own}, rows)[name], rows.patients)
                for own in (part, kept)
            )
            for model in one:
                away = np.abs(one[model].to_numpy() - other[model].to_numpy())
                found.append(("training", model, len(away), int((away == 0).sum()), float(away.max())))
    return found


def main() -> None:
    """Print a line a model, and end with 1 where any patient differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("studies", nargs="+")
    asked, differs = parser.parse_args(), False
    for study in asked.studies:
        start = time.process_time()
        print(f"{study}\n{'patients':10} {'model':32} {'n':>4} {'equal':>6} largest difference")
        for group, model, n, equal, away in compare(asked.folder, study):
            differs |= equal < n
            print(f"{group:10} {model:32} {n:4} {equal:6} {away:.3g}")
        print(f"{time.process_time() - start:.0f} s of a processor\n", flush=True)
    sys.exit(int(differs))


if __name__ == "__main__":
    from hcc_recurrence.numerics import NETWORK_KERNELS, TABLE_KERNELS

    # Libraries read them when they are loaded: a process of its own, with the kernels of `numerics: portable`.
    wanted = {**TABLE_KERNELS, **NETWORK_KERNELS, "OMP_NUM_THREADS": "1"}
    if any(os.environ.get(name) != value for name, value in wanted.items()):
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **wanted})
    main()
