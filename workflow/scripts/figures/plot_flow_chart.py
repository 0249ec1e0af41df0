"""Draw who is in the analysis."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"{snakemake.wildcards.paper} on {snakemake.wildcards.cohort}"):
    from hcc_recurrence.cohort.labels import read_labels
    from hcc_recurrence.endpoint import use_endpoint
    from hcc_recurrence.figures.flow_chart import plot_flow_chart
    from hcc_recurrence.figures.style import save_figure
    from hcc_recurrence.files import read_csv

    use_endpoint(snakemake.params.endpoint)
    labels = read_labels(snakemake.input.labels)
    figure = plot_flow_chart(labels, read_csv(snakemake.input.split), snakemake.params.title)
    save_figure(figure, snakemake.output.figure, snakemake.params.figures, snakemake.params.mark)
