"""Fit DSFR, DSFR-C, the model of visual findings and the Cox nomogram in all fits of one protocol and repeat."""

import json
from pathlib import Path

from hcc_recurrence.job import job_log

wildcards, params = snakemake.wildcards, snakemake.params
with job_log(snakemake.log[0], f"wang2022 on {wildcards.cohort}, {wildcards.protocol}, repeat {wildcards.repeat}"):
    import pandas as pd

    from hcc_recurrence.cohort.sheets import clinical_table
    from hcc_recurrence.files import read_csv, write_csv
    from hcc_recurrence.methods.wang2022.fits import fit_repeat
    from hcc_recurrence.methods.wang2022.signature import deep_table

    output = snakemake.output
    labels, split = read_csv(snakemake.input.labels), read_csv(snakemake.input.split)
    patients = list(split["patient_id"])
    features = [pd.read_parquet(f"{folder}/features.parquet") for folder in snakemake.input.features]
    found = fit_repeat(
        deep_table(features, params.phases, patients),
        clinical_table(params.sheet, params.definitions, params.missing_codes, patients),
        params.definitions,
        labels,
        split,
        params.settings,
        params.phases,
        wildcards.protocol,
        int(wildcards.repeat),
        params.horizon,
        params.seed,
    )
    for name in ("predictions", "out_of_fold", "choices", "weights", "hazards"):
        write_csv(getattr(found, name), output[name])
    Path(output.drawn).write_text(json.dumps(found.drawn, indent=1) + "\n")
