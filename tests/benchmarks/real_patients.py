"""The real patients of docs/real_patients.md against other programs: voxels, contours, features.

    python tests/benchmarks/real_patients.py <folder of the run> <dcm2niix> [number of patients] [plain]

Voxels of the converted series against dcm2niix; masks against the same contours rasterised by matplotlib (centres of
pixels inside a polygon); the 1037 features of some patients against PyRadiomics called directly on the whole 1 mm
volume (`plain`: those of the image without filters alone, which takes a tenth of the time). Prints one line a patient
and the worst of all.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pydicom
import SimpleITK as sitk
from matplotlib.path import Path as Polygon

sys.path[:0] = [str(Path(__file__).parents[1])]
from pyradiomics_reference import whole_volume_features  # noqa: E402

DICOM = "public/soft_tissue_sarcoma/dicom"


def oriented(image: sitk.Image) -> sitk.Image:
    """The same voxels with axes to the left, to the back and to the head."""
    return sitk.DICOMOrient(image, "LPS")


def by_dcm2niix(program: str, series: Path) -> sitk.Image:
    """A series as dcm2niix converts it."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([program, "-b", "n", "-z", "n", "-f", "x", "-o", folder, str(series)], check=True,
                       capture_output=True)  # fmt: skip
        (file,) = Path(folder).glob("*.nii")
        return oriented(sitk.ReadImage(str(file)))


def by_matplotlib(structure: Path, image: sitk.Image, label: str = "GTV_Mass") -> np.ndarray:
    """The contours of an RTSTRUCT on an image's grid: pixels whose centre lies in an odd number of polygons."""
    data = pydicom.dcmread(structure)
    (number,) = [r.ROINumber for r in data.StructureSetROISequence if r.ROIName.startswith(label)]
    (roi,) = [r for r in data.ROIContourSequence if r.ReferencedROINumber == number]
    width, height, depth = image.GetSize()
    found = np.zeros((depth, height, width), bool)
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    centres = np.column_stack([x.ravel(), y.ravel()])
    for contour in roi.ContourSequence:
        points = np.asarray(contour.ContourData, float).reshape(-1, 3)
        index = np.array([image.TransformPhysicalPointToContinuousIndex(point.tolist()) for point in points])
        z = round(index[:, 2].mean())
        if 0 <= z < depth:
            found[z] ^= Polygon(index[:, :2]).contains_points(centres).reshape(height, width)
    return found


def compare(run: Path, patient: str, program: str, features: bool, filters: bool) -> dict[str, float]:
    """One patient's differences."""
    results, source = run / "results/sts", run / DICOM / patient / "MR_T1"
    image = sitk.ReadImage(str(results / f"images/native/{patient}/precontrast.nii.gz"))
    mask = sitk.ReadImage(str(results / f"masks/native/{patient}/precontrast.McGill.nii.gz"))
    ours, other = oriented(image), by_dcm2niix(program, source / "image")
    found = {
        "voxels that differ": float((sitk.GetArrayFromImage(ours) != sitk.GetArrayFromImage(other)).sum()),
        "origin and spacing, mm": float(
            max(np.abs(np.subtract(ours.GetOrigin(), other.GetOrigin())).max(),
                np.abs(np.subtract(ours.GetSpacing(), other.GetSpacing())).max())
        ),
    }  # fmt: skip
    own, second = sitk.GetArrayFromImage(mask) > 0, by_matplotlib(next((source / "mask").glob("*.dcm")), mask)
    found |= {"Dice": 2 * (own & second).sum() / (own.sum() + second.sum()), "voxels of the mask": float(own.sum())}
    if features:
        table = pd.read_feather(results / f"radiomics/zhao2024/{patient}/precontrast.feather")
        row = table[table["reader"] == "McGill"].iloc[0]
        folder = f"iso1/{patient}/precontrast"
        reference = whole_volume_features(
            sitk.ReadImage(str(results / f"images/{folder}.nii.gz")),
            sitk.ReadImage(str(results / f"masks/{folder}.McGill.nii.gz")),
            filters=filters,
        )
        found["features"] = float(len(reference))
        found["worst relative difference of features"] = max(
            abs(row[name] - value) / max(abs(value), 1e-9) for name, value in reference.items()
        )
    return found


if __name__ == "__main__":
    run, program, number = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 10
    filters = sys.argv[4:] != ["plain"]
    patients = sorted(p.name for p in (run / "results/sts/images/native").iterdir())
    # Spread over the cohort, not the first ones.
    with_features = set(patients[:: max(len(patients) // number, 1)][:number])
    rows = {}
    for patient in patients:
        rows[patient] = compare(run, patient, program, patient in with_features, filters)
        print(patient, {key: round(value, 7) for key, value in rows[patient].items()}, flush=True)
    table = pd.DataFrame(rows).T
    print(table.describe(percentiles=[0.5]).loc[["count", "min", "50%", "max"]].to_string())
