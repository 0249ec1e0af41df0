"""Draw the coefficients of one model, in both protocols."""

from hcc_recurrence.job import job_log

wildcards = snakemake.wildcards
with job_log(snakemake.log[0], f"zhao2024 on {wildcards.cohort}"):
    from hcc_recurrence.endpoint import use_endpoint
    from hcc_recurrence.figures.coefficients import plot_coefficients
    from hcc_recurrence.figures.style import save_figure
    from hcc_recurrence.files import read_csv

    use_endpoint(snakemake.params.endpoint)
    coefficients = read_csv(snakemake.input[0])
    for protocol in ("strict", "as_published"):
        figure = plot_coefficients(coefficients, protocol, wildcards.model)
        save_figure(
            figure, snakemake.output[f"coefficients_{protocol}"], snakemake.params.figures, snakemake.params.mark
        )
