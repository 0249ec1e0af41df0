"""How well features of one reader's masks agree with another's (Zhao 2024, Feature selection)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from hcc_recurrence.radiomics.tables import AUTOMATIC, RadiomicsTable
from hcc_recurrence.statistics.reliability import intraclass_correlation

COLUMNS = ("reader", "patients", "phase", "image", "family", "feature", "icc_absolute", "icc_consistency")


def feature_parts(name: str) -> tuple[str, str, str]:
    """Phase, kind of image and family of a column: `portal__wavelet-LLH_glcm_Contrast` is portal, wavelet, glcm."""
    phase, _, rest = name.rpartition("__")
    image, family, _ = rest.split("_", 2)
    kind = "LoG" if image.startswith("log") else image.split("-")[0]
    return phase, kind, family


def reproducibility_table(table: RadiomicsTable, least_patients: int = 3) -> pd.DataFrame:
    """ICC(2,1) and ICC(3,1) of every feature between the reference reader and each other one, and a network's masks.

    Args:
        least_patients: read by both, below which a reader is left out.

    Returns: COLUMNS; empty where no patient was read twice.
    """
    parts = []
    automatic = {} if table.automatic is None else {AUTOMATIC: table.automatic}
    for reader, repeated in {**table.repeated, **automatic}.items():
        if len(repeated) < least_patients:
            continue
        first = table.values.loc[repeated.index].to_numpy()
        both = pd.DataFrame([feature_parts(c) for c in repeated.columns], columns=["phase", "image", "family"])
        absolute, consistency = intraclass_correlation(np.stack([first, repeated.to_numpy()], axis=1))
        both = both.assign(feature=repeated.columns, icc_absolute=absolute, icc_consistency=consistency)
        parts.append(both.assign(reader=reader, patients=len(repeated)))
    if not parts:
        return pd.DataFrame(columns=list(COLUMNS))
    return pd.concat(parts, ignore_index=True)[list(COLUMNS)]


def survivors(table: pd.DataFrame, threshold: float) -> pd.DataFrame:
    """Features above the threshold by family: all, by ICC(2,1), by ICC(3,1), and by both; one row a reader and family.

    A feature that never varies has no ICC and does not survive.
    """
    marked = table.assign(
        features=1,
        absolute=table["icc_absolute"] > threshold,
        consistency=table["icc_consistency"] > threshold,
    )
    marked["both"] = marked["absolute"] & marked["consistency"]
    columns = ["features", "absolute", "consistency", "both"]
    return marked.groupby(["reader", "patients", "family"], sort=True)[columns].sum().reset_index()
