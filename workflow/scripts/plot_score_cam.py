"""Score-CAM of the patients that a network was most certain of, right and wrong."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"zhao2024 on {snakemake.wildcards.cohort}"):
    import pandas as pd
    import torch

    from hcc_recurrence.figures.activation import plot_activation
    from hcc_recurrence.figures.style import save
    from hcc_recurrence.files import read_csv, write_csv
    from hcc_recurrence.learning.network_scores import choose_patients, read_fits
    from hcc_recurrence.networks.examples import load_images
    from hcc_recurrence.networks.phase_network import PhaseNetwork
    from hcc_recurrence.networks.score_cam import score_cam
    from hcc_recurrence.networks.training import load_weights

    params, output, asked = snakemake.params, snakemake.output, snakemake.input
    torch.set_num_threads(snakemake.threads)
    scores = [read_fits([file]) for file in asked.scores]
    chosen = choose_patients(pd.concat(scores, ignore_index=True), read_csv(asked.labels))
    write_csv(chosen, output.csv)
    by_fold = {int(table["fold"].iloc[0]): file for table, file in zip(scores, asked.networks, strict=True)}
    images, masks = load_images(asked.crops, params.phases, list(chosen["patient_id"]))
    maps = []
    for row, image in zip(chosen.itertuples(), torch.from_numpy(images), strict=True):
        network = PhaseNetwork(params.architecture, len(params.phases), image.shape[1])
        about = load_weights(network, by_fold[row.fold])
        if row.patient_id in {*about["fitted"], *about["inner"]}:
            raise ValueError(f"the network of fold {row.fold} was trained with {row.patient_id}")
        maps.append([score_cam(network, image, phase).numpy() for phase in range(len(params.phases))])
    middle = images.shape[2] // 2
    figure = plot_activation(chosen, images[:, :, middle], masks[:, middle], maps, params.phases, params.title)
    save(figure, output.figure, output.figure_svg, params.mark)
