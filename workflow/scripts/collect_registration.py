"""Collect the quality of all registrations on one grid."""

from pathlib import Path

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"cohort {snakemake.wildcards.cohort}"):
    import pandas as pd

    from hcc_recurrence.figures.html import readable, write_html
    from hcc_recurrence.figures.registration import plot_registration
    from hcc_recurrence.figures.style import save
    from hcc_recurrence.files import read_csv, write_csv

    params, output = snakemake.params, snakemake.output
    files = [Path(folder, "registration.csv") for folder in snakemake.input]
    if not all(file.is_file() for file in files):
        raise ValueError(f"grid {snakemake.wildcards.grid} does not register phases: set its register_to in the config")
    table = pd.concat([read_csv(file) for file in files], ignore_index=True).fillna({"failed": ""})
    write_csv(table, output.csv)
    failed = int((table["failed"] != "").sum())
    note = (
        f"{failed} of {len(table)} registrations failed and were not used: those phases lie as the scanner left them. "
        "Dice: overlap of the two phases' tumour masks. Metric: Mattes mutual information, lower is better."
    )
    write_html(readable(table), params.title, output.html, note)
    save(plot_registration(table, params.title), output.png, output.svg)
