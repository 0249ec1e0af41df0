"""The number of features that each selection step of Zhao 2024 left, over all fits."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"zhao2024 on {snakemake.wildcards.cohort}"):
    from hcc_recurrence.figures.html import write_html
    from hcc_recurrence.files import read_csv
    from hcc_recurrence.methods.zhao2024.fit import summarise_selection

    table = summarise_selection(read_csv(snakemake.input[0]))
    table["protocol"] = table["protocol"].str.replace("_", " ")
    write_html(table, snakemake.params.title, snakemake.output[0], mark=snakemake.params.mark)
