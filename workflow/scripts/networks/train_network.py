"""Train one network on the training patients outside one fold."""

from pathlib import Path

from hcc_recurrence.job import job_log
from hcc_recurrence.numerics import restart_with

# Trained again by other kernels (`snakemake numerics`): before libraries are loaded.
restart_with(snakemake.params.get("kernels", {}))

wildcards = snakemake.wildcards
with job_log(snakemake.log[0], f"{wildcards.network} of {wildcards.paper} on {wildcards.cohort}, fit {wildcards.fit}"):
    import torch

    from hcc_recurrence.cohort.fit import Fit
    from hcc_recurrence.files import read_csv, write_csv
    from hcc_recurrence.networks.build import build_network, takes_images_alone
    from hcc_recurrence.networks.fits import about_fit, fit_examples, images_alone, patients_of, run_fit
    from hcc_recurrence.networks.machine import describe_machine, of_training, write_machine
    from hcc_recurrence.networks.training import save_network
    from hcc_recurrence.numerics import processor_facts

    params, output, asked = snakemake.params, snakemake.output, snakemake.input
    torch.set_num_threads(snakemake.threads)
    machine = describe_machine(params.numerics, params.device, processor_facts()[0])
    fit = Fit.parse(wildcards.fit)
    about = {"model": wildcards.network, "fit": wildcards.fit}
    inner = params.training["inner_fraction"]
    tables = (read_csv(asked.labels), read_csv(asked.split))
    roles, examples = fit_examples(asked.crops, params.phases, *tables, fit, inner, params.seed)
    shape = tuple(examples.images.shape[2:])
    alone = takes_images_alone(params.network["architecture"])
    rows, examples = images_alone(roles, examples) if alone else (patients_of(roles), examples)
    state = Path(output.scores).parent / "state" / Path(output.scores).name.replace(".scores.csv", ".pt")
    network, scores, history = run_fit(
        lambda: build_network(params.network, len(params.phases), shape, alone),
        examples,
        rows,
        params.training,
        fit,
        params.seed,
        state,
        of_training(params.code, machine),
        params.device,
    )
    # Networks that leave out two folds, or patients, only score: nothing explains them later.
    if "network" in output.keys():  # noqa: SIM118 - not a dict
        settings = {**params.training, **params.network}
        save_network(network, about_fit(roles, settings, fit, params.seed), output.network)
    names = {"cohort": wildcards.cohort, "paper": wildcards.paper, "network": wildcards.network, "fit": wildcards.fit}
    write_machine(names, machine, output.machine)
    write_csv(scores.assign(**about), output.scores)
    write_csv(history.assign(**about), output.history)
