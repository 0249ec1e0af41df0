"""One slice of one patient of 80 changed: what is made again, beside the full run up to the inputs of training.

    python tests/benchmarks/one_patient.py /tmp/one_patient

80 simulated CT patients, three phases, a second reader of 30, as DICOM and mask files; the crops, images and features
that Zhao 2024 trains on, at its published settings, on two cores. Then one voxel of one slice is changed.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import yaml
from runs import count_jobs, snakemake

JOBS_GOAL, TIME_GOAL = 0.03, 0.05
PATIENTS = 80
CONFIG = ("--configfile", "eighty.yaml")
PHASES = ("precontrast", "arterial", "portal")


def build(folder: Path) -> None:
    """A hospital's folder, its sheets, and a config."""
    from workflow_runner import REPOSITORY, copy_workflow

    from hcc_recurrence.simulation.patient import SimulatedPatient, simulate_patient
    from hcc_recurrence.simulation.risk import RiskModel
    from hcc_recurrence.simulation.sheets import CohortPlan, draw_sheets

    copy_workflow(folder)
    centres = {"A": (60, ("ct_a",)), "B": (PATIENTS - 60, ("ct_b",))}
    sheets = draw_sheets(CohortPlan("S", 11, centres, PHASES, 30, RiskModel()))
    for row in sheets["simulation"].astype(str).to_dict("records"):
        patient = SimulatedPatient.from_row(row)
        simulate_patient(patient, list(PHASES), folder / "hospital" / patient.patient_id)
    (folder / "sheets").mkdir()
    for name in ("patients", "series", "masks"):
        sheets[name].to_csv(folder / "sheets" / f"{name}.csv", index=False)
    cohort = yaml.safe_load((REPOSITORY / "config" / "config.yaml").read_text())["cohorts"]["demo_ct"]
    cohort.pop("simulation")
    files = {name: f"sheets/{name}.csv" for name in ("patients", "series", "masks")}
    study = {"paper": "zhao2024", "cohort": "eighty", "phases": {"delayed": "precontrast"}}
    study["phases"] |= {"arterial": "arterial", "portal": "portal"}
    config = {
        "preset": "published",
        "studies": [study],
        "cohorts": {"eighty": {**cohort, **files, "title": "eighty", "data_root": "hospital"}},
    }
    (folder / "eighty.yaml").write_text(yaml.safe_dump(config, sort_keys=False))


def change_slice(folder: Path) -> None:
    """One voxel of a slice of the first patient's portal phase is brighter by one."""
    import pydicom

    file = sorted(f for f in (folder / "hospital").rglob("*.dcm") if "portal" in str(f))[30]
    data = pydicom.dcmread(file)
    pixels = data.pixel_array.copy()
    pixels[0, 0] += 1
    data.PixelData = pixels.tobytes()
    data.save_as(file)


def measure(folder: Path) -> dict[str, dict]:
    """Share of the jobs; and, as `one_patient_time`, of the seconds."""
    folder.mkdir(parents=True)
    build(folder)
    planned, _ = snakemake(folder, *CONFIG, "-n", "--", "all")
    made = re.findall(r"output: (results/eighty/(?:crops/\w+\.npz|radiomics/\w+/\w+\.parquet))", planned)
    targets = sorted(set(made))
    said, full_s = snakemake(folder, *CONFIG, "--cores", "2", "--", *targets)
    full = count_jobs(said)
    print(f"full: {full} jobs, {full_s:.0f} s, for {', '.join(targets)}", flush=True)
    change_slice(folder)
    said, one_s = snakemake(folder, *CONFIG, "--cores", "2", "--", *targets)
    one = count_jobs(said)
    print(f"one patient: {one} jobs, {one_s:.1f} s; {one / full:.4f} of the jobs, {one_s / full_s:.4f} of the time")
    return {
        "one_patient": {"ratio": one / full, "goal": JOBS_GOAL, "jobs": one, "jobs_in_full": full},
        "one_patient_time": {"ratio": one_s / full_s, "goal": TIME_GOAL, "seconds": one_s, "seconds_in_full": full_s},
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    measure(parser.parse_args().folder.resolve())
