"""Stack the crops of all patients."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"cohort {snakemake.wildcards.cohort}"):
    import numpy as np

    from hcc_recurrence.networks.examples import stack_crops

    stacked = stack_crops(dict(zip(snakemake.params.patients, snakemake.input, strict=True)))
    np.savez(snakemake.output[0], **stacked)
