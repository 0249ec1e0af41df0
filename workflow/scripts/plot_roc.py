"""Draw the ROC curves of a study, in both protocols: of its models, and of their variants."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"{snakemake.wildcards.paper} on {snakemake.wildcards.cohort}"):
    from hcc_recurrence.figures.performance import plot_roc
    from hcc_recurrence.figures.style import save
    from hcc_recurrence.files import read_best_auc, read_csv

    predictions = read_csv(snakemake.input.predictions)
    metrics = read_csv(snakemake.input.metrics)
    best = read_best_auc(snakemake.input.best_auc)
    models = sorted(predictions["model"].unique())
    whole = [m for m in models if " " not in m]
    variants = [m for m in models if " " in m]
    for protocol in ("strict", "as_published"):
        # Where a paper has no variants both figures show its models.
        for name, shown in (("models", whole), ("variants", variants or whole)):
            figure = plot_roc(predictions, metrics, protocol, best, shown)
            save(figure, snakemake.output[f"{name}_{protocol}"], snakemake.output[f"{name}_{protocol}_svg"])
