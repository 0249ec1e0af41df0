"""Draw the calibration of a study, in both protocols."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"{snakemake.wildcards.paper} on {snakemake.wildcards.cohort}"):
    from hcc_recurrence.endpoint import use_endpoint
    from hcc_recurrence.figures.performance import plot_calibration
    from hcc_recurrence.figures.style import save_figure
    from hcc_recurrence.figures.survival import plot_survival_calibration
    from hcc_recurrence.files import read_csv
    from hcc_recurrence.learning.predictions import main_models

    has_times = use_endpoint(snakemake.params.endpoint).has_times
    params = snakemake.params
    predictions = read_csv(snakemake.input.predictions)
    for protocol in ("strict", "as_published"):
        models = main_models(predictions, snakemake.params.main)
        figures = {protocol: plot_calibration(predictions, protocol, models, params.resamples, params.seed)}
        if has_times:
            figures[f"survival_{protocol}"] = plot_survival_calibration(
                predictions, protocol, models, params.horizon, params.resamples, params.seed
            )
        for name, figure in figures.items():
            save_figure(figure, snakemake.output[name], params.figures, params.mark)
