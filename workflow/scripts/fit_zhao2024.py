"""Fit the models of Zhao 2024: one protocol."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"zhao2024 on {snakemake.wildcards.cohort}"):
    import pandas as pd

    from hcc_recurrence.cohort.sheets import clinical_table
    from hcc_recurrence.files import read_csv, write_csv
    from hcc_recurrence.methods.zhao2024.fit import Data, run_protocol
    from hcc_recurrence.radiomics.tables import join_phases

    params = snakemake.params
    split = read_csv(snakemake.input.split)
    patients = list(split["patient_id"])
    tables = [pd.read_parquet(file) for file in snakemake.input.radiomics]
    data = Data(
        radiomics=join_phases(dict(zip(params.phases, tables, strict=True)), patients, params.reader),
        clinical=clinical_table(params.sheet, params.definitions, params.missing_codes, patients),
        labels=read_csv(snakemake.input.labels),
        split=split,
    )
    results = run_protocol(data, params.settings, snakemake.wildcards.protocol, params.repeats, params.seed)
    results.pop("inputs").to_parquet(snakemake.output.inputs)
    for name, table in results.items():
        write_csv(table, snakemake.output[name])
