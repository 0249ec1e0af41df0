"""The 1037 features of one image and its masks, beside the `pyradiomics` command line and beside Flash-Radiomics.

    make bench BENCH=radiomics

A volume of 350 x 350 x 200 voxels at 1 mm: a body in air with noise, and a round tumour of 20 and of 40 mm radius.
Each is a process of its own from start to end, in turns: reading, normalisation, filters, features. The command line
and Flash-Radiomics (on the processor) run as they come, on all cores; ours on one thread, as its rule gives it. Values
are compared with both; Flash-Radiomics has further features of its own, which count as time of its own.
"""

from __future__ import annotations

import csv
import json
import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np
from runs import BENCH, ONE_THREAD, SCRIPTS, run

GOALS = {20: 8.0, 40: 4.0}
READERS_GOALS = {20: 1.8, 40: 2.0}
# Not slower than Flash-Radiomics; a value differs from its own by more than this part of it.
FLASH_GOAL, FLASH_TOLERANCE = 1.0, 1e-4
SETTINGS = """
imageType:
  Original: {}
  LoG: {sigma: [1.0, 3.0]}
  Wavelet: {wavelet: coif1, level: 1}
featureClass: {shape: , firstorder: , glcm: , glrlm: , glszm: , ngtdm: , gldm: }
setting: {binWidth: 5, voxelArrayShift: 300, minimumROIDimensions: 2, normalize: true, normalizeScale: 100}
"""
OURS = """
import sys
sys.path.insert(0, {scripts!r})
import json, SimpleITK as sitk
from hcc_recurrence.radiomics.extraction import extract_features
settings = dict(bin_width=5, voxel_array_shift=300, minimum_roi_dimensions=2, normalise=True, normalise_scale=100,
                log_sigma_mm=[1.0, 3.0], wavelet="coif1", wavelet_level=1, expected_features=1037)
image, masks = sys.argv[1], sys.argv[2:-1]
read = {{str(n): sitk.ReadImage(mask) for n, mask in enumerate(masks)}}
json.dump(extract_features(sitk.ReadImage(image), read, settings), open(sys.argv[-1], "w"))
"""

FLASH = """
import json, sys, tempfile
from flash_radiomics import RadiomicsFeatureExtractor
image, mask, settings, output = sys.argv[1:]
extractor = RadiomicsFeatureExtractor(settings, backend="cpu")
# It writes no second image into a file.
with tempfile.TemporaryDirectory() as folder:
    found = extractor.execute(image, mask, output_hdf5_path=folder + "/flash.h5")
json.dump({k: float(v) for k, v in found.items() if not k.startswith("diagnostics")}, open(output, "w"))
"""


def write_volumes(folder: Path, noise_hu: float) -> None:
    """`image20.nii.gz` and so on, and for each radius the masks of three readers, who differ by a millimetre."""
    import SimpleITK as sitk

    generator = np.random.default_rng(1)
    z, y, x = np.ogrid[:200, :350, :350]
    body = ((x - 175) / 160) ** 2 + ((y - 175) / 120) ** 2 + 0 * z < 1
    noise = generator.normal(0, noise_hu, body.shape).astype(np.float32)
    for radius in GOALS:
        away = np.sqrt((z - 100) ** 2 + (y - 170) ** 2 + (x - 120) ** 2)
        image = np.where(body, 60 + 40 * (away < radius) + noise, -1000).astype(np.float32)
        sitk.WriteImage(sitk.GetImageFromArray(image), str(folder / f"image{radius}.nii.gz"))
        for reader in range(3):
            mask = (away < radius + reader - 1).astype(np.uint8)
            sitk.WriteImage(sitk.GetImageFromArray(mask), str(folder / f"mask{radius}.{reader}.nii.gz"))


def largest_difference(reference: Path, ours: Path) -> float:
    """Of any feature, relative to its value."""
    theirs = next(csv.DictReader(reference.read_text().splitlines()))
    found = json.loads(ours.read_text())["0"]
    values = {k: float(v) for k, v in theirs.items() if k in found}
    assert len(values) == len(found) == 1037
    return max(abs(found[k] - v) / max(abs(v), 1e-9) for k, v in values.items())


def differing(flash: Path, ours: Path) -> dict[str, float]:
    """Features without their image whose value differs from Flash-Radiomics', and the largest difference, relative."""
    theirs, found = json.loads(flash.read_text()), json.loads(ours.read_text())["0"]
    assert set(found) <= set(theirs)
    largest: dict[str, float] = {}
    for name, value in found.items():
        feature, off = name.split("_", 1)[1], abs(theirs[name] - value) / max(abs(value), 1e-9)
        if off > FLASH_TOLERANCE:
            largest[feature] = max(off, largest.get(feature, 0.0))
    return largest


def measure_flash(folder: Path, radius: int, runs: int) -> float:
    """Median seconds of Flash-Radiomics with one mask; its values are in `flash.json`."""
    image, mask = (str(folder / f"{what}.nii.gz") for what in (f"image{radius}", f"mask{radius}.0"))
    command = [sys.executable, "-c", FLASH, image, mask, str(folder / "settings.yaml")]
    path = {"PYTHONPATH": str(BENCH)}
    return statistics.median(run([*command, str(folder / "flash.json")], environment=path)[1] for _ in range(runs))


def measure_volume(folder: Path, radius: int, runs: int) -> dict[str, float]:
    """Median seconds: of the command line, of ours with one mask and with three; and the largest difference."""
    image, masks = str(folder / f"image{radius}.nii.gz"), [str(folder / f"mask{radius}.{r}.nii.gz") for r in range(3)]
    (folder / "settings.yaml").write_text(SETTINGS)
    theirs, ours = folder / "theirs.csv", folder / "ours.json"
    reference = [str(Path(sys.executable).with_name("pyradiomics")), image, masks[0], "--param"]
    reference += [str(folder / "settings.yaml"), "-f", "csv", "-o", str(theirs)]
    own = [sys.executable, "-c", OURS.format(scripts=str(SCRIPTS)), image]
    seconds: dict[str, list[float]] = {"pyradiomics": [], "one": [], "three": []}
    for _ in range(runs):
        theirs.unlink(missing_ok=True)
        seconds["pyradiomics"].append(run(reference)[1])
        seconds["three"].append(run([*own, *masks, str(ours)], environment=ONE_THREAD)[1])
        seconds["one"].append(run([*own, masks[0], str(ours)], environment=ONE_THREAD)[1])
    found = {what: statistics.median(times) for what, times in seconds.items()}
    return {**found, "difference": largest_difference(theirs, ours)}


def measure(runs: int = 3) -> dict[str, dict]:
    """Ratios at both radii, over both references, and the cost of three readers over one."""
    results: dict[str, dict] = {}
    with tempfile.TemporaryDirectory() as name:
        for what, noise in (("", 20.0), (", noise of 100 HU", 100.0)):
            write_volumes(Path(name), noise)
            for radius, goal in GOALS.items():
                found = measure_volume(Path(name), radius, runs)
                ratio, readers = found["pyradiomics"] / found["one"], found["three"] / found["one"]
                print(
                    f"{radius} mm{what}: pyradiomics {found['pyradiomics']:.2f} s, ours {found['one']:.2f} s "
                    f"(ratio {ratio:.1f}), three readers {found['three']:.2f} s ({readers:.2f}); "
                    f"largest difference {found['difference']:.1e}",
                    flush=True,
                )
                about = {"largest_difference": found["difference"]}
                key = f"radiomics_{radius}mm" + ("_many_levels" if what else "")
                results[key] = {"ratio": ratio, "goal": goal, **about}
                if not what:
                    key = "three_readers" if radius == min(GOALS) else f"three_readers_{radius}mm"
                    results[key] = {"ratio": readers, "goal": READERS_GOALS[radius]}
                    flash = measure_flash(Path(name), radius, runs)
                    differ = differing(Path(name) / "flash.json", Path(name) / "ours.json")
                    said = ", ".join(f"{feature} by up to {off:.2g}" for feature, off in differ.items()) or "none"
                    print(f"{radius} mm: Flash-Radiomics {flash:.2f} s; of its values differ: {said}", flush=True)
                    key = f"radiomics_{radius}mm_over_flash"
                    results[key] = {"ratio": flash / found["one"], "goal": FLASH_GOAL, "values_that_differ": differ}
    return results


if __name__ == "__main__":
    measure()
