"""The networks of one fit of Zhao 2024 as one model that can be applied to other patients."""

from pathlib import Path

from hcc_recurrence.job import job_log

wildcards = snakemake.wildcards
with job_log(snakemake.log[0], f"zhao2024 on {wildcards.cohort}, fit {wildcards.fit}"):
    from hcc_recurrence.cohort.fit import Fit
    from hcc_recurrence.files import read_csv
    from hcc_recurrence.learning.network_scores import choose_networks, read_fits
    from hcc_recurrence.methods.zhao2024.deep import keep_networks
    from hcc_recurrence.methods.zhao2024.fit import Zhao
    from hcc_recurrence.methods.zhao2024.networks import chosen_network

    params, asked = snakemake.params, snakemake.input
    scores, choices = read_fits(asked.scores), choose_networks(read_fits(asked.histories))
    tables = read_csv(asked.labels), read_csv(asked.split)
    chosen, used = chosen_network(*tables, scores, choices, Fit.parse(wildcards.fit))
    made = {name: own["architecture"] for name, own in params.networks.items()}
    files = {name: (made[name], file) for name, file in zip(params.networks, asked.networks, strict=True)}
    model = Zhao.load(Path(asked.model))
    learned = [*model.learned, *used]
    keep_networks(
        params.phases, params.slices, files, chosen, asked.fusion, params.layer_norm, model.variables, learned
    ).save(Path(snakemake.output[0]))
