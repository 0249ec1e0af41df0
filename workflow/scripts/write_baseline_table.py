"""Write the table of patient characteristics."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"{snakemake.wildcards.paper} on {snakemake.wildcards.cohort}"):
    from hcc_recurrence.cohort.sheets import clinical_table
    from hcc_recurrence.figures.html import write_html
    from hcc_recurrence.files import read_csv, write_csv
    from hcc_recurrence.learning.clinical import timing_note
    from hcc_recurrence.statistics.baseline import baseline_table

    params = snakemake.params
    split = read_csv(snakemake.input.split)
    clinical = clinical_table(params.sheet, params.definitions, params.missing_codes, list(split["patient_id"]))
    labels = read_csv(snakemake.input.labels)
    table = baseline_table(clinical, labels, split, params.definitions, params.yates)
    write_csv(table, snakemake.output.csv)
    note = timing_note(params.definitions).strip()
    write_html(table, params.title, snakemake.output.html, note, mark=params.mark)
