"""Grad-CAM of two patients who were called right, and of everyone whose wrong call was a confident one."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"zhang2025 on {snakemake.wildcards.cohort}"):
    import numpy as np
    import pandas as pd
    import torch

    from hcc_recurrence.endpoint import use_endpoint
    from hcc_recurrence.figures.activation import plot_activation
    from hcc_recurrence.figures.style import save_figure
    from hcc_recurrence.files import read_csv, write_csv
    from hcc_recurrence.imaging.view_names import parse_view
    from hcc_recurrence.methods.zhang2025.declare import SIGNATURE
    from hcc_recurrence.methods.zhang2025.networks import explained_patients
    from hcc_recurrence.methods.zhang2025.signature import chosen_networks
    from hcc_recurrence.networks.examples import load_images
    from hcc_recurrence.networks.grad_cam import grad_cam
    from hcc_recurrence.networks.slice_network import SliceNetwork
    from hcc_recurrence.networks.training import load_weights

    use_endpoint(snakemake.params.endpoint)
    params, output, asked = snakemake.params, snakemake.output, snakemake.input
    torch.set_num_threads(snakemake.threads)
    chosen = explained_patients(pd.concat(map(read_csv, asked.predictions)), SIGNATURE, params.confident)
    names = chosen_networks(read_csv(asked.choices))
    chosen["network"] = [names[fold] for fold in chosen["fold"]]
    files = dict(zip(params.files, asked.networks, strict=True))
    images, masks = load_images(asked.crops, params.phases, list(chosen["patient_id"]))
    shown = [params.views.index(view) for view in params.shown if view in params.views]
    maps, layers = [], []
    for row, image in zip(chosen.itertuples(), torch.from_numpy(images), strict=True):
        network = SliceNetwork(params.networks[row.network]["architecture"])
        about = load_weights(network, files[f"{row.network}.{row.fold}"])
        if row.patient_id in {*about["fitted"], *about["inner"]}:
            raise ValueError(f"the network of fold {row.fold} was trained with {row.patient_id}")
        # (phase, view, y, x) to one example a view.
        layers.append(network.explained_layer(min(image.shape[-2:])))
        maps.append(grad_cam(network, image.transpose(0, 1)[shown].unsqueeze(2)).numpy())
    write_csv(chosen.assign(layer=layers), output.csv)
    titles = [f"{plane} {n:+d}" if n else plane for plane, n in (parse_view(params.views[i]) for i in shown)]
    figure = plot_activation(
        chosen,
        images[:, 0][:, shown],
        np.asarray(masks)[:, shown],
        maps,
        titles,
        f"{params.title}: {params.phases[0]} phase",
        "Grad-CAM",
    )
    save_figure(figure, output.grad_cam, params.figures, params.mark)
