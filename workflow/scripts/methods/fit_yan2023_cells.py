"""Fit the cells of one ranking of Yan 2023 in every fit: a classifier each, on the same order of features."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"{snakemake.wildcards.phase} of {snakemake.wildcards.cohort}"):
    import pandas as pd

    from hcc_recurrence.files import read_csv, write_csv
    from hcc_recurrence.learning.signature_grid import fit_cell

    params, wildcards = snakemake.params, snakemake.wildcards
    features = pd.read_parquet(snakemake.input.features)
    outcome = read_csv(snakemake.input.labels).set_index("patient_id")["er"]
    split, ranks = read_csv(snakemake.input.split), pd.read_parquet(snakemake.input.ranks)
    found = []
    for classifier in params.settings["classifiers"]:
        print(f"{wildcards.selector} {classifier}")
        cell = fit_cell(features, outcome, split, ranks, classifier, params.settings, params.repeats, params.seed)
        # Which cell it is stands in the file, for the tables that hold all of them.
        about = {"phase": wildcards.phase, "selector": wildcards.selector, "classifier": classifier}
        found.append([table.assign(**about) for table in cell])
    for name, tables in zip(("scores", "choices"), zip(*found, strict=True), strict=True):
        write_csv(pd.concat(tables, ignore_index=True), snakemake.output[name])
