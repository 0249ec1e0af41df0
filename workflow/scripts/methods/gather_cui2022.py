"""Predictions of both networks of Cui 2022, and what they are."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"cui2022 on {snakemake.wildcards.cohort}"):
    from hcc_recurrence.figures.html import write_html
    from hcc_recurrence.files import read_csv, write_csv
    from hcc_recurrence.learning.network_scores import choose_networks, describe_networks, read_fits
    from hcc_recurrence.methods.cui2022.fit import network_predictions
    from hcc_recurrence.networks.build import build_network
    from hcc_recurrence.networks.resnet import parameter_count

    params, output, asked = snakemake.params, snakemake.output, snakemake.input
    labels, split, scores = read_csv(asked.labels), read_csv(asked.split), read_fits(asked.scores)
    write_csv(network_predictions(labels, split, scores, params.seed), output.predictions)
    choices = choose_networks(read_fits(asked.histories))
    sizes = {n: parameter_count(build_network(v, 1, params.shapes[n], False)) for n, v in params.networks.items()}
    # Nothing is chosen between the two.
    table = describe_networks(choices, params.networks, sizes).drop(columns="chosen for DL (strict)")
    write_csv(table, output.networks_csv)
    note = (
        "Inner loss: weighted cross-entropy of the early-stopping set, 0.693 for a network "
        "that knows nothing; better than chance: below 0.683. Median over all folds."
    )
    write_html(table.round(3), params.title, output.networks_html, note, mark=params.mark)
