"""Write the tables of patient characteristics: by outcome in each set, and the sets against each other."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"{snakemake.wildcards.paper} on {snakemake.wildcards.cohort}"):
    from hcc_recurrence.cohort.sheets import clinical_table
    from hcc_recurrence.figures.html import write_html
    from hcc_recurrence.files import read_csv, write_csv
    from hcc_recurrence.learning.clinical import coded, timing_note
    from hcc_recurrence.statistics.baseline import baseline_table, for_readers, sets_table

    params, output = snakemake.params, snakemake.output
    split, labels = read_csv(snakemake.input.split), read_csv(snakemake.input.labels)
    clinical = clinical_table(params.sheet, params.definitions, params.missing_codes, list(split["patient_id"]))
    values, definitions = coded(clinical, params.definitions, params.coding)
    tests = {"continuous": params.continuous, "yates": params.yates, "fisher_below": params.fisher_below}
    note = (
        "Mean (SD) or median [IQR], n (%); percentages are of all patients, tests are of those with a value."
        + timing_note(params.definitions)
    )
    for make, table_file, page in (
        (baseline_table, output.csv, output.html),
        (sets_table, output.sets, output.sets_html),
    ):
        table = make(values, labels, split, definitions, tests)
        write_csv(table, table_file)
        write_html(for_readers(table), params.title, page, note, mark=params.mark)
