"""What networks learn from: the crops of all patients, and which patient has which part in a fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from hcc_recurrence.cohort.draws import draw_part, drawn_order
from hcc_recurrence.cohort.fit import LEFT_OUT, VALIDATION, Fit

FITTED, INNER, UNSEEN = "fitted", "inner", "unseen"


def stack_crops(files: Mapping[str, str | Path]) -> dict[str, np.ndarray]:
    """The crops of all patients in one set of arrays.

    Args:
        files: patient -> .npz of the rule `crop_patient`.

    Returns: `image` (patient, phase, z, y, x) float32, `mask` (patient, z, y, x) uint8, `patients`, `phases`.

    Raises: ValueError naming the patients whose crop has other phases or another shape than the first one's.
    """
    patients, differ = sorted(files), []
    with np.load(files[patients[0]], allow_pickle=False) as crop:
        phases, shape = crop["phases"].tolist(), crop["image"].shape
        # Of hundreds of patients these are gigabytes: they are there once.
        images = np.empty((len(patients), *shape), crop["image"].dtype)
        masks = np.empty((len(patients), *crop["mask"].shape), crop["mask"].dtype)
    for place, patient in enumerate(patients):
        with np.load(files[patient], allow_pickle=False) as crop:
            found = (crop["phases"].tolist(), crop["image"].shape)
            if found != (phases, shape):
                differ.append(f"{patient} has {found[0]}, {found[1]}")
                continue
            images[place], masks[place] = crop["image"], crop["mask"]
    if differ:
        raise ValueError(f"crops differ from {patients[0]}'s {phases}, {shape}: {'; '.join(differ)}")
    return {"image": images, "mask": masks, "patients": np.array(patients), "phases": np.array(phases)}


def load_images(file: str | Path, phases: Sequence[str], patients: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Images (patient, phase, z, y, x) and masks (patient, z, y, x) of a stack, in the order asked for.

    Masks are (patient, phase, z, y, x) where each phase has its own (`place: each_phase`).

    Raises: ValueError where a patient or a phase is not in the file.
    """
    with np.load(file, allow_pickle=False) as stack:
        known = {"phases": stack["phases"].tolist(), "patients": stack["patients"].tolist()}
        for kind, wanted in (("phases", phases), ("patients", patients)):
            absent = sorted(set(wanted) - set(known[kind]))
            if absent:
                raise ValueError(f"{file} lacks the {kind} {absent}")
        rows = [known["patients"].index(p) for p in patients]
        of_phases = [known["phases"].index(p) for p in phases]
        masks = stack["mask"][rows]
        # One copy of what is asked for, not one of its patients and one of their phases.
        return stack["image"][np.ix_(rows, of_phases)], masks[:, of_phases] if masks.ndim == 5 else masks


def fit_roles(split: pd.DataFrame, outcome: pd.Series, fit: Fit, inner: float, seed: int) -> pd.Series:
    """The part of every patient in one fit: `fitted`, `inner` (decides when to stop), or `unseen`.

    All networks of one fold and repeat get the same parts, so that one network may start from another one's weights
    without having seen its early-stopping set.

    Args:
        split: patient_id, split, fold_<repeat>. outcome: er by patient. fit: its `tuned_on` are the
            early-stopping set; where there are no validation patients, a part of the training patients is.
        inner: fraction of the training rows in the early-stopping set. seed: of the run.

    Raises: ValueError where an outcome has fewer than two patients to train on.
    """
    index = split.set_index("patient_id")
    training = index["split"] == "train"
    outside = index[f"fold_{fit.repeat}"].isin(fit.left_out)
    rows = sorted(index.index[training & ~outside])
    roles = pd.Series(UNSEEN, index=sorted(index.index), name="role")
    others = {VALIDATION: index["split"] == "validation", LEFT_OUT: training & outside}.get(fit.tuned_on)
    deciding = [] if others is None else sorted(index.index[others])
    if deciding:
        roles[rows] = FITTED
        roles[deciding] = INNER
        return roles
    y = outcome.loc[rows].astype(int).to_numpy()
    counts = np.bincount(y, minlength=2)
    if counts.min() < 2:
        raise ValueError(
            f"a network needs two training patients of each outcome; one has {counts.min()}. "
            "What to do: lower folds or validation_fraction in splits, or add patients."
        )
    own_seed = fit_seed(seed, fit)
    inner_rows: list[str] = []
    for value in (0, 1):
        members = [p for p, own in zip(rows, y, strict=True) if own == value]
        inner_rows += draw_part(members, max(inner, 1 / len(members)), own_seed, "inner")
    roles[rows] = FITTED
    roles[inner_rows] = INNER
    return roles


def fit_seed(seed: int, fit: Fit) -> int:
    """A seed of one fit's own: fits that leave out the same folds of a repeat have the same one."""
    return int(np.random.SeedSequence([seed, fit.repeat, *(fit.left_out or (0,))]).generate_state(1)[0])


def keep_share(roles: pd.Series, outcome: pd.Series, share: float, seed: int) -> pd.Series:
    """The parts of a fit with a share of its patients: of each outcome and part the first ones in an order drawn once.

    A smaller share is part of a larger one. Patients that are left out are unseen.

    Args:
        roles: of `fit_roles`. outcome: er by patient. share: of the patients that fit, and of those that decide.
    """
    kept = roles.copy()
    for part in (FITTED, INNER):
        for value in (0, 1):
            members = [p for p in roles.index[roles == part] if int(outcome[p]) == value]
            number = max(round(share * len(members)), 2 if part == FITTED else 1)
            kept[drawn_order(members, seed, "learning curve")[number:]] = UNSEEN
    return kept
