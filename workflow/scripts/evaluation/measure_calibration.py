"""Calibration measures of every model."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"{snakemake.wildcards.paper} on {snakemake.wildcards.cohort}"):
    from hcc_recurrence.figures.html import readable, write_html
    from hcc_recurrence.files import read_csv, write_csv
    from hcc_recurrence.statistics.measures import calibration_table

    table = calibration_table(read_csv(snakemake.input.predictions))
    write_csv(table, snakemake.output.csv)
    note = (
        "Slope 1 and intercept 0 are ideal; ICI is the mean distance between predicted and smoothed observed risk. "
        "Hosmer-Lemeshow (hl): a small P speaks against the predicted risks; a large P shows nothing, least of all in "
        "few patients, and a larger chi-square is worse, not better."
    )
    write_html(readable(table), snakemake.params.title, snakemake.output.html, note, mark=snakemake.params.mark)
