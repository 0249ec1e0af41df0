"""Draw the ROC curves of a study."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"{snakemake.wildcards.paper} on {snakemake.wildcards.cohort}"):
    from hcc_recurrence.figures.performance import plot_roc
    from hcc_recurrence.figures.style import save
    from hcc_recurrence.files import read_csv

    best = snakemake.input.best_auc
    figure = plot_roc(
        read_csv(snakemake.input.predictions),
        read_csv(snakemake.input.metrics),
        snakemake.wildcards.protocol,
        float(read_csv(best[0])["best_auc"][0]) if best else None,
    )
    save(figure, snakemake.output.png, snakemake.output.svg)
