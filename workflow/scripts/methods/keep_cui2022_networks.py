"""The networks of all folds of Cui 2022 in one protocol as one model that can be applied to other patients."""

from pathlib import Path

from hcc_recurrence.job import job_log

wildcards = snakemake.wildcards
with job_log(snakemake.log[0], f"cui2022 on {wildcards.cohort}, fit {wildcards.fit}"):
    from hcc_recurrence.cohort.fit import Fit
    from hcc_recurrence.methods.cui2022.deep import keep_ensemble

    params, found = snakemake.params, list(snakemake.input.networks)
    # Network by network.
    number = len(found) // len(params.definitions)
    files = {name: found[place * number :][:number] for place, name in enumerate(params.definitions)}
    model = keep_ensemble(params.phases, params.definitions, files, Fit.parse(wildcards.fit))
    model.save(Path(snakemake.output[0]))
