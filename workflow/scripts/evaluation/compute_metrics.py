"""Compute the metrics of a study from its predictions."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"{snakemake.wildcards.paper} on {snakemake.wildcards.cohort}"):
    from hcc_recurrence.endpoint import use_endpoint
    from hcc_recurrence.figures.html import metrics_for_readers, write_html
    from hcc_recurrence.files import read_best_auc, read_csv, write_csv
    from hcc_recurrence.statistics.classification import metrics_table

    use_endpoint(snakemake.params.endpoint)
    metrics = metrics_table(read_csv(snakemake.input.predictions))
    write_csv(metrics, snakemake.output.csv)
    best = read_best_auc(snakemake.input.best_auc)
    table, note = metrics_for_readers(metrics, best)
    write_csv(table, snakemake.output.printed)
    write_html(table, snakemake.params.title, snakemake.output.html, note, mark=snakemake.params.mark)
