"""Features of the crops of one phase by a network that is not trained here."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"{snakemake.wildcards.phase} of {snakemake.wildcards.cohort}"):
    import torch

    from hcc_recurrence.networks.features import features_of_crops

    params, phase = snakemake.params, snakemake.wildcards.phase
    torch.set_num_threads(snakemake.threads)
    features = features_of_crops(
        snakemake.input.crops,
        phase,
        params.network["weights"],
        params.pool,
        params.tap,
        params.highest,
        params.seed,
    )
    features.to_parquet(snakemake.output[0])
