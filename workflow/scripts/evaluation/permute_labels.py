"""Deal the outcomes of a cohort out anew."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"cohort {snakemake.wildcards.cohort}, permutation {snakemake.wildcards.permutation}"):
    from hcc_recurrence.cohort.labels import permute_outcome, read_labels
    from hcc_recurrence.files import write_csv

    labels, number = read_labels(snakemake.input[0]), int(snakemake.wildcards.permutation)
    # Copy 0 keeps the real outcomes: what a method finds in them with what it does on the copies.
    write_csv(permute_outcome(labels, snakemake.params.seed + number) if number else labels, snakemake.output[0])
