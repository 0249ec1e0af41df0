"""Collect the quality of all registrations to one phase."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"cohort {snakemake.wildcards.cohort}"):
    import pandas as pd

    from hcc_recurrence.figures.html import readable, write_html
    from hcc_recurrence.figures.registration import plot_registration
    from hcc_recurrence.figures.style import save_figure
    from hcc_recurrence.files import read_csv, write_csv

    params, output = snakemake.params, snakemake.output
    table = pd.concat([read_csv(file) for file in snakemake.input], ignore_index=True)
    # Where none failed the column holds no text.
    table["failed"] = table["failed"].astype(object).fillna("")
    write_csv(table, output.csv)
    failed = int((table["failed"] != "").sum())
    note = (
        f"{failed} of {len(table)} registrations failed and were not used: those phases lie as the scanner left them. "
        "Dice: overlap of the two phases' tumour masks. Metric: Mattes mutual information, lower is better."
    )
    write_html(readable(table), params.title, output.html, note)
    save_figure(plot_registration(table, params.title), output.figure, params.figures)
