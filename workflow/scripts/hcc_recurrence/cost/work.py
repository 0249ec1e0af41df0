"""How much each job of a plan does, in the units of the table of costs.

What decides is read from the config and the plan alone, before anything runs: patients, phases, voxels, folds, epochs.
Early stopping may end a training sooner; it is counted to its last epoch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from hcc_recurrence.cohort.fit import TRAINING, Fit
from hcc_recurrence.cost.geometry import TYPICAL, Geometry, simulated_geometry
from hcc_recurrence.cost.table import STEP, Unit
from hcc_recurrence.networks.architectures import ARCHITECTURES, SLICE_ARCHITECTURES, network_crop

# Seven versions of a patient who trains (Cui 2022).
VERSIONS = 7
# Classifiers that are many models: the setting that counts them, and the number where it is not given.
COUNTED = {"RF": "n_estimators", "AdaBoost": "n_estimators"}


class Workload:
    """Units of the jobs of a run.

    Args:
        config: checked and complete. plan: of the run.
        scanners: gives those of simulated patients, name -> shape and spacing_mm (z, y, x); asked where there are any.
    """

    def __init__(self, config: Mapping[str, Any], plan: Any, scanners: Callable[[], Mapping[str, Any]]):
        self.config, self.plan, self.scanners = config, plan, scanners
        self._geometry: dict[str, Geometry] = {}
        # Rule -> the units of a job, by its wildcards; methods add their own rules (`methods/<method>/cost.py`).
        self.of_rule: dict[str, Callable[[Mapping[str, str]], list[Unit]]] = {
            "convert_patient": self._convert,
            "resample_patient": self._resample,
            "register_phase": self._register,
            "picture_patients": self._picture,
            "crop_patient": self._crop,
            "extract_radiomics": self._radiomics,
            "train_network": self._train,
            "train_scoring_network": self._train,
            "train_unet": self._train_unet,
            "segment_patients": self._segment,
            "extract_deep_features": self._deep_features,
            "fit_method": self._fit_method,
        }

    def units(self, rule: str, wildcards: Mapping[str, str]) -> list[Unit]:
        """What one job of a rule does; a rule that is not known by name is a job, whatever its size."""
        return self.of_rule[rule](wildcards) if rule in self.of_rule else [Unit(rule, 1)]

    # -- patients and images ---------------------------------------------------------------------

    def geometry(self, cohort: str) -> Geometry:
        """The images of a cohort: those of its scanners where it is simulated, else an adult's."""
        images = self.plan.image_cohort(cohort)
        if images not in self._geometry:
            if self.plan.is_simulated(images):
                patients = self.plan.patients(images)[:50] or self.plan.imaged(images)[:50]
                found = simulated_geometry([self.plan.simulated_row(images, p) for p in patients], self.scanners())
            else:
                found = TYPICAL[self.config["cohorts"][images]["modality"]]
            self._geometry[images] = found
        return self._geometry[images]

    def _phases(self, cohort: str, patient: str) -> int:
        return len(self.plan.listed_phases(cohort, patient)) or 1

    def _convert(self, w: Mapping[str, str]) -> list[Unit]:
        phases = self._phases(w["cohort"], w["patient"])
        voxels = phases * self.geometry(w["cohort"]).voxels
        return [Unit("convert_patient", phases, "series"), Unit("convert_patient", voxels, "million voxels")]

    def _resample(self, w: Mapping[str, str]) -> list[Unit]:
        grid, geometry = self.config["grids"][w["grid"]], self.geometry(w["cohort"])
        phases = len(self.plan.grid_phases(w["cohort"], w["grid"], w["patient"])) or 1
        voxels = phases * geometry.on_grid(grid["spacing_mm"])
        found = [Unit("resample_patient", phases, "series"), Unit("resample_patient", voxels, "million voxels")]
        if grid["bias_correction"] == "n4":
            found.append(Unit("resample_patient", phases, "series", "n4"))
        return found

    def _register(self, w: Mapping[str, str]) -> list[Unit]:
        of = self.config["cohorts"][self.plan.image_cohort(w["cohort"])]["modality"]
        voxels = self.geometry(w["cohort"]).voxels
        return [Unit("register_phase", 1, "series", of), Unit("register_phase", voxels, "million voxels")]

    def _picture(self, w: Mapping[str, str]) -> list[Unit]:
        patients = min(20, len(self.plan.imaged(w["cohort"])))
        return [Unit("picture_patients", patients, "patient")]

    def _crop(self, w: Mapping[str, str]) -> list[Unit]:
        crop = self.config["crops"][w["crop"]]
        phases = len(self.plan.crop_phases(w["cohort"], w["crop"], w["patient"])) or 1
        voxels = self.geometry(w["cohort"]).on_grid(self.config["grids"][crop["grid"]]["spacing_mm"])
        made = phases * math.prod(crop["size_voxels"]) / 1e6
        return [
            Unit("crop_patient", 1),
            Unit("crop_patient", phases * voxels, "million voxels"),
            Unit("crop_patient", made, "million voxels made"),
        ]

    def _radiomics(self, w: Mapping[str, str]) -> list[Unit]:
        entry = self.config["radiomics"][w["settings"]]
        spacing = self.config["grids"][entry["grid"]]["spacing_mm"] or [1, 1, 1]
        side = self.geometry(w["cohort"]).tumour_mm
        size = tuple(side / step for step in spacing)
        phases = max(1, len(self.plan.radiomics_phases(w["cohort"], w["settings"])))
        return [Unit("extract_radiomics", phases, "series", "", size)]

    # -- networks --------------------------------------------------------------------------------

    def training_patients(self, cohort: str, scheme: str) -> int:
        """Patients of a split who train, by its fraction; of a split by date about seven of ten."""
        split = self.config["splits"][scheme]
        images = self.plan.image_cohort(cohort)
        known = len(self.plan.patients(cohort)) - len(self.plan.external_patients(cohort))
        if split["without_unet"]:
            known -= len(self.plan.unet_parts(images, split["without_unet"]))
        fraction = 0.3 if split["kind"] == "temporal" else split["validation_fraction"] or 0
        return max(2, round(known * (1 - fraction)))

    def fit_patients(self, paper: str, cohort: str, fit: Fit) -> int:
        """Patients who learn in one fit of a study."""
        scheme = self.plan.scheme(paper, cohort)
        left = 1 - len(fit.left_out) / self.config["splits"][scheme]["folds"]
        return max(2, round(self.training_patients(cohort, scheme) * left * fit.share))

    def _settings(self, paper: str, network: str = "") -> dict[str, Any]:
        settings = self.config["papers"][paper]["settings"]
        return {**settings, **settings["networks"].get(network, {})}

    def training(self, w: Mapping[str, str], paper: str, network: str) -> list[Unit]:
        """One training of a network in the fit of the wildcards, its images read and hashed once."""
        cohort = w["cohort"].split("/")[0]
        own, fit = self._settings(paper, network), Fit.parse(w["fit"])
        size = self.config["crops"][network_crop(self.config["papers"][paper]["settings"], network)]["size_voxels"]
        learn, everyone = self.fit_patients(paper, cohort, fit), len(self.plan.patients(cohort))
        inner = round(own["inner_fraction"] * learn) if fit.tuned_on == TRAINING else learn // 4
        fitted = learn - (inner if fit.tuned_on == TRAINING else 0)
        images, phases = 1, len(self.plan.phases(paper, cohort))
        values = everyone * phases * math.prod(size) / 1e6
        if own["architecture"] in SLICE_ARCHITECTURES:
            # Each image of a patient is an example of its own; its phases are colours.
            images, size = size[0], [1, *size[1:]]
        elif own["architecture"] in ARCHITECTURES:
            # Every phase goes through the network by itself; its slices are colours.
            size = [phases, *size[1:]]
        versions = VERSIONS if "largest_shift" in own["augmentation"] else 1
        return [
            Unit("read_crops", values, "million values"),
            *training_units(
                own["architecture"],
                tuple(size),
                own["epochs"],
                own["batch"],
                fitted * images * versions,
                inner * images,
                everyone * images,
            ),
        ]

    def _train(self, w: Mapping[str, str]) -> list[Unit]:
        return [Unit("train_network", 1), *self.training(w, w["paper"], w["network"])]

    def _unet(self, name: str) -> tuple[dict[str, Any], str, tuple[float, ...]]:
        entry = self.config["unets"][name]
        side = entry["side_pixels"]
        return entry, f"unet{entry['channels'][0]}", (1, side, side)

    def _train_unet(self, w: Mapping[str, str]) -> list[Unit]:
        entry, of, size = self._unet(w["unet"])
        parts = list(self.plan.unet_parts(w["cohort"], w["unet"]).values())
        fitted, inner = parts.count("fitted"), parts.count("inner")
        slices = self._slices(w["cohort"], entry)
        step = entry["z_mm"] or self.geometry(w["cohort"]).extent_mm[0] / self.geometry(w["cohort"]).shape[0]
        # As many slices without tumour as with it.
        learned = min(2 * self.geometry(w["cohort"]).tumour_mm / step, slices)
        units = training_units(of, size, entry["epochs"], entry["batch"], fitted * learned, inner * slices, 0)
        return [Unit("train_unet", 1), self._read_slices(len(parts), w["cohort"], entry), *units]

    def _read_slices(self, series: float, cohort: str, entry: Mapping[str, Any]) -> Unit:
        """Images, with or without a mask, brought to the slices that a U-Net reads."""
        pixels = series * self._slices(cohort, entry) * entry["side_pixels"] ** 2 / 1e6
        return Unit("read_slices", pixels, "million pixels")

    def _slices(self, cohort: str, entry: Mapping[str, Any]) -> float:
        geometry = self.geometry(cohort)
        return geometry.extent_mm[0] / entry["z_mm"] if entry["z_mm"] else geometry.shape[0]

    def _segment(self, w: Mapping[str, str]) -> list[Unit]:
        entry, of, size = self._unet(w["unet"])
        patients = min(20, len(self.plan.imaged(w["cohort"])))
        phases = len(self.plan.unet_phases(w["cohort"], w["unet"]))
        slices = patients * phases * self._slices(w["cohort"], entry)
        read = self._read_slices(patients * phases, w["cohort"], entry)
        return [Unit("segment_patients", 1), read, Unit("judge", slices, "example", of, size)]

    def _deep_features(self, w: Mapping[str, str]) -> list[Unit]:
        own = self._settings(w["paper"], w["network"])
        z, y, x = self.config["crops"][own["crops"]]["size_voxels"]
        images = len(self.plan.patients(w["cohort"])) * z
        return [Unit("extract_deep_features", 1), Unit("score", images, "example", own["architecture"], (1, y, x))]

    # -- models ----------------------------------------------------------------------------------

    def _fit_method(self, w: Mapping[str, str]) -> list[Unit]:
        preset, cohort = "demo" if self.config["preset"] == "demo" else "published", w["cohort"].split("/")[0]
        patients = self.fit_patients(w["paper"], cohort, Fit.parse(w["fit"]))
        size = (patients, len(self.plan.phases(w["paper"], cohort)))
        return [Unit("fit_method", 1, f"fit, {preset}", w["paper"], size)]


def training_units(
    of: str, size: tuple[float, ...], epochs: int, batch: int, fitted: float, inner: float, everyone: float
) -> list[Unit]:
    """A training to its last epoch: what learns, its steps whatever their batch, what judges each epoch, and the scores
    of everyone in the end.
    """
    return [
        Unit("train", epochs * fitted, "example", of, size),
        Unit("train", epochs * math.ceil(fitted / batch), STEP, of),
        Unit("judge", epochs * inner, "example", of, size),
        Unit("score", everyone, "example", of, size),
    ]


def models_of(classifier: str, settings: Mapping[str, Any]) -> float:
    """How many of the table's models one fit of a classifier is: trees, stumps, or paths of penalties."""
    if classifier in COUNTED:
        return settings[COUNTED[classifier]]
    if classifier == "LASSO":
        return settings["penalties"] * settings["folds"]
    return 1
