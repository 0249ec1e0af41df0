"""Solve every printed row of a metrics table for its counts."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"{snakemake.wildcards.paper} on {snakemake.wildcards.cohort}"):
    import pandas as pd

    from hcc_recurrence.files import write_csv
    from hcc_recurrence.statistics.count_solver import check_printed_table

    printed = pd.read_csv(snakemake.input[0], dtype=str, keep_default_na=False)
    checked = check_printed_table(printed)
    write_csv(checked, snakemake.output[0])
    print(f"{len(checked)} rows fit their counts, {(checked['solutions'] == 1).sum()} of them no others")
