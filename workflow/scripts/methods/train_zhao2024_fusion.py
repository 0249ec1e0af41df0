"""Train the fusion of Zhao 2024 on the training patients outside one fold, whole and without each of its inputs."""

from functools import partial
from pathlib import Path

from hcc_recurrence.job import job_log
from hcc_recurrence.numerics import restart_with

# Trained again by other kernels (`snakemake numerics`): before libraries are loaded.
restart_with(snakemake.params.get("kernels", {}))

wildcards = snakemake.wildcards
with job_log(snakemake.log[0], f"DLRCR on {wildcards.cohort}, fit {wildcards.fit}"):
    import pandas as pd
    import torch

    from hcc_recurrence.cohort.fit import Fit
    from hcc_recurrence.files import read_csv, write_csv
    from hcc_recurrence.learning.network_scores import choose_networks, read_fits
    from hcc_recurrence.methods.run import read_table
    from hcc_recurrence.methods.zhao2024.declare import FUSION, fusions
    from hcc_recurrence.methods.zhao2024.networks import chosen_network, fusion_variables
    from hcc_recurrence.networks.build import build_fusion
    from hcc_recurrence.networks.fits import about_fit, fit_examples, patients_of, run_fit
    from hcc_recurrence.networks.machine import describe_machine, of_training, write_machine
    from hcc_recurrence.networks.training import save_network
    from hcc_recurrence.numerics import processor_facts

    params, output, asked = snakemake.params, snakemake.output, snakemake.input
    torch.set_num_threads(snakemake.threads)
    machine = describe_machine(params.numerics, params.device, processor_facts()[0])
    fit = Fit.parse(wildcards.fit)
    labels, split, inputs = read_csv(asked.labels), read_csv(asked.split), read_table(asked.inputs, "inputs")
    inner = params.training["inner_fraction"]
    roles, images = fit_examples(asked.crops, params.phases, labels, split, fit, inner, params.seed)
    size = (len(params.phases), images.images.shape[2])
    choices = choose_networks(read_fits(asked.histories))
    start, _ = chosen_network(labels, split, read_fits(asked.scores), choices, fit)
    architecture, start_file = params.networks[start], asked.networks[list(params.networks).index(start)]
    print(f"starts from {start}")
    all_scores, all_histories = [], []
    for model, kinds in fusions(params.has_clinical).items():
        print(f"{model}: {' + '.join(kinds)}")
        variables = fusion_variables(inputs, kinds).loc[roles.index]
        examples = images.with_variables(variables.to_numpy(), images="deep" in kinds)
        number = variables.shape[1]

        of_images = architecture if "deep" in kinds else ""
        make = partial(build_fusion, of_images, start_file, *size, number, params.layer_norm)
        state = Path(output.network).parent / "state" / f"{fit}.{len(all_scores)}.pt"
        network, scores, history = run_fit(
            make,
            examples,
            patients_of(roles),
            params.training,
            fit,
            params.seed,
            state,
            of_training(params.code, machine),
            params.device,
        )
        if model == FUSION:
            made = {"architecture": architecture, "network": start}
            about = about_fit(roles, {**params.training, **made}, fit, params.seed)
            save_network(network, {**about, "variables": [list(c) for c in variables.columns]}, output.network)
        named = {"model": model, "fit": wildcards.fit}
        all_scores.append(scores.assign(**named))
        all_histories.append(history.assign(**named))
    names = {"cohort": wildcards.cohort, "paper": "zhao2024", "network": FUSION, "fit": wildcards.fit}
    write_machine(names, machine, output.machine)
    write_csv(pd.concat(all_scores), output.scores)
    write_csv(pd.concat(all_histories), output.history)
