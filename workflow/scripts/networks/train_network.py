"""Train one network on the training patients outside one fold."""

from hcc_recurrence.job import job_log
from hcc_recurrence.numerics import restart_with

# Trained again by other kernels (`snakemake numerics`): before libraries are loaded.
restart_with(snakemake.params.get("kernels", {}))

wildcards = snakemake.wildcards
with job_log(snakemake.log[0], f"{wildcards.network} of {wildcards.paper} on {wildcards.cohort}, fit {wildcards.fit}"):
    from hcc_recurrence.networks.build import build_network, takes_images_alone
    from hcc_recurrence.networks.fits import images_alone, patients_of
    from hcc_recurrence.networks.training_job import TrainingJob

    params, output = snakemake.params, snakemake.output
    job = TrainingJob.begin(params, snakemake.input, output, snakemake.threads, wildcards.fit)
    shape = tuple(job.examples.images.shape[2:])
    alone = takes_images_alone(params.network["architecture"])
    rows, examples = images_alone(job.roles, job.examples) if alone else (patients_of(job.roles), job.examples)
    network, *tables = job.train(
        lambda: build_network(params.network, len(params.phases), shape, alone), examples, rows, wildcards.network
    )
    # Networks that leave out two folds, or patients, only score: nothing explains them later.
    if "network" in output.keys():  # noqa: SIM118 - not a dict
        job.keep(network, params.network, output.network)
    job.write({name: wildcards[name] for name in ("cohort", "paper", "network")}, *tables)
