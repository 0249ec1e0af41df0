"""Draw the calibration of a study, in both protocols."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"{snakemake.wildcards.paper} on {snakemake.wildcards.cohort}"):
    from hcc_recurrence.figures.performance import plot_calibration
    from hcc_recurrence.figures.style import save
    from hcc_recurrence.files import read_csv
    from hcc_recurrence.learning.predictions import main_models

    predictions = read_csv(snakemake.input.predictions)
    for protocol in ("strict", "as_published"):
        figure = plot_calibration(
            predictions, protocol, main_models(predictions), snakemake.params.resamples, snakemake.params.seed
        )
        save(figure, snakemake.output[protocol], snakemake.output[f"{protocol}_svg"], snakemake.params.mark)
