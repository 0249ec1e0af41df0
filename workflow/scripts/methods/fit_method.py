"""Fit the models of a method once: kept, with the probabilities of the patients that the fit reports on."""

from hcc_recurrence.job import job_log

wildcards = snakemake.wildcards
with job_log(snakemake.log[0], f"{wildcards.paper} on {wildcards.cohort}, fit {wildcards.fit}"):
    from importlib import import_module
    from pathlib import Path

    from hcc_recurrence.cohort.fit import Fit
    from hcc_recurrence.cohort.sheets import clinical_table
    from hcc_recurrence.endpoint import use_endpoint
    from hcc_recurrence.files import read_csv, write_csv
    from hcc_recurrence.methods.run import run_method, write_tables

    use_endpoint(snakemake.params.endpoint)
    params, asked, output = snakemake.params, snakemake.input, snakemake.output
    split, labels = read_csv(asked.split), read_csv(asked.labels)
    clinical = clinical_table(params.sheet, params.definitions, params.missing_codes, list(split["patient_id"]))
    method = import_module(params.module)
    files = {name: [files] if isinstance(files, str) else list(files) for name, files in asked.items()}
    data = method.read_data(files, params.about, clinical, labels, split)
    run = run_method(method.fit, data, Fit.parse(wildcards.fit), params.settings, params.seed, split, labels)
    run.fitted.save(Path(output.model))
    write_tables(run.tables, Path(output.tables))
    write_csv(run.predictions, output.predictions)
