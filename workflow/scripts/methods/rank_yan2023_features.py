"""Order the features of one phase by one selector, in every fit of Yan 2023."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"{snakemake.wildcards.phase} of {snakemake.wildcards.cohort}"):
    import pandas as pd

    from hcc_recurrence.files import read_csv, write_csv
    from hcc_recurrence.learning.signature_grid import rank_fits

    params = snakemake.params
    ranks, steps = rank_fits(
        pd.read_parquet(snakemake.input.features),
        read_csv(snakemake.input.labels).set_index("patient_id")["er"],
        read_csv(snakemake.input.split),
        snakemake.wildcards.selector,
        params.settings,
        params.repeats,
        params.seed,
    )
    ranks.to_parquet(snakemake.output.ranks)
    write_csv(steps, snakemake.output.steps)
