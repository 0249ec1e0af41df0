"""One CT series of 512 x 512 x 200, DICOM to compressed NIfTI, beside dcm2niix on the same core.

    make bench BENCH=ingestion

Each is a process of its own from start to end, in turns, on one core. Ours reads, checks and writes as the rule
convert_patient does. dcm2niix runs with gzip as it comes (-z i), and at its fastest level (-1). Prints the median of
the seconds, their range, the size of the file, and the ratio of the medians. The voxels are compared.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np
from runs import DCM2NIIX, ONE_THREAD, SCRIPTS, run

GOAL, GOAL_FASTEST = 1.0, 2.0
AS_IT_COMES, FASTEST = "dcm2niix, gzip as it comes", "dcm2niix, fastest gzip"
OURS = """
import sys
sys.path.insert(0, {scripts!r})
from pathlib import Path
from hcc_recurrence.cohort.series_voxels import read_series
from hcc_recurrence.imaging.nifti import write_image
image = read_series(Path({series!r}), modality="CT")
write_image(image, Path({output!r}))
"""


def make_volume() -> np.ndarray:
    """A body with noise as a CT has it, and air around, (200, 512, 512) in HU."""
    z, y, x = np.ogrid[-1:1:200j, -1:1:512j, -1:1:512j]
    body = (x / 0.85) ** 2 + (y / 0.62) ** 2 + 0 * z < 1
    liver = ((x + 0.3) / 0.4) ** 2 + ((y + 0.05) / 0.4) ** 2 + (z / 0.8) ** 2 < 1
    bone = (x / 0.1) ** 2 + ((y - 0.4) / 0.1) ** 2 + 0 * z < 1
    noise = np.random.default_rng(0).normal(0, 12, (200, 512, 512)).astype(np.float32)
    tissue = np.select([bone, liver], [400.0, 110.0], 40.0).astype(np.float32) + noise
    return np.where(body, tissue, -1000 + noise / 4).clip(-1024, 3000).round()


def measure(dcm2niix: str, runs: int = 5) -> dict[str, dict]:
    """Ours over dcm2niix with gzip as it comes, and over dcm2niix with its fastest level."""
    if not shutil.which(dcm2niix):
        sys.exit(f"{dcm2niix} is not there; `make bench` installs it")
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        median = measure_on_one_core(dcm2niix, runs)
    finally:
        os.sched_setaffinity(0, cores)
    default, fastest = (median["ours"] / median[what] for what in (AS_IT_COMES, FASTEST))
    return {
        "dicom_to_nifti": {"ratio": default, "goal": GOAL},
        "dicom_to_nifti_fastest_gzip": {"ratio": fastest, "goal": GOAL_FASTEST},
    }


def measure_on_one_core(dcm2niix: str, runs: int) -> dict[str, float]:
    """Median seconds of ours and of dcm2niix both ways."""
    import SimpleITK as sitk
    from exports import describe, make_series, save_series

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        voxels = make_volume()
        save_series(make_series(voxels, describe(spacing=(1.0, 0.75, 0.75)), folder / "made"), folder / "series")
        ours = OURS.format(scripts=str(SCRIPTS), series=str(folder / "series"), output=str(folder / "ours.nii.gz"))
        theirs = [dcm2niix, "-b", "n", "-z", "i", "-o", name]
        commands = {
            "ours": [sys.executable, "-c", ours],
            AS_IT_COMES: [*theirs, "-f", "default", str(folder / "series")],
            FASTEST: [*theirs, "-1", "-f", "fastest", str(folder / "series")],
        }
        seconds: dict[str, list[float]] = {what: [] for what in commands}
        for _ in range(runs + 1):
            for what, command in commands.items():
                for file in folder.glob("*.nii.gz"):
                    file.unlink()
                seconds[what].append(run(command, environment=ONE_THREAD)[1])
                size = next(folder.glob("*.nii.gz")).stat().st_size
                found = sitk.GetArrayFromImage(sitk.ReadImage(str(next(folder.glob("*.nii.gz")))))
                # dcm2niix turns the rows around.
                assert any(np.array_equal(found, turned) for turned in (voxels, voxels[:, ::-1])), what
                print(f"{what}: {seconds[what][-1]:.2f} s, {size / 1e6:.1f} MB", flush=True)
    # The first run of each filled the disk cache.
    median = {what: statistics.median(own[1:]) for what, own in seconds.items()}
    for what, own in seconds.items():
        ratio = median["ours"] / median[what]
        print(f"{what}: {median[what]:.2f} s ({min(own[1:]):.2f} to {max(own[1:]):.2f}); ours / this = {ratio:.2f}")
    return median


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dcm2niix", default=str(DCM2NIIX))
    parser.add_argument("--runs", type=int, default=5)
    asked = parser.parse_args()
    measure(asked.dcm2niix, asked.runs)
