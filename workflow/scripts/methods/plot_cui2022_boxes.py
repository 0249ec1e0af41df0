"""Draw the box of some patients with and without segmentation, side by side."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"cui2022 on {snakemake.wildcards.cohort}"):
    import numpy as np

    from hcc_recurrence.figures.crops import plot_crops
    from hcc_recurrence.figures.style import save_figure
    from hcc_recurrence.networks.examples import load_images

    params = snakemake.params
    boxes = [load_images(file, params.phases, params.patients) for file in snakemake.input]
    images = np.concatenate([image for image, _ in boxes], axis=1)
    title = f"{params.title}: boxes of Cui 2022"
    figure = plot_crops(images, boxes[0][1], params.patients, params.networks, title)
    save_figure(figure, snakemake.output.boxes, params.figures)
