"""Deal the outcomes of a cohort out anew."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"cohort {snakemake.wildcards.cohort}, permutation {snakemake.wildcards.permutation}"):
    from hcc_recurrence.cohort.labels import permute_outcome, read_labels
    from hcc_recurrence.files import write_csv

    labels = read_labels(snakemake.input[0])
    write_csv(
        permute_outcome(labels, snakemake.params.seed + int(snakemake.wildcards.permutation)), snakemake.output[0]
    )
