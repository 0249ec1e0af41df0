"""Main models of all papers, clinical scores and confounders on the same patients and split."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"comparison on {snakemake.wildcards.cohort}"):
    import pandas as pd

    from hcc_recurrence.files import read_csv, write_csv
    from hcc_recurrence.learning.predictions import main_models

    parts = []
    for (paper, main), file in zip(snakemake.params.main.items(), snakemake.input.papers, strict=True):
        table = read_csv(file)
        table = table[table["model"].isin(main_models(table, main))]
        parts.append(table.assign(model=f"{paper}:" + table["model"]))
    parts.append(read_csv(snakemake.input.comparators))
    write_csv(pd.concat(parts, ignore_index=True), snakemake.output[0])
