"""Of each patient, what lies outside of the training patients of an exported model."""

from pathlib import Path

from hcc_recurrence.job import job_log

wildcards, params = snakemake.wildcards, snakemake.params
with job_log(snakemake.log[0], f"{wildcards.bundle} on {wildcards.cohort}"):
    import pandas as pd

    from hcc_recurrence.exported.bundle import read_bundle
    from hcc_recurrence.exported.fingerprints import digests_of_folder, training_row
    from hcc_recurrence.exported.outside import SEEN, table_of
    from hcc_recurrence.exported.patients import Measured, rows_of_patient
    from hcc_recurrence.files import read_csv, write_csv

    asked = snakemake.input
    bundle = read_bundle(Path(params.folder), Path(params.folder))
    phases = dict(zip(bundle.about["phases"], params.phases, strict=True))
    features, clinical = (pd.read_parquet(Path(asked.inputs, f"{name}.parquet")) for name in ("features", "clinical"))
    tumours = read_csv(asked.tumours)
    rows = {}
    predicted = [Path(folder) for folder in asked.get("predicted", [])]
    for patient, images, masks in zip(params.patients, asked.images, asked.masks, strict=True):
        readers = params.readers[patient]
        folders = [Path(masks), *(folder / patient for folder in predicted)]
        measured = Measured.of(Path(images), folders, phases, readers, params.modality)
        own = rows_of_patient(
            bundle, measured, features.loc[patient], clinical.loc[patient], tumours[tumours["patient_id"] == patient]
        )
        digests = digests_of_folder(Path(images)) if bundle.fingerprints is not None else {}
        rows[patient] = [training_row(bundle.fingerprints, digests), *own]
        if rows[patient][0].verdict == SEEN:
            print(f"{patient}: {rows[patient][0].words}")
    write_csv(table_of(rows), snakemake.output[0])
