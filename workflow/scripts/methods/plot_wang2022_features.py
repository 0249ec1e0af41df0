"""Maps of the deep features with the largest weights in DSFR."""

from pathlib import Path

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"wang2022 on {snakemake.wildcards.cohort}"):
    import numpy as np
    import torch

    from hcc_recurrence.endpoint import use_endpoint
    from hcc_recurrence.figures.segmentation import plot_feature_maps
    from hcc_recurrence.figures.style import save_figure
    from hcc_recurrence.files import read_csv
    from hcc_recurrence.learning.predictions import explained_patients
    from hcc_recurrence.methods.wang2022.declare import SIGNATURE
    from hcc_recurrence.methods.wang2022.tables import explained_features
    from hcc_recurrence.networks.training import load_weights
    from hcc_recurrence.networks.unet import build_unet, feature_maps

    use_endpoint(snakemake.params.endpoint)
    params, output, asked = snakemake.params, snakemake.output, snakemake.input
    torch.set_num_threads(snakemake.threads)
    networks = {}
    for phase, file in zip(params.phases, asked.networks, strict=True):
        networks[phase] = build_unet(params.channels)
        load_weights(networks[phase], file)
    features = explained_features(read_csv(asked.weights), params.number)
    patients = explained_patients(read_csv(asked.predictions), SIGNATURE)
    pictures = {}
    for folder in asked.features:
        with np.load(Path(folder, "outlines.npz"), allow_pickle=False) as stored:
            wanted = [f"{p}.{phase}" for p in patients["patient_id"] for phase in params.phases]
            pictures.update({name: stored[name] for name in wanted if name in stored.files})
    maps = {}
    for patient in patients["patient_id"]:
        for phase in params.phases:
            own = [name.split("__")[1] for name in features["variable"] if name.startswith(f"{phase}__")]
            if own:
                found = feature_maps(networks[phase], pictures[f"{patient}.{phase}"][0], own)
                maps.update({(patient, f"{phase}__{name}"): one for name, one in found.items()})
    figure = plot_feature_maps(patients, features, pictures, maps, f"{params.title}: DSFR")
    save_figure(figure, output.feature_maps, params.figures, params.mark)
