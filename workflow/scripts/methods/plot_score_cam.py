"""Score-CAM of the patients that a network was most certain of, right and wrong."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"zhao2024 on {snakemake.wildcards.cohort}"):
    from itertools import product

    import pandas as pd
    import torch

    from hcc_recurrence.cohort.fit import Fit
    from hcc_recurrence.endpoint import use_endpoint
    from hcc_recurrence.figures.activation import plot_activation
    from hcc_recurrence.figures.style import save_figure
    from hcc_recurrence.files import read_csv, write_csv
    from hcc_recurrence.learning.network_scores import choose_networks, choose_patients, read_fits
    from hcc_recurrence.methods.zhao2024.networks import chosen_network
    from hcc_recurrence.networks.examples import load_images
    from hcc_recurrence.networks.phase_network import PhaseNetwork
    from hcc_recurrence.networks.score_cam import score_cam
    from hcc_recurrence.networks.training import load_weights

    use_endpoint(snakemake.params.endpoint)
    params, output, asked = snakemake.params, snakemake.output, snakemake.input
    torch.set_num_threads(snakemake.threads)
    scores, labels = read_fits(asked.scores), read_csv(asked.labels)
    choices, names = choose_networks(read_fits(asked.histories)), list(params.networks)
    folds = dict.fromkeys(read_csv(file)["fit"].iloc[0] for file in asked.scores)
    files = dict(zip(product(names, folds), asked.networks, strict=True))
    # Of each fold the network that is DL there.
    best = {
        Fit.parse(f): chosen_network(labels, read_csv(asked.split), scores, choices, Fit.parse(f))[0] for f in folds
    }
    own = [scores[(scores["fit"] == str(fit)) & (scores["model"] == name)] for fit, name in best.items()]
    chosen = choose_patients(pd.concat(own, ignore_index=True), labels)
    by_fold = {fit.fold: (name, files[name, str(fit)]) for fit, name in best.items()}
    chosen["network"] = chosen["fold"].map({fold: name for fold, (name, _) in by_fold.items()})
    write_csv(chosen, output.csv)
    images, masks = load_images(asked.crops, params.phases, list(chosen["patient_id"]))
    maps = []
    for row, image in zip(chosen.itertuples(), torch.from_numpy(images), strict=True):
        name, file = by_fold[row.fold]
        network = PhaseNetwork(params.networks[name], len(params.phases), image.shape[1])
        about = load_weights(network, file)
        if row.patient_id in {*about["fitted"], *about["inner"]}:
            raise ValueError(f"the network of fold {row.fold} was trained with {row.patient_id}")
        maps.append([score_cam(network, image, phase).numpy() for phase in range(len(params.phases))])
    middle = images.shape[2] // 2
    figure = plot_activation(chosen, images[:, :, middle], masks[:, middle], maps, params.phases, params.title)
    save_figure(figure, output.score_cam, params.figures, params.mark)
