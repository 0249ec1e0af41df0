"""Gather a study's predictions into one checked table."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"{snakemake.wildcards.paper} on {snakemake.wildcards.cohort}"):
    import pandas as pd

    from hcc_recurrence.files import read_csv, write_csv
    from hcc_recurrence.learning.predictions import check_predictions

    predictions = pd.concat([part for part in map(read_csv, snakemake.input.parts) if len(part)], ignore_index=True)
    check_predictions(predictions, read_csv(snakemake.input.split), snakemake.params.models)
    write_csv(predictions, snakemake.output[0])
