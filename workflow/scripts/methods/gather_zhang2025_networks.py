"""The slice-level table, the models of the 3D networks, and a description of all networks of Zhang 2025."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"zhang2025 on {snakemake.wildcards.cohort}"):
    import pandas as pd

    from hcc_recurrence.figures.html import write_html
    from hcc_recurrence.figures.performance import plot_roc
    from hcc_recurrence.figures.style import save_figure
    from hcc_recurrence.figures.table_pages import write_table
    from hcc_recurrence.files import read_csv, write_csv
    from hcc_recurrence.learning.network_scores import choose_networks, describe_networks, read_fits
    from hcc_recurrence.learning.predictions import COLUMNS
    from hcc_recurrence.methods.zhang2025.networks import slice_rows, slice_table, volume_predictions
    from hcc_recurrence.networks.build import build_network, takes_images_alone
    from hcc_recurrence.networks.resnet import parameter_count

    params, output, asked = snakemake.params, snakemake.output, snakemake.input
    labels, split = read_csv(asked.labels), read_csv(asked.split)
    alone = {n: takes_images_alone(network["architecture"]) for n, network in params.networks.items()}
    slices, volumes = ([n for n in alone if alone[n] == kind] for kind in (True, False))
    rows = slice_rows(read_fits(asked.scores), labels, split, slices)
    table = slice_table(rows)
    note = (
        "Single images, ten a patient. Strict: training images out of fold, others by the networks of all training "
        "patients. As published: the network whose epoch the validation patients chose. auc_low, auc_high: 95 % "
        "interval that takes the images of a patient together (Obuchowski 1997), also in the figure; low_images, "
        "high_images: DeLong's, as if each image were a patient of its own, which is what the paper prints. Cut-off: "
        "Youden on the training images."
    )
    write_table("slices", table, note, params, output)
    for protocol in ("strict", "as_published"):
        figure = plot_roc(rows, table, protocol, None, slices, unit="images")
        save_figure(figure, output[f"roc_images_{protocol}"], params.figures, params.mark)
    histories = read_fits(asked.histories)
    chosen = choose_networks(histories[histories["model"].isin(volumes)])
    predictions = pd.DataFrame(columns=list(COLUMNS))
    if volumes:
        predictions = volume_predictions(labels, split, read_fits(asked.volumes), chosen, params.seed)
    write_csv(predictions, output.predictions)
    everything = choose_networks(histories[histories["model"].isin(slices)])
    # The network of DL_2.5D is chosen by the scores of images out of fold: see the table of chosen learners.
    everything = pd.concat([everything.assign(chosen=False), chosen])
    sizes = {
        n: parameter_count(build_network({**v, "weights": ""}, len(params.phases), (1, 1, 1), alone[n]))
        for n, v in params.networks.items()
    }
    described = describe_networks(everything, params.networks, sizes).rename(
        columns={"chosen for DL (strict)": "chosen for DL_3D (strict)"}
    )
    # Its loss is not weighted: what chance has depends on the outcomes.
    described = described.drop(columns="fits better than chance")
    write_csv(described, output.networks_csv)
    note = (
        "Inner loss: cross-entropy of the early-stopping set in the epoch that was kept. Median "
        "over the fits of all folds and seeds; networks that leave two folds out are not counted."
    )
    write_html(described.round(3), params.title, output.networks_html, note, mark=params.mark)
