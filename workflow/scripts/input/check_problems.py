"""Stop where the input has problems and patients with problems are not to be left out."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], "preflight"):
    from hcc_recurrence.files import read_csv
    from hcc_recurrence.problems import check_rows

    check_rows(read_csv(snakemake.input[0]), snakemake.params.keep_going, snakemake.input[0])
