"""Which fits the networks of Zhao 2024 have, and those that a step reads. Read by every job, so it imports little."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from hcc_recurrence.cohort.fit import PUBLISHED, STRICT, VALIDATION, Fit
from hcc_recurrence.methods.zhao2024.declare import CLINICAL, COMBINED, FUSION, RADIOMICS


def fused_fits(fits: Sequence[Fit]) -> list[Fit]:
    """The fits of DLRCR, by the strict ones of the networks; as published there is one, on all training patients."""
    return [*fits, Fit(PUBLISHED)]


def trained(settings: Mapping[str, Any], fits: Sequence[Fit]) -> list[tuple[str, Fit]]:
    """All networks of a study, by the strict fits of those that are no fusion."""
    return [*product(settings["networks"], fits), *product([FUSION], fused_fits(fits))]


def started_from(fit: Fit) -> Fit:
    """The fit of the networks that one of DLRCR starts from: no step before it differs between the protocols."""
    return Fit.without(STRICT, fit.repeat, fit.fold)


def variables_of(fit: Fit) -> Fit:
    """The fit without a network whose variables a fit of DLRCR takes."""
    return Fit(PUBLISHED, tuned_on=VALIDATION) if fit.protocol == PUBLISHED else fit


def explained_fits(fits: Sequence[Fit]) -> list[Fit]:
    """Those of the strict fits whose patients Score-CAM explains: one a fold, of the first repeat."""
    return [fit for fit in fits if fit.repeat == 1 and fit.fold]


def drawn(has_clinical: bool) -> list[dict[str, str]]:
    """The logistic models of a study, whose coefficients are drawn, as wildcards of their jobs."""
    return [{"model": name} for name in ((CLINICAL, COMBINED) if has_clinical else (RADIOMICS,))]
