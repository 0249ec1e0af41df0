"""Train one network on the training patients outside one fold."""

from pathlib import Path

from hcc_recurrence.job import job_log

wildcards = snakemake.wildcards
fit = (int(wildcards.repeat), int(wildcards.fold))
with job_log(snakemake.log[0], f"{wildcards.network} of {wildcards.paper} on {wildcards.cohort}, fold {fit[1]}"):
    import torch

    from hcc_recurrence.files import read_csv, write_csv
    from hcc_recurrence.networks.fits import about_fit, fit_examples, run_fit
    from hcc_recurrence.networks.phase_network import PhaseNetwork
    from hcc_recurrence.networks.training import load_backbone, save_network

    params, output, asked = snakemake.params, snakemake.output, snakemake.input
    torch.set_num_threads(snakemake.threads)
    about = {"model": wildcards.network, "protocol": "both", "repeat": fit[0], "fold": fit[1]}
    inner = params.training["inner_fraction"]
    tables = (read_csv(asked.labels), read_csv(asked.split))
    roles, examples = fit_examples(asked.crops, params.phases, *tables, fit, inner, params.seed)

    def make() -> PhaseNetwork:
        slices = examples.images.shape[2]
        network = PhaseNetwork(params.network["architecture"], len(params.phases), slices)
        if params.network["weights"]:
            load_backbone(network.backbone, params.network["weights"])
        return network

    state = Path(output.network).parent / "state" / f"{fit[0]}.{fit[1]}.pt"
    network, scores, history = run_fit(
        make, examples, roles, params.training, fit, params.seed, state, params.code, params.device
    )
    save_network(network, about_fit(roles, {**params.training, **params.network}, fit, params.seed), output.network)
    write_csv(scores.assign(**about), output.scores)
    write_csv(history.assign(**about), output.history)
