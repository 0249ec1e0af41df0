"""Fetch and check files of weights, or say which file to put where."""

from pathlib import Path

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], "weights"):
    from hcc_recurrence.networks.weights import gather_weights

    Path(snakemake.output[0]).write_text(gather_weights(snakemake.params.files, Path(snakemake.output[0]).parent))
