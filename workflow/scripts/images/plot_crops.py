"""Draw what a network sees of some patients."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"cohort {snakemake.wildcards.cohort}"):
    import numpy as np

    from hcc_recurrence.figures.crops import plot_crops, plot_views
    from hcc_recurrence.figures.style import save_figure
    from hcc_recurrence.networks.examples import load_images

    params = snakemake.params
    with np.load(snakemake.input[0], allow_pickle=False) as stack:
        phases = stack["phases"].tolist()
    images, masks = load_images(snakemake.input[0], phases, params.patients)
    title = f"{params.title}: input of networks ({snakemake.wildcards.crop}), page {snakemake.wildcards.page}"
    if params.views:
        figure = plot_views(images, masks, params.patients, phases, params.views, title)
    else:
        figure = plot_crops(images, masks, params.patients, phases, title)
    save_figure(figure, snakemake.output.figure, params.figures)
