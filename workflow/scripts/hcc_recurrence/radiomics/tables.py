"""Feature tables: one row a patient, phase and reader, joined over phases for a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


# The reader whose masks a network drew.
AUTOMATIC = "unet"


def write_features(path: str | Path, patient: str, phase: str, features: Mapping[str, Mapping[str, float]]) -> None:
    """Write one row a reader: patient_id, phase, reader, then the features in PyRadiomics' order."""
    import pyarrow as pa
    from pyarrow import feather

    readers = sorted(features)
    columns: dict[str, list] = {
        "patient_id": [patient] * len(readers),
        "phase": [phase] * len(readers),
        "reader": readers,
    }
    for name in features[readers[0]]:
        columns[name] = [features[reader][name] for reader in readers]
    # A thousand columns of one row: Parquet takes ten times as long to write and to read, most of it for what helps to
    # search long columns.
    feather.write_feather(pa.table(columns), path, compression="uncompressed")


def read_features(path: str | Path) -> pa.Table:
    """What `write_features` has written."""
    import pyarrow as pa

    with pa.memory_map(str(path)) as file:
        return pa.ipc.open_file(file).read_all()


@dataclass(frozen=True)
class RadiomicsTable:
    """Features of a cohort over all phases.

    values: index patient_id, columns `<phase>__<feature>`, the reference reader's; a network's where there is none.
    repeated: for each other reader the patients it has, and their values in the same columns.
    automatic: the network's of the patients whose values are the reference reader's; none without such masks.
    """

    values: pd.DataFrame
    repeated: Mapping[str, pd.DataFrame]
    automatic: pd.DataFrame | None = None


def join_phases(tables: Mapping[str, pd.DataFrame], patients: Sequence[str], reference: str) -> RadiomicsTable:
    """Join one table a phase into one row a patient.

    Args:
        tables: phase -> rows of patient_id, phase, reader, features.
        patients: who must be there, in the order of the result.
        reference: the reader whose masks the models use; in phases where a patient has none, those of AUTOMATIC.

    Raises: ValueError naming patients with neither.
    """
    # Here and not above: a job that only writes a row would spend a third of its time on this import.
    import pandas as pd

    wide: dict[str, list[pd.DataFrame]] = {}
    manual = set(patients)
    for phase, table in tables.items():
        read = set(table.loc[table["reader"] == reference, "patient_id"])
        manual &= read
        filled = table[(table["reader"] == AUTOMATIC) & ~table["patient_id"].isin(read)].assign(reader=reference)
        for reader, rows in pd.concat([table, filled]).groupby("reader"):
            part = rows.drop(columns=["phase", "reader"]).set_index("patient_id")
            wide.setdefault(str(reader), []).append(part.add_prefix(f"{phase}__"))
    joined = {
        reader: pd.concat(parts, axis=1, join="inner") for reader, parts in wide.items() if len(parts) == len(tables)
    }
    lacking = sorted(set(patients) - set(joined[reference].index if reference in joined else ()))
    if lacking:
        raise ValueError(f"no features of reader {reference} for {lacking[:5]} ({len(lacking)} in all)")
    values = joined.pop(reference).loc[list(patients)]
    automatic = joined.pop(AUTOMATIC, None)
    if automatic is not None:
        automatic = automatic.loc[sorted(set(automatic.index) & manual), values.columns]
    repeated = {
        reader: frame.loc[sorted(set(frame.index) & set(patients)), values.columns]
        for reader, frame in sorted(joined.items())
    }
    if not np.isfinite(values.to_numpy()).all():
        raise ValueError("a feature is not finite")
    return RadiomicsTable(values, repeated, automatic)
