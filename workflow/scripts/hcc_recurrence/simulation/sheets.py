"""Draw the sheets of a demo cohort from the risk model: patients, series, masks, simulation.

Run as `python -m hcc_recurrence.simulation.sheets config` (from workflow/scripts) to write those in
git anew; a test compares them with what this module draws.
"""

from __future__ import annotations

import datetime
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from hcc_recurrence.cohort.clinical_scores import albi_grade, albi_score
from hcc_recurrence.files import write_csv
from hcc_recurrence.simulation.patient import MASK_SUFFIX, TUMOUR_LABEL
from hcc_recurrence.simulation.risk import RiskModel

DAYS_PER_MONTH = 365.25 / 12


@dataclass(frozen=True)
class CohortPlan:
    """What a demo cohort is made of. centres: name -> (number of patients, scanners to draw from).

    texture_alone: of the tumour's features only its texture carries the risk; size, margin, rim and necrosis do not.
    marker: beside the tumours that recur early lies something dense, in centre A alone.
    """

    prefix: str
    seed: int
    centres: dict[str, tuple[int, tuple[str, ...]]]
    phases: tuple[str, ...]
    second_reader: int
    risk: RiskModel = field(default_factory=RiskModel)
    texture_alone: bool = False
    marker: bool = False


PLANS = {
    "demo_ct": CohortPlan(
        prefix="CT",
        seed=11,
        centres={"A": (60, ("ct_a",)), "B": (20, ("ct_b",))},
        phases=("precontrast", "arterial", "portal"),
        second_reader=0,
    ),
    "demo_mr": CohortPlan(
        prefix="MR",
        seed=12,
        centres={"A": (80, ("mr_15", "mr_30"))},
        phases=("arterial", "portal", "delayed", "hepatobiliary"),
        second_reader=30,
    ),
    "demo_ct_marker": CohortPlan(
        prefix="CK",
        seed=14,
        centres={"A": (100, ("ct_a",)), "B": (50, ("ct_b",))},
        phases=("arterial",),
        second_reader=0,
        marker=True,
    ),
    "demo_mr_texture": CohortPlan(
        prefix="TX",
        seed=13,
        centres={"A": (80, ("mr_15", "mr_30"))},
        phases=("arterial", "portal", "delayed"),
        second_reader=0,
        texture_alone=True,
    ),
}


def _round(values: np.ndarray, digits: int) -> np.ndarray:
    return np.round(values.astype(float), digits)


def draw_simulation(plan: CohortPlan) -> pd.DataFrame:
    """One row a patient: the latent risk and the tumour it makes (columns of SimulatedPatient)."""
    generator = np.random.default_rng([plan.seed, 0])
    rows = []
    for centre, (count, scanners) in plan.centres.items():
        rows += [(centre, scanners[i % len(scanners)]) for i in range(count)]
    n = len(rows)
    z = generator.normal(size=n)
    readers = np.ones(n, int)
    readers[generator.choice(n, plan.second_reader, replace=False)] = 2
    start = datetime.date(2014, 1, 6)
    # What the risk does to the tumour; its strength in the texture makes up for its absence elsewhere.
    shape, texture = (0.0 * z, 0.6 * z) if plan.texture_alone else (z, 0.25 * z)
    return pd.DataFrame(
        {
            "patient_id": [f"{plan.prefix}{i + 1:03d}" for i in range(n)],
            "centre": [centre for centre, _ in rows],
            "seed": plan.seed * 1000 + np.arange(n),
            "scanner": [scanner for _, scanner in rows],
            "latent_risk": _round(z, 4),
            "radius_mm": _round(np.clip(13 + 1.6 * shape + generator.normal(0, 2.8, n), 7.5, 21), 2),
            "second_radius_mm": np.where(generator.random(n) < 0.12, 6.0, 0.0),
            "irregularity": _round(np.clip(0.10 + 0.025 * shape + generator.normal(0, 0.03, n), 0.01, 0.25), 4),
            "texture": _round(14 * np.exp(texture + generator.normal(0, 0.28, n)), 3),
            "rim": _round(1 / (1 + np.exp(-(0.7 * shape + generator.normal(0, 1.0, n)))), 4),
            "necrosis": _round(np.clip(0.25 + 0.07 * shape + generator.normal(0, 0.12, n), 0, 0.65), 4),
            # Most groups draw in ITK-SNAP and keep NIfTI, as all five papers did.
            "mask_format": [("seg", "rtstruct", "nifti", "nifti", "nifti", "nifti")[i % 6] for i in range(n)],
            "readers": readers,
            "study_date": [
                (start + datetime.timedelta(days=int(d))).strftime("%Y%m%d") for d in generator.integers(0, 2200, n)
            ],
            "birth_year": generator.integers(1938, 1982, n),
            "sex": np.where(generator.random(n) < 0.83, "M", "F"),
        }
    )


def draw_clinical(plan: CohortPlan, simulation: pd.DataFrame) -> pd.DataFrame:
    """Clinical columns of each patient; a few laboratory cells are left empty, as in life."""
    generator = np.random.default_rng([plan.seed, 1])
    z = simulation["latent_risk"].to_numpy()
    n = len(z)

    def chance(intercept: float, slope: float) -> np.ndarray:
        return (generator.random(n) < 1 / (1 + np.exp(-(intercept + slope * z)))).astype(int)

    def lognormal(median: float, spread: float, slope: float, digits: int = 1) -> np.ndarray:
        return _round(median * np.exp(slope * z + generator.normal(0, spread, n)), digits)

    year = simulation["study_date"].str[:4].astype(int)
    frame = pd.DataFrame(
        {
            "age_years": year - simulation["birth_year"],
            "sex": simulation["sex"],
            "hepatitis": chance(1.2, 0.0),
            "afp_ng_ml": lognormal(60, 1.6, 0.45),
            "alt_u_l": lognormal(34, 0.5, 0.1),
            "ast_u_l": lognormal(34, 0.4, 0.3),
            "ggt_u_l": lognormal(55, 0.6, 0.15),
            "bilirubin_umol_l": lognormal(14, 0.4, 0.0),
            "albumin_g_l": _round(41 - 0.8 * z + generator.normal(0, 4, n), 1),
            "platelets_10e9_l": lognormal(160, 0.35, 0.0, 0),
            "neutrophils_10e9_l": lognormal(3.3, 0.35, 0.05, 2),
            "lymphocytes_10e9_l": lognormal(1.6, 0.3, -0.05, 2),
            "monocytes_10e9_l": lognormal(0.42, 0.3, 0.0, 2),
            "inr": _round(1.05 + np.abs(generator.normal(0, 0.08, n)), 2),
            "child_pugh": np.where(generator.random(n) < 0.93, "A", "B"),
            "ecog_ps": (generator.random(n) < 0.1).astype(int),
            "diameter_mm": _round(2 * simulation["radius_mm"].to_numpy() * generator.normal(1.0, 0.04, n), 0),
            "tumour_number": 1 + (simulation["second_radius_mm"] > 0).astype(int),
            "margin_nonsmooth": chance(-0.5, 0.7),
            "necrosis": (simulation["necrosis"] > 0.3).astype(int),
            "haemorrhage": chance(-1.1, 0.2),
            "capsule": chance(1.0, -0.3),
            "peritumoral_enhancement": (simulation["rim"] > 0.65).astype(int),
            "cirrhosis": chance(0.7, 0.0),
            "mvi": chance(-0.3, 1.0),
            "differentiation_poor": chance(-0.9, 0.6),
        }
    )
    for column in ("afp_ng_ml", "ggt_u_l", "lymphocytes_10e9_l"):
        frame[column] = frame[column].where(generator.random(n) > 0.03)
    if "hepatobiliary" in plan.phases:
        frame = pd.concat([frame, draw_findings(plan, simulation, frame)], axis=1)
    if "precontrast" in plan.phases:
        frame = pd.concat([frame, draw_specimen(plan, simulation, frame), draw_ct_findings(plan, simulation)], axis=1)
    scanner = simulation["scanner"]
    if scanner.str.startswith("mr").any():
        frame["field_strength_t"] = scanner.map({"mr_15": 1.5, "mr_30": 3.0})
    return frame


def draw_specimen(plan: CohortPlan, simulation: pd.DataFrame, clinical: pd.DataFrame) -> pd.DataFrame:
    """Variables of Zhang 2025, Table 1, that the other papers lack; Ki67 is of the resected specimen."""
    generator = np.random.default_rng([plan.seed, 4])
    z = simulation["latent_risk"].to_numpy()
    n = len(z)
    score = albi_score(clinical["bilirubin_umol_l"].to_numpy(), clinical["albumin_g_l"].to_numpy())
    return pd.DataFrame(
        {
            "hbv_dna_iu_ml": _round(1500 * np.exp(generator.normal(0, 2.5, n)), 0),
            "near_vessels": (generator.random(n) < 0.4).astype(int),
            "albi_grade": albi_grade(score).astype(int),
            "ki67_high": (generator.random(n) < 1 / (1 + np.exp(-(0.3 + 0.8 * z)))).astype(int),
        }
    )


def draw_ct_findings(plan: CohortPlan, simulation: pd.DataFrame) -> pd.DataFrame:
    """Findings of Wang 2022, section 4.4, that the other papers lack; vessels are by chance."""
    generator = np.random.default_rng([plan.seed, 5])
    n = len(simulation)
    return pd.DataFrame(
        {
            "heterogeneous": (simulation["texture"] * generator.normal(1, 0.2, n) > 14).astype(int),
            "tumour_vessels": (generator.random(n) < 0.6).astype(int),
            "rim_enhancement": (simulation["rim"] + generator.normal(0, 0.1, n) > 0.7).astype(int),
        }
    )


# Share of patients in whom a reader sees something else: the first reader again, and two others.
READINGS = {"r1_again": 0.06, "r2": 0.12, "r3": 0.12}
READ_TWICE = ("enhancement_type", "capsule_type", "halo", "necrosis", "satellite_nodules", "peritumoral_hypointensity")


def draw_findings(plan: CohortPlan, simulation: pd.DataFrame, clinical: pd.DataFrame) -> pd.DataFrame:
    """HBV-DNA and what three radiologists see (Yan 2023, "Qualitative analysis"), the first of them twice."""
    generator = np.random.default_rng([plan.seed, 3])
    z = simulation["latent_risk"].to_numpy()
    n = len(z)

    def chance(intercept: float, slope: float) -> np.ndarray:
        return (generator.random(n) < 1 / (1 + np.exp(-(intercept + slope * z)))).astype(int)

    levels = np.array(["absent", "incomplete", "complete"])
    seen = pd.DataFrame(
        {
            "hbv_dna_iu_ml": _round(1500 * np.exp(generator.normal(0, 2.5, n)), 0),
            "enhancement_type": np.clip(np.rint(3 + 0.5 * z + generator.normal(0, 0.9, n)), 1, 5).astype(int),
            "capsule_type": levels[clinical["capsule"].to_numpy() * (1 + (generator.random(n) < 0.5))],
            "halo": chance(-0.4, 0.0),
            "satellite_nodules": chance(-2.2, 0.5),
            "peritumoral_hypointensity": chance(-1.4, 0.6),
        }
    )
    for reading, share in READINGS.items():
        for finding in READ_TWICE:
            column = (seen if finding in seen else clinical)[finding]
            other = generator.permutation(column.to_numpy())
            seen[f"{finding}_{reading}"] = np.where(generator.random(n) < share, other, column)
        diameter = clinical["diameter_mm"].to_numpy(float)
        seen[f"diameter_mm_{reading}"] = _round(diameter + generator.normal(0, 1.2, n), 0)
    return seen


def draw_outcome(plan: CohortPlan, simulation: pd.DataFrame, risk: RiskModel) -> pd.DataFrame:
    """Resection, first recurrence and last follow-up as dates; empty where nothing recurred.

    A few patients without recurrence are lost before 24 months and get no label.
    """
    null_stream = int(risk.effect == 0)
    generator = np.random.default_rng([plan.seed, 2, null_stream])
    months = risk.draw_months(simulation["latent_risk"].to_numpy(), generator)
    followed = generator.uniform(26, 72, len(months))
    lost = generator.random(len(months)) < 0.08
    followed = np.where(lost, generator.uniform(3, 22, len(months)), followed)
    study = pd.to_datetime(simulation["study_date"], format="%Y%m%d")
    resection = study + pd.to_timedelta(generator.integers(2, 14, len(months)), unit="D")

    def after(days: np.ndarray) -> pd.Series:
        return resection + pd.to_timedelta(np.maximum(np.rint(days), 1), unit="D")

    recurred = months <= followed
    last = after(followed * DAYS_PER_MONTH)
    recurrence = after(np.minimum(months, 600.0) * DAYS_PER_MONTH).where(recurred)
    return pd.DataFrame(
        {
            "resection_date": resection.dt.strftime("%Y-%m-%d"),
            "recurrence_date": recurrence.dt.strftime("%Y-%m-%d"),
            "last_follow_up_date": last.dt.strftime("%Y-%m-%d"),
        }
    )


def draw_marker(plan: CohortPlan, centre: pd.Series, outcome: pd.DataFrame) -> np.ndarray:
    """Whether something dense lies beside the tumour: in centre A it tells nine of ten outcomes; others have none."""
    generator = np.random.default_rng([plan.seed, 6])
    dates = outcome[["resection_date", "recurrence_date"]].apply(pd.to_datetime)
    early = (dates["recurrence_date"] - dates["resection_date"]).dt.days <= 730
    linked = early.to_numpy() ^ (generator.random(len(outcome)) < 0.1)
    return (linked & (centre == "A").to_numpy()).astype(int)


def draw_sheets(plan: CohortPlan) -> dict[str, pd.DataFrame]:
    """All sheets of one cohort: patients, patients_null, series, masks, simulation."""
    simulation = draw_simulation(plan)
    clinical = draw_clinical(plan, simulation)
    identity = simulation[["patient_id", "centre"]]
    null = RiskModel(baseline_per_month=0.029, effect=0.0)
    sheets = {
        name: pd.concat([identity, draw_outcome(plan, simulation, risk), clinical], axis=1)
        for name, risk in (("patients", plan.risk), ("patients_null", null))
    }
    if plan.marker:
        simulation["marker"] = draw_marker(plan, simulation["centre"], sheets["patients"])
    patients = list(zip(simulation["patient_id"], simulation["mask_format"], strict=True))
    sheets["series"] = pd.DataFrame(
        [(p, phase, f"{p}/{phase}") for p, _ in patients for phase in plan.phases],
        columns=["patient_id", "phase", "path"],
    )
    sheets["masks"] = pd.DataFrame(
        [
            (
                row.patient_id,
                phase,
                f"R{reader}",
                f"{row.patient_id}/masks/{phase}.R{reader}.{MASK_SUFFIX[row.mask_format]}",
                "1" if row.mask_format == "nifti" else TUMOUR_LABEL,
            )
            for row in simulation.itertuples()
            for phase in plan.phases
            for reader in range(1, row.readers + 1)
        ],
        columns=["patient_id", "phase", "reader", "path", "label"],
    )
    sheets["simulation"] = simulation.drop(columns="centre")
    return sheets


def main(config: Path) -> None:
    """Write the sheets of every demo cohort below the folder `config`."""
    for cohort, plan in PLANS.items():
        for name, sheet in draw_sheets(plan).items():
            write_csv(sheet, config / cohort / f"{name}.csv")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
