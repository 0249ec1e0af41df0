"""Collect the quality of all registrations on one grid."""

from pathlib import Path

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"cohort {snakemake.wildcards.cohort}"):
    import pandas as pd

    from hcc_recurrence.figures.html import readable, write_html
    from hcc_recurrence.files import read_csv, write_csv

    files = [Path(folder, "registration.csv") for folder in snakemake.input]
    absent = [file.parent.name for file in files if not file.is_file()]
    if absent:
        raise ValueError(f"grid {snakemake.wildcards.grid} does not register phases: set its register_to in the config")
    table = pd.concat([read_csv(file) for file in files], ignore_index=True)
    table = table[["patient_id", *[c for c in table.columns if c != "patient_id"]]].fillna({"failed": ""})
    write_csv(table, snakemake.output.csv)
    failed = int((table["failed"] != "").sum())
    gain = (table["dice_after"] - table["dice_before"]).median()
    note = (
        f"{failed} of {len(table)} registrations failed and were not used. Median gain of the Dice coefficient: "
        f"{gain:.3f}. metric: Mattes mutual information, lower is better."
    )
    write_html(readable(table), snakemake.params.title, snakemake.output.html, note)
