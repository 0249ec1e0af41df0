"""Agreement of readers on the findings of a study."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"{snakemake.wildcards.paper} on {snakemake.wildcards.cohort}"):
    from hcc_recurrence.cohort.sheets import clinical_table
    from hcc_recurrence.figures.html import readable, write_html
    from hcc_recurrence.files import write_csv
    from hcc_recurrence.statistics.reliability import readings_table

    params, output = snakemake.params, snakemake.output
    tables = {}
    for variable, columns in params.readings.items():
        own = params.definitions[variable]
        named = {"first": own, **{reading: {**own, "column": column} for reading, column in columns.items()}}
        tables[variable] = clinical_table(params.sheet, named, params.missing_codes, params.patients)
    table = readings_table(tables, {v: params.definitions[v]["kind"] for v in tables})
    write_csv(table, output.csv)
    note = (
        "Patients with all the readings compared. Kappa: 0.00-0.20 poor, 0.21-0.40 fair, 0.41-0.60 moderate, 0.61-0.80 "
        "good, 0.81-1.00 excellent (Yan 2023); the same words for ICC. No interval is printed for Fleiss' kappa."
    )
    write_html(readable(table), params.title, output.html, note, mark=params.mark)
