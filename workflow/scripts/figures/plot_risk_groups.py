"""Confusion matrices, waterfall and Kaplan-Meier curves of the main models, in both protocols."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"{snakemake.wildcards.paper} on {snakemake.wildcards.cohort}"):
    from hcc_recurrence.endpoint import use_endpoint
    from hcc_recurrence.figures.classification import plot_confusion, plot_waterfall
    from hcc_recurrence.figures.style import save_figure
    from hcc_recurrence.figures.survival import plot_kaplan_meier
    from hcc_recurrence.files import read_csv
    from hcc_recurrence.learning.predictions import main_models

    has_times = use_endpoint(snakemake.params.endpoint).has_times
    output, params = snakemake.output, snakemake.params
    predictions = read_csv(snakemake.input.predictions)
    models = main_models(predictions, snakemake.params.main)
    for protocol in ("strict", "as_published"):
        figures = {
            "confusion": plot_confusion(predictions, protocol, models),
            "waterfall": plot_waterfall(predictions, protocol, models),
        }
        if has_times:
            figures["kaplan_meier"] = plot_kaplan_meier(predictions, protocol, models, params.horizon, params.censored)
        for name, figure in figures.items():
            save_figure(figure, output[f"{name}_{protocol}"], params.figures, params.mark)
