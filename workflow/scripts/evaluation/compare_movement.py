"""Differences between methods beside what another seed moves."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"{snakemake.wildcards.scheme} on {snakemake.wildcards.cohort}"):
    from hcc_recurrence.figures.html import readable, write_html
    from hcc_recurrence.files import read_csv, write_csv
    from hcc_recurrence.statistics.movement import beside_differences

    params, output = snakemake.params, snakemake.output
    movements = {paper: read_csv(file) for paper, file in zip(params.papers, snakemake.input.movements, strict=True)}
    found = beside_differences(read_csv(snakemake.input.delong), movements, params.main, params.without_network)
    write_csv(found, output.csv)
    within = int(found["verdict"].str.startswith("no larger").sum())
    note = (
        f"{within} of {len(found)} differences between methods are no larger than what another seed moves the AUC of "
        "a network: such a difference says no more of the methods than the chance of one training. What to do: train "
        "several seeds (network_repeats), whose mean and standard deviation the tables then have. The mean of several "
        "networks' probabilities is another model, and is named as one (Cui 2022: ensemble)."
    )
    write_html(readable(found), params.title, output.html, note, mark=params.mark)
