"""Whether this processor gives the same predictions as the one that the committed digests are from.

    python tests/benchmarks numerics                                       compare, on all cores
    python tests/benchmarks/same_numbers.py --refresh                      write the digests of this code anew
    python tests/benchmarks/same_numbers.py --cores 1 --folder /tmp/same   keep the run, and go on with it

Runs the tests' cohort of 24 simulated patients from DICOM to the predictions of all five papers with `numerics:
portable`, and compares the SHA-256 of each paper's predictions with `tests/references/numerics.json`. Where bytes
differ it prints, by model, how far probabilities moved. The digests are of one state of the code and one lock: whoever
changes what a method computes writes them anew.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
import sys
import tempfile
from pathlib import Path

import pandas as pd
from runs import TESTS, snakemake

REFERENCE = TESTS / "references" / "numerics.json"
PROBABILITIES = TESTS / "references" / "numerics_probabilities.csv.gz"
KEYS = ["paper", "model", "protocol", "split", "estimate", "repeat", "fold", "patient_id"]
COHORT = "tiny"
CUI_WITHOUT = ["hepatitis", "child_pugh", "cirrhosis", "differentiation_poor", "alt"]
WANG_WITHOUT = [
    *("hepatitis", "hbv_dna", "bilirubin", "albumin", "alt", "ggt", "child_pugh", "heterogeneous", "tumour_vessels"),
    *("peritumoral_enhancement", "rim_enhancement", "margin_nonsmooth", "capsule", "cirrhosis"),
]


def all_papers() -> dict:
    """The config of the tests' cohort with the studies of the other two papers, at sizes of tests."""
    import yaml
    from tiny_cohort import CONFIG

    config = yaml.safe_load(yaml.safe_dump(CONFIG))
    config["numerics"] = "portable"
    # What tests leave out for its time: N4, and the second network of images of the demo.
    del config["grids"]
    networks = config["overrides"]["zhang2025"]["networks"]
    del networks["DenseNet121-16"]
    networks["ResNet50"] = {"architecture": "resnet50"}
    config["studies"] += [
        {"paper": "cui2022", "cohort": COHORT, "without": CUI_WITHOUT},
        {"paper": "wang2022", "cohort": COHORT, "without": WANG_WITHOUT},
    ]
    box = {"grid": "iso2_to_arterial", "size_voxels": [4, 24, 24]}
    config["crops"] |= {"tiny_ss": {**box, "masked": True}, "tiny_nss": box}
    networks = {n: {"architecture": "cui3d", "crops": f"tiny_{n.lower()}"} for n in ("SS", "NSS")}
    config["overrides"]["cui2022"] = {"split": "tiny", "crops": "tiny_ss", "networks": networks, "epochs": 2}
    config["unets"] = {
        "tiny": {
            **{"side_pixels": 64, "channels": [6, 12, 24, 48, 96], "windows": {}, "fraction": 0.3333},
            **{"epochs": 5, "learning_rate": 0.005, "schedule": "cosine", "batch": 2, "smallest_pixels": 3},
            "augmentation": {"rotation_deg": 15, "scale": 0.1},
        }
    }
    config["splits"]["tiny_wang"] = {**config["splits"]["tiny"], "without_unet": "tiny"}
    own = {"split": "tiny_wang", "unet": "tiny", "feature_numbers": [3, 6], "inner_folds": 2}
    config["overrides"]["wang2022"] = own
    return config


def run_all(folder: Path, cores: str = "all") -> dict[str, Path]:
    """The predictions of each paper, made in a folder; an interrupted run goes on."""
    import yaml
    from tiny_cohort import build_tiny_cohort
    from workflow_runner import copy_workflow

    folder.mkdir(parents=True, exist_ok=True)
    copy_workflow(folder)
    if not (folder / "sheets").is_dir():
        build_tiny_cohort(folder)
    config = all_papers()
    (folder / "tiny.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    papers = sorted(study["paper"] for study in config["studies"])
    targets = {paper: f"results/{COHORT}/{paper}/predictions.csv" for paper in papers}
    machines = "results/machines/networks.csv"
    snakemake(folder, "--configfile", "tiny.yaml", "--cores", cores, "--", *targets.values(), machines)
    return {paper: folder / target for paper, target in targets.items()}


def this_machine(folder: Path) -> dict:
    """Processor with its instruction sets, and what the networks say that they were trained on."""
    from hcc_recurrence.numerics import processor_facts

    name, flags = processor_facts()
    wide = sorted(flag for flag in flags if flag.startswith(("avx", "fma", "sse4", "amx")))
    table = pd.read_csv(folder / "results/machines/networks.csv", dtype=str, keep_default_na=False)
    named = {"cohort", "paper", "network", "fit", "kind", "processor"}
    kinds = table.drop(columns=list(named)).drop_duplicates().to_dict("records")
    assert len(kinds) == 1, f"networks of several kinds: {kinds}"
    return {"processor": name, "instruction_sets": wide, **kinds[0]}


def digests(files: dict[str, Path]) -> dict[str, str]:
    """SHA-256 of each file."""
    return {paper: hashlib.sha256(file.read_bytes()).hexdigest() for paper, file in files.items()}


def probabilities(files: dict[str, Path]) -> pd.DataFrame:
    """All predictions of all papers: KEYS, probability."""
    parts = [pd.read_csv(file, dtype={"patient_id": str}).assign(paper=paper) for paper, file in files.items()]
    return pd.concat(parts, ignore_index=True)[[*KEYS, "probability"]]


def moved(ours: pd.DataFrame, theirs: pd.DataFrame) -> pd.DataFrame:
    """Largest and median movement of a probability by paper and model; rows that one of the two lacks are counted."""
    both = theirs.merge(ours, on=KEYS, how="outer", suffixes=("", "_here"), indicator=True)
    both["moved"] = (both["probability"] - both["probability_here"]).abs()
    both["alone"] = both["_merge"] != "both"
    grouped = both.groupby(["paper", "model"])
    return grouped.agg(largest=("moved", "max"), median=("moved", "median"), alone=("alone", "sum")).reset_index()


def refresh(files: dict[str, Path], folder: Path) -> None:
    """Write the digests and probabilities of this run."""
    found = {"machine": this_machine(folder), "predictions": digests(files)}
    REFERENCE.write_text(json.dumps(found, indent=2, sort_keys=True) + "\n")
    text = io.StringIO()
    probabilities(files).to_csv(text, index=False, lineterminator="\n")
    PROBABILITIES.write_bytes(gzip.compress(text.getvalue().encode(), mtime=0))


def compare(files: dict[str, Path], folder: Path) -> int:
    """Print what is equal and what is not; returns the number of papers that differ."""
    if not REFERENCE.is_file():
        sys.exit(f"{REFERENCE} is not there: python tests/benchmarks/same_numbers.py --refresh writes it")
    reference = json.loads(REFERENCE.read_text())
    here, there = this_machine(folder), reference["machine"]
    print(f"here:    {here['processor']}, {' '.join(here['instruction_sets'])}")
    print(f"digests: {there['processor']}, {' '.join(there['instruction_sets'])}")
    for key in sorted({*here, *there} - {"processor", "instruction_sets"}):
        if here.get(key) != there.get(key):
            print(f"another {key}: {here.get(key)} here, {there.get(key)} there")
    ours = digests(files)
    differ = [paper for paper, digest in sorted(reference["predictions"].items()) if ours.get(paper) != digest]
    for paper in sorted(ours):
        print(f"{paper:12} {'DIFFERS' if paper in differ else 'the same bytes'}  {ours[paper]}")
    if differ:
        theirs = pd.read_csv(io.BytesIO(gzip.decompress(PROBABILITIES.read_bytes())), dtype={"patient_id": str})
        table = moved(probabilities(files), theirs)
        print(table[table["paper"].isin(differ)].to_string(index=False))
    return len(differ)


def measure(folder: Path, cores: str = "all") -> dict[str, dict]:
    """The number of papers whose predictions differ from the committed ones; none is the goal."""
    files = run_all(folder, cores)
    return {"papers_of_other_bytes": {"ratio": compare(files, folder), "goal": 0}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--refresh", action="store_true", help="write the committed digests anew")
    parser.add_argument("--cores", default="all")
    parser.add_argument("--folder", type=Path, help="where to run; kept")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hcc_numerics_") as name:
        folder = asked.folder or Path(name) / "run"
        files = run_all(folder, asked.cores)
        if asked.refresh:
            refresh(files, folder)
        sys.exit(compare(files, folder) > 0)


if __name__ == "__main__":
    main()
