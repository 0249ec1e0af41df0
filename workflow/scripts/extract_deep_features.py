"""Features of the crops of one phase by a network that is not trained here."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"{snakemake.wildcards.phase} of {snakemake.wildcards.cohort}"):
    import numpy as np
    import torch

    from hcc_recurrence.networks.examples import load_images
    from hcc_recurrence.networks.features import extract_features, feature_network

    params = snakemake.params
    torch.set_num_threads(snakemake.threads)
    with np.load(snakemake.input.crops, allow_pickle=False) as stack:
        patients = stack["patients"].tolist()
    images, _ = load_images(snakemake.input.crops, [snakemake.wildcards.phase], patients)
    network = feature_network(params.network["weights"], params.seed, params.pool, params.tap)
    middle = images.shape[2] // 2
    features = extract_features(network, images[:, 0, middle], patients, params.highest)
    features.to_parquet(snakemake.output[0])
