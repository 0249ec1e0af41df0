"""Draw the ROC curves of a study, in both protocols."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"{snakemake.wildcards.paper} on {snakemake.wildcards.cohort}"):
    from hcc_recurrence.figures.performance import plot_roc
    from hcc_recurrence.figures.style import save
    from hcc_recurrence.files import read_best_auc, read_csv

    predictions = read_csv(snakemake.input.predictions)
    metrics = read_csv(snakemake.input.metrics)
    best = read_best_auc(snakemake.input.best_auc)
    for protocol in ("strict", "as_published"):
        figure = plot_roc(predictions, metrics, protocol, best)
        save(figure, snakemake.output[protocol], snakemake.output[f"{protocol}_svg"])
