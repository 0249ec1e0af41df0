"""Losses of a study's networks by epoch."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"{snakemake.wildcards.paper} on {snakemake.wildcards.cohort}"):
    import pandas as pd

    from hcc_recurrence.figures.style import save_figure
    from hcc_recurrence.figures.training import plot_training
    from hcc_recurrence.files import read_csv

    histories = pd.concat([read_csv(file) for file in snakemake.input], ignore_index=True)
    save_figure(
        plot_training(histories, snakemake.params.title),
        snakemake.output.figure,
        snakemake.params.figures,
        snakemake.params.mark,
    )
