"""Write the tables of patient characteristics: by outcome in each set, and the sets against each other."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"{snakemake.wildcards.paper} on {snakemake.wildcards.cohort}"):
    from hcc_recurrence.cohort.recurrence_sites import read_sites
    from hcc_recurrence.cohort.sheets import clinical_table
    from hcc_recurrence.endpoint import use_endpoint
    from hcc_recurrence.figures.html import write_html
    from hcc_recurrence.files import read_csv, write_csv
    from hcc_recurrence.learning.clinical import coded, timing_note
    from hcc_recurrence.statistics.baseline import NOTE, baseline_table, for_readers, sets_note, sets_table

    words = use_endpoint(snakemake.params.endpoint)
    params, output = snakemake.params, snakemake.output
    split, labels = read_csv(snakemake.input.split), read_csv(snakemake.input.labels)
    clinical = clinical_table(params.sheet, params.definitions, params.missing_codes, list(split["patient_id"]))
    values, definitions = coded(clinical, params.definitions, params.coding)
    tests = {"continuous": params.continuous, "yates": params.yates, "fisher_below": params.fisher_below}
    tests["rfs"] = params.rfs
    sites = read_sites(params.sheet, params.sites, params.missing_codes) if params.sites else None
    late, whose = timing_note(params.definitions), f"{params.study}: {params.title}"
    if definitions:
        table = baseline_table(values, labels, split, definitions, tests)
        write_csv(table, output.csv)
        title = f"Patients by {words.name}, {whose}"
        write_html(for_readers(table), title, output.html, NOTE + late, mark=params.mark)
    table = sets_table(values, labels, split, definitions, tests, sites)
    write_csv(table, output.sets)
    title = f"Patients of the sets, {whose}"
    write_html(for_readers(table), title, output.sets_html, sets_note() + late, mark=params.mark)
