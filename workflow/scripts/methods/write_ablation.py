"""The fusion of Zhao 2024 with all inputs and without each."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"zhao2024 on {snakemake.wildcards.cohort}"):
    from hcc_recurrence.figures.table_pages import write_table
    from hcc_recurrence.files import read_csv
    from hcc_recurrence.methods.zhao2024.networks import ablation_table

    table = ablation_table(read_csv(snakemake.input.metrics), read_csv(snakemake.input.pairs))
    note = (
        "difference and P: against DLRCR with all inputs, by a paired DeLong test on the same patients, not corrected."
    )
    write_table("ablation", table, note, snakemake.params, snakemake.output)
