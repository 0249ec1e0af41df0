"""Predictions of all networks of Zhao 2024, and which depth was chosen."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"zhao2024 on {snakemake.wildcards.cohort}"):
    from hcc_recurrence.figures.html import write_html
    from hcc_recurrence.files import read_csv, write_csv
    from hcc_recurrence.learning.network_scores import choose_networks, describe_networks, read_fits
    from hcc_recurrence.methods.zhao2024.networks import network_predictions
    from hcc_recurrence.networks.phase_network import PhaseNetwork
    from hcc_recurrence.networks.resnet import parameter_count

    params, output, asked = snakemake.params, snakemake.output, snakemake.input
    choices = choose_networks(read_fits(asked.histories))
    scores = read_fits([*asked.scores, *asked.fusions])
    predictions = network_predictions(read_csv(asked.labels), read_csv(asked.split), scores, choices, params.seed)
    write_csv(predictions, output.predictions)
    sizes = {
        n: parameter_count(PhaseNetwork(v["architecture"], len(params.phases))) for n, v in params.networks.items()
    }
    table = describe_networks(choices, params.networks, sizes)
    write_csv(table, output.networks_csv)
    note = (
        f"One shared backbone for {', '.join(params.phases)}. Inner loss: weighted cross-entropy on the "
        "early-stopping set, 0.693 for a network that knows nothing; better than chance: below 0.683. "
        "Median over the fits of all folds and repeats."
    )
    write_html(table.round(3), params.title, output.networks_html, note, mark=params.mark)
