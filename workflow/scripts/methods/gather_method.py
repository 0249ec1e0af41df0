"""One table of a method, all its fits one below the other."""

from hcc_recurrence.job import job_log

wildcards = snakemake.wildcards
with job_log(snakemake.log[0], f"{wildcards.paper} on {wildcards.cohort}"):
    from hcc_recurrence.files import write_csv
    from hcc_recurrence.methods.run import read_tables

    write_csv(read_tables(snakemake.input, wildcards.table), snakemake.output[0])
