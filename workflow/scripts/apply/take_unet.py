"""A segmentation network out of an exported model, as the step that segments patients reads it."""

from pathlib import Path

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"{snakemake.wildcards.unet}, {snakemake.wildcards.phase}"):
    from hcc_recurrence.exported.bundle import read_bundle
    from hcc_recurrence.networks.training import save_network
    from hcc_recurrence.networks.unet import build_unet
    from hcc_recurrence.networks.weights import fill_network, read_weights

    params = snakemake.params
    file = read_bundle(Path(params.folder), Path(params.folder)).weights(params.weights)
    network = build_unet(params.unet["channels"])
    fill_network(network, read_weights(file), file, params.weights)
    save_network(network, {"model": params.model, "weights": params.weights}, snakemake.output[0])
