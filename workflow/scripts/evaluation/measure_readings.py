"""Agreement of readers on the findings of a study."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"{snakemake.wildcards.paper} on {snakemake.wildcards.cohort}"):
    from hcc_recurrence.cohort.sheets import clinical_table
    from hcc_recurrence.cohort.variable_labels import label_of
    from hcc_recurrence.figures.html import readable, write_html
    from hcc_recurrence.files import write_csv
    from hcc_recurrence.statistics.reliability import readers_table, readings_table, words_of

    params, output = snakemake.params, snakemake.output
    tables = {}
    for variable, columns in params.readings.items():
        own = params.definitions[variable]
        named = {"first": own, **{reading: {**own, "column": column} for reading, column in columns.items()}}
        tables[variable] = clinical_table(params.sheet, named, params.missing_codes, params.patients)
    table = readings_table(tables, {v: params.definitions[v]["kind"] for v in tables}, params.bands)
    write_csv(table, output.csv)
    note = (
        f"Patients with all the readings compared. Kappa: {words_of(params.bands)}; the same words for ICC. No "
        "interval is printed for Fleiss' kappa."
    )
    shown = table.assign(variable=table["variable"].map(label_of))
    write_html(readable(shown), params.title, output.html, note, mark=params.mark)
    names = {"first": "first reader", "again": "first reader again"}
    by_reader = readers_table(tables, params.definitions, names)
    write_csv(by_reader, output.by_reader)
    note = "Patients with each finding, of those whom the reader read; numbers as median (interquartile range)."
    shown = by_reader.assign(variable=by_reader["variable"].map(label_of)).fillna("")
    write_html(shown, params.title, output.by_reader_html, note, mark=params.mark)
