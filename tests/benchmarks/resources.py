"""What one job of each step takes at published sizes: minutes and megabytes, beside what its rule asks for.

    python tests/benchmarks/resources.py images  /tmp/resources
    python tests/benchmarks/resources.py networks /tmp/resources

`images` builds one CT and one MR patient of 512 x 512 x 200 voxels in four phases, a tumour of 40 mm radius drawn by
two readers, and runs every step of a patient through Snakemake, one at a time. `networks` makes crops of 60 patients of
noise at the papers' sizes and trains each network of each paper for one epoch on one core. Both print a row a job, from
Snakemake's own benchmark files: what was measured, what was asked for. Take twice the memory and three times the
minutes (a slower machine, a larger patient) for `set-resources` of a profile; docs/slurm.md. Hours, on two cores.
"""

from __future__ import annotations

import argparse
import csv
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import yaml

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "benchmarks"), str(TESTS.parent / "workflow" / "scripts")]

PHASES = ("precontrast", "arterial", "portal", "hepatobiliary")
SPACING = (1.0, 0.75, 0.75)
RADIUS_MM = 40
# Of the patients of `networks`.
PATIENTS = 60
STUDIES = {
    "ct": {
        "zhao2024": {"arterial": "arterial", "portal": "portal", "delayed": "precontrast"},
        "zhang2025": {},
        "cui2022": {},
    },
    "mr": {"zhao2024": {"arterial": "arterial", "portal": "portal", "delayed": "precontrast"}, "yan2023": {}},
}


def write_patient(folder: Path, name: str, modality: str) -> None:
    """DICOM of four phases, and a sphere as two readers drew it."""
    import SimpleITK as sitk
    from ingestion import make_volume

    from hcc_recurrence.simulation.dicom_writer import SeriesHeader, write_series

    origin = (-20.0, 10.0, 5.0)
    voxels = make_volume() if modality == "CT" else (make_volume() + 1100).clip(0, 4000)
    z, y, x = np.ogrid[:200, :512, :512]
    for number, phase in enumerate(PHASES):
        header = SeriesHeader(name, phase, modality, "M", "m", 1.5, SPACING, origin, "20200101", 1960, "F")
        write_series(voxels + number, header, folder / name / phase)
        for reader, radius in (("R1", RADIUS_MM), ("R2", RADIUS_MM - 3)):
            far = ((z - 100) * SPACING[0]) ** 2 + ((y - 250) * SPACING[1]) ** 2 + ((x - 190) * SPACING[2]) ** 2
            mask = sitk.GetImageFromArray((far < radius**2).astype(np.uint8))
            mask.SetSpacing(SPACING[::-1])
            mask.SetOrigin(origin)
            sitk.WriteImage(mask, str(folder / name / f"{phase}.{reader}.nii.gz"), True)


def write_sheets(folder: Path, cohort: str, patients: list[str], images: str) -> dict:
    """Sheets of a cohort, half of it with early recurrence, and its part of the config."""
    sheets = folder / "sheets" / cohort
    sheets.mkdir(parents=True, exist_ok=True)
    with open(sheets / "patients.csv", "w", newline="") as stream:
        rows = csv.writer(stream, lineterminator="\n")
        rows.writerow(["patient_id", "centre", "resection_date", "recurrence_date", "last_follow_up_date", "age"])
        for number, patient in enumerate(patients):
            early = "2020-08-01" if number % 2 else ""
            rows.writerow([patient, "AB"[number % 3 == 0], "2020-02-01", early, "2024-01-01", 50 + number % 30])
    pairs = [(p, phase) for p in patients for phase in PHASES]
    series = ["patient_id,phase,path", *(f"{p},{phase},{images}/{phase}" for p, phase in pairs)]
    masks = ["patient_id,phase,reader,path"]
    masks += [f"{p},{phase},{r},{images}/{phase}.{r}.nii.gz" for p, phase in pairs for r in ("R1", "R2")]
    (sheets / "series.csv").write_text("\n".join(series) + "\n")
    (sheets / "masks.csv").write_text("\n".join(masks) + "\n")
    age = {"column": "age", "unit": "years", "timing": "pre", "kind": "continuous"}
    return {
        "title": cohort,
        "modality": cohort.upper(),
        "data_root": "hospital",
        **{kind: f"sheets/{cohort}/{kind}.csv" for kind in ("patients", "series", "masks")},
        "external_centres": ["B"],
        "clinical": {"age": age},
    }


def prepare(folder: Path) -> None:
    """A workspace with sheets and config at the published settings, one patient a cohort, who is named like it."""
    from workflow_runner import copy_workflow

    copy_workflow(folder)
    studies = []
    for cohort, papers in STUDIES.items():
        for paper, phases in papers.items():
            settings = yaml.safe_load((folder / "config" / "papers" / f"{paper}.yaml").read_text())["settings"]
            variables = settings["published"]["clinical"]["value"]
            without = [v for v in variables if v != "age"]
            studies.append({"paper": paper, "cohort": cohort, "without": without, "phases": phases})
    config = {
        "preset": "published",
        "studies": studies,
        "cohorts": {cohort: write_sheets(folder, cohort, [cohort], cohort) for cohort in STUDIES},
    }
    (folder / "measured.yaml").write_text(yaml.safe_dump(config, sort_keys=False))


def snakemake(folder: Path, *arguments: str) -> str:
    command = [str(Path(sys.executable).with_name("snakemake")), "--configfile", "measured.yaml", *arguments]
    done = subprocess.run(command, cwd=folder, text=True, capture_output=True, check=False)
    if done.returncode:
        sys.exit(done.stdout[-6000:] + done.stderr[-6000:])
    return done.stdout + done.stderr


def measure_images(folder: Path) -> None:
    for cohort in STUDIES:
        if not (folder / "hospital" / cohort / "portal.R2.nii.gz").exists():
            write_patient(folder / "hospital", cohort, cohort.upper())
    prepare(folder)
    planned = snakemake(folder, "-n", "all")
    wanted = r"output: (results/(?:ct|mr)/(?:crops/\w+/|radiomics/\w+/|images/\w+/|quality/)\S+?),? *\n"
    targets = sorted({t.split(",")[0] for t in re.findall(wanted, planned) if "page" not in t and ".html" not in t})
    targets = [t for t in targets if not t.endswith((".csv", ".parquet"))]
    print("\n".join(targets), flush=True)
    said = snakemake(folder, "--cores", "1", "--keep-going", "--", *targets)
    print_table(folder, said)


def measure_networks(folder: Path) -> None:
    """One epoch of each network of each paper on simulated patients whose crops are noise."""
    from hcc_recurrence.configuration import load_configuration
    from hcc_recurrence.simulation.risk import RiskModel
    from hcc_recurrence.simulation.sheets import CohortPlan, draw_sheets

    cohort, phases = "ct", ["precontrast", "arterial", "portal"]
    papers = STUDIES[cohort]
    prepare(folder)
    config = yaml.safe_load((folder / "measured.yaml").read_text())
    drawn = draw_sheets(CohortPlan("P", 5, {"A": (PATIENTS, ("ct_a",))}, tuple(phases), 0, RiskModel()))
    for kind, frame in drawn.items():
        frame.to_csv(folder / "sheets" / cohort / f"{kind}.csv", index=False)
    own = config["cohorts"][cohort]
    own["clinical"]["age"]["column"] = "age_years"
    own.pop("data_root")
    config["cohorts"] = {cohort: {**own, "simulation": f"sheets/{cohort}/simulation.csv", "external_centres": []}}
    config["studies"] = [study for study in config["studies"] if study["cohort"] == cohort]
    config["overrides"] = {paper: {"epochs": 1} for paper in papers}
    (folder / "measured.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    full = load_configuration(config, folder / "config" / "papers", folder / "workflow" / "schemas")
    patients = list(drawn["patients"]["patient_id"])
    scores = []
    for paper in papers:
        settings = full["papers"][paper]["settings"]
        for name, network in settings["networks"].items():
            crop = network.get("crops") or settings["crops"]
            scores.append(f"results/{cohort}/{paper}/networks/{name}/strict.1.1.scores.csv")
            stack = folder / "results" / cohort / "crops" / f"{crop}.npz"
            if not stack.is_file():
                write_stack(stack, patients, phases, full["crops"][crop]["size_voxels"])
    rules = ["write_labels", "write_splits", "train_network"]
    print("\n".join(scores), flush=True)
    print_table(folder, snakemake(folder, "--cores", "1", "--keep-going", "--allowed-rules", *rules, "--", *scores))


def write_stack(file: Path, patients: list[str], phases: list[str], size: list[int]) -> None:
    """Crops of noise as `collect_crops` leaves them."""
    noise = np.random.default_rng(0).random((len(patients), len(phases), *size), np.float32)
    file.parent.mkdir(parents=True, exist_ok=True)
    masks = np.ones((len(patients), *size), np.uint8)
    np.savez(file, image=noise, mask=masks, patients=np.array(patients), phases=np.array(phases))


def print_table(folder: Path, said: str) -> None:
    """Snakemake's benchmark files beside what it said that it gave each job."""
    asked = {}
    for block in said.split("\n\n"):
        found = (
            re.search(r"benchmark: (\S+)", block),
            re.search(r"runtime=(\d+)", block),
            re.search(r"mem_mb=(\d+)", block),
        )
        if all(found):
            asked[found[0][1]] = [int(one[1]) for one in found[1:]]
    print(f"{'benchmark':70} {'minutes':>8} {'asked':>6} {'MB':>7} {'asked':>6}")
    for file, (minutes, mb) in sorted(asked.items()):
        path = folder / file
        if path.is_file():
            row = next(csv.DictReader(path.read_text().splitlines(), delimiter="\t"))
            print(f"{file:70} {float(row['s']) / 60:8.2f} {minutes:6} {float(row['max_rss']):7.0f} {mb:6}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["images", "networks"])
    parser.add_argument("folder", type=Path)
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    {"images": measure_images, "networks": measure_networks}[asked.what](asked.folder)


if __name__ == "__main__":
    main()
