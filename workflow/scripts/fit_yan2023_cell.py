"""Fit one cell of the grid of Yan 2023 in every fit."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"{snakemake.wildcards.phase} of {snakemake.wildcards.cohort}"):
    import pandas as pd

    from hcc_recurrence.files import read_csv, write_csv
    from hcc_recurrence.learning.signature_grid import fit_cell

    params = snakemake.params
    scores, choices = fit_cell(
        pd.read_parquet(snakemake.input.features),
        read_csv(snakemake.input.labels).set_index("patient_id")["er"],
        read_csv(snakemake.input.split),
        pd.read_parquet(snakemake.input.ranks),
        snakemake.wildcards.classifier,
        params.settings,
        params.repeats,
        params.seed,
    )
    # Which cell it is stands in the file, for the tables that hold all of them.
    cell = {name: snakemake.wildcards[name] for name in ("phase", "selector", "classifier")}
    write_csv(scores.assign(**cell), snakemake.output.scores)
    write_csv(choices.assign(**cell), snakemake.output.choices)
