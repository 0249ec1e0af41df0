"""Grad-CAM of SS beside NSS for the same patients, and the share of it inside the tumour."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"cui2022 on {snakemake.wildcards.cohort}"):
    import numpy as np
    import pandas as pd
    import torch

    from hcc_recurrence.endpoint import use_endpoint
    from hcc_recurrence.figures.activation import plot_activation
    from hcc_recurrence.figures.relevance import NOBODY, plot_relevance
    from hcc_recurrence.figures.style import save_figure
    from hcc_recurrence.figures.table_pages import write_table
    from hcc_recurrence.files import read_csv
    from hcc_recurrence.learning.predictions import explained_patients
    from hcc_recurrence.methods.cui2022.declare import SEGMENTED
    from hcc_recurrence.methods.cui2022.fit import compare_shares, relevance_share
    from hcc_recurrence.networks.box_cam import box_cam
    from hcc_recurrence.networks.build import build_network
    from hcc_recurrence.networks.examples import load_images
    from hcc_recurrence.networks.training import load_weights

    words = use_endpoint(snakemake.params.endpoint)
    params, output, asked = snakemake.params, snakemake.output, snakemake.input
    torch.set_num_threads(snakemake.threads)
    split = read_csv(asked.split).set_index("patient_id")
    training = split.index[split["split"] == "train"]
    files = dict(zip([(n, f) for n in params.networks for f in params.folds], asked.networks, strict=True))
    maps, pictures, masks, table = {}, {}, {}, pd.DataFrame(index=training)
    for network, crops in zip(params.networks, asked.crops, strict=True):
        for fold in params.folds:
            held = list(training[split.loc[training, "fold_1"] == fold])
            images, outlines = load_images(crops, params.phases, held)
            made = build_network({"architecture": "cui3d", "weights": ""}, 1, images.shape[2:], False)
            about = load_weights(made, files[network, fold])
            if {*about["fitted"], *about["inner"]} & set(held):
                raise ValueError(f"the {network} network of fold {fold} was trained with patients of that fold")
            found = box_cam(made.network, made.scaled(torch.from_numpy(images))).numpy()
            table.loc[held, network] = relevance_share(found, outlines)
            area = (outlines > 0).any(axis=1).mean(axis=(1, 2))
            table.loc[held, "tumour_area"] = area
            for patient, one, image, mask in zip(held, found, images, outlines, strict=True):
                middle = image.shape[1] // 2
                maps[patient, network] = one / max(float(one.max()), 1e-12)
                pictures[patient, network], masks[patient] = image[0, middle], mask[middle]
    test = compare_shares(table)
    shown = table.rename_axis("patient_id").reset_index()
    note = (
        f"Fraction of the positive relevance (Grad-CAM at the last pooling, {words.name}) inside the tumour, seen "
        "from above. tumour area: its fraction of the box, which a map without any preference would have. "
    )
    if test["n"]:
        note += (
            f"{test['n']} patients with both maps: median SS {test['median_ss']:.3f}, NSS {test['median_nss']:.3f}, "
            f"difference {test['median_difference']:.3f}, Wilcoxon P {test['p']:.3g}."
        )
    else:
        note += NOBODY.replace("\n", " ")
    write_table("relevance", shown, note, params, output)
    figure = plot_relevance(table, test, params.title)
    save_figure(figure, output.relevance, params.figures, params.mark)
    chosen = explained_patients(read_csv(asked.predictions), SEGMENTED)
    ordered = list(chosen["patient_id"])
    figure = plot_activation(
        chosen,
        np.array([[pictures[p, n] for n in params.networks] for p in ordered]),
        np.array([masks[p] for p in ordered]),
        [[maps[p, n] for n in params.networks] for p in ordered],
        list(params.networks),
        f"{params.title}: central slice of the box",
        "Grad-CAM",
    )
    save_figure(figure, output.grad_cam, params.figures, params.mark)
