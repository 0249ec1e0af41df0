"""Write the split of a cohort."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"cohort {snakemake.wildcards.cohort}"):
    from hcc_recurrence.cohort.labels import read_labels
    from hcc_recurrence.cohort.splits import make_split
    from hcc_recurrence.files import write_csv

    scheme = snakemake.params.scheme
    labels = read_labels(snakemake.input.labels)
    split = make_split(
        labels[~labels["patient_id"].isin(snakemake.params.left_out)],
        snakemake.params.assigned,
        scheme["validation_fraction"] if scheme["kind"] == "random" else 0.0,
        scheme["folds"],
        scheme["repeats"],
        snakemake.params.seed,
    )
    write_csv(split, snakemake.output[0])
