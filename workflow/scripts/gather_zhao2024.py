"""Gather coefficients and selection steps of all fits of Zhao 2024."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"zhao2024 on {snakemake.wildcards.cohort}"):
    import pandas as pd

    from hcc_recurrence.figures.html import write_html
    from hcc_recurrence.files import read_csv, write_csv
    from hcc_recurrence.methods.zhao2024.fit import summarise_selection

    coefficients = pd.concat([read_csv(f) for f in snakemake.input.coefficients], ignore_index=True)
    write_csv(coefficients, snakemake.output.coefficients)
    selection = pd.concat([read_csv(f) for f in snakemake.input.selection], ignore_index=True)
    write_csv(selection, snakemake.output.selection)
    write_html(
        summarise_selection(selection), snakemake.params.title, snakemake.output.html, mark=snakemake.params.mark
    )
