"""Draw the ROC curves of a study, in both protocols: of its models, and of their variants."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"{snakemake.wildcards.paper} on {snakemake.wildcards.cohort}"):
    from hcc_recurrence.endpoint import use_endpoint
    from hcc_recurrence.figures.performance import plot_roc
    from hcc_recurrence.figures.style import save_figure
    from hcc_recurrence.files import read_best_auc, read_csv
    from hcc_recurrence.learning.predictions import main_models

    use_endpoint(snakemake.params.endpoint)
    predictions = read_csv(snakemake.input.predictions)
    metrics = read_csv(snakemake.input.metrics)
    best = read_best_auc(snakemake.input.best_auc)
    whole = main_models(predictions, snakemake.params.main)
    panels = {"models": whole}
    # A method without variants has no such figure: it would be that of its models once more.
    if hasattr(snakemake.output, "variants_strict"):
        panels["variants"] = sorted(set(predictions["model"]) - set(whole)) or whole
    for protocol in ("strict", "as_published"):
        for name, shown in panels.items():
            figure = plot_roc(predictions, metrics, protocol, best, shown, shown is not whole)
            save_figure(
                figure,
                snakemake.output[f"{name}_{protocol}"],
                snakemake.params.figures,
                snakemake.params.mark,
            )
