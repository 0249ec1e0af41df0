"""Train the fusion of Zhao 2024 on the training patients outside one fold, whole and without each of its inputs."""

from functools import partial

from hcc_recurrence.job import job_log
from hcc_recurrence.numerics import restart_with

# Trained again by other kernels (`snakemake numerics`): before libraries are loaded.
restart_with(snakemake.params.get("kernels", {}))

wildcards = snakemake.wildcards
with job_log(snakemake.log[0], f"DLRCR on {wildcards.cohort}, fit {wildcards.fit}"):
    import pandas as pd

    from hcc_recurrence.learning.network_scores import choose_networks, read_fits
    from hcc_recurrence.methods.run import read_table
    from hcc_recurrence.methods.zhao2024.declare import FUSION, fusions
    from hcc_recurrence.methods.zhao2024.networks import chosen_network, fusion_variables
    from hcc_recurrence.networks.build import build_fusion
    from hcc_recurrence.networks.fits import patients_of
    from hcc_recurrence.networks.training_job import TrainingJob

    params, output, asked = snakemake.params, snakemake.output, snakemake.input
    job = TrainingJob.begin(params, asked, output, snakemake.threads, wildcards.fit)
    inputs = read_table(asked.inputs, "inputs")
    size = (len(params.phases), job.examples.images.shape[2])
    choices = choose_networks(read_fits(asked.histories))
    start, _ = chosen_network(job.labels, job.split, read_fits(asked.scores), choices, job.fit)
    architecture, start_file = params.networks[start], asked.networks[list(params.networks).index(start)]
    print(f"starts from {start}")
    found = []
    for model, kinds in fusions(params.has_clinical).items():
        print(f"{model}: {' + '.join(kinds)}")
        variables = fusion_variables(inputs, kinds).loc[job.roles.index]
        examples = job.examples.with_variables(variables.to_numpy(), images="deep" in kinds)
        number = variables.shape[1]

        of_images = architecture if "deep" in kinds else ""
        make = partial(build_fusion, of_images, start_file, *size, number, params.layer_norm)
        network, *tables = job.train(make, examples, patients_of(job.roles), model, f".{len(found)}")
        if model == FUSION:
            made = {"architecture": architecture, "network": start}
            job.keep(network, made, output.network, variables=[list(c) for c in variables.columns])
        found.append(tables)
    names = {"cohort": wildcards.cohort, "paper": "zhao2024", "network": FUSION}
    job.write(names, *map(pd.concat, zip(*found, strict=True)))
