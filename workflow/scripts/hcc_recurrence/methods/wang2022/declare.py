"""Wang 2022: what its models are called and what its settings may be. Read by every job, so it imports little."""

from __future__ import annotations

SIGNATURE, WITH_CLINICAL, VISUAL, NOMOGRAM = "DSFR", "DSFR-C", "Visual", "Nomogram"
BOTH = "both phases"
# Where features are selected as published: inside each fold, or on all rows before the folds; strict always inside.
INSIDE_FOLDS, ON_ALL = "inside_folds", "on_all_patients"
SELECTIONS = (INSIDE_FOLDS, ON_ALL)
