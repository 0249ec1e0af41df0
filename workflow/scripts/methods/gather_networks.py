"""Predictions of a method's networks, and what the networks are."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"{snakemake.rule} on {snakemake.wildcards.cohort}"):
    from importlib import import_module

    from hcc_recurrence.figures.html import write_html
    from hcc_recurrence.files import read_csv, write_csv
    from hcc_recurrence.learning.network_scores import choose_networks, describe_networks, read_fits
    from hcc_recurrence.methods.gathering import network_sizes

    params, output, asked = snakemake.params, snakemake.output, snakemake.input
    method, choices = import_module(params.module), choose_networks(read_fits(asked.histories))
    tables = read_csv(asked.labels), read_csv(asked.split), read_fits(asked.scores)
    write_csv(method.network_predictions(*tables, choices, params.seed), output.predictions)
    sizes = network_sizes(params.networks, len(params.phases), params.shapes)
    table, note = method.described(describe_networks(choices, params.networks, sizes), params.phases)
    write_csv(table, output.networks_csv)
    write_html(table.round(3), params.title, output.networks_html, note, mark=params.mark)
