"""The scan parameters of all patients of a cohort in one table, by phase and centre."""

from pathlib import Path

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"cohort {snakemake.wildcards.cohort}"):
    import pandas as pd

    from hcc_recurrence.cohort.acquisition_table import NOTE, acquisition_table, for_readers
    from hcc_recurrence.config_ranges import PHASES
    from hcc_recurrence.figures.html import write_html
    from hcc_recurrence.files import read_csv, write_csv

    params, output = snakemake.params, snakemake.output
    parts = [
        read_csv(Path(folder) / "acquisition.csv").assign(patient_id=patient)
        for patient, folder in zip(params.centres, snakemake.input, strict=True)
    ]
    phases = [phase for phase in PHASES if phase in params.phases]
    series = pd.concat(parts, ignore_index=True)
    table = acquisition_table(series, params.centres, params.modality, phases)
    write_csv(table, output.csv)
    write_html(for_readers(table), f"Scan parameters, {params.title}", output.html, NOTE)
