"""Fit DL_2.5D of Zhang 2025 on the training patients outside one fold."""

from hcc_recurrence.job import job_log

wildcards = snakemake.wildcards
with job_log(snakemake.log[0], f"zhang2025 on {wildcards.cohort}, {wildcards.protocol}, fold {wildcards.fold}"):
    import pandas as pd

    from hcc_recurrence.files import read_csv, write_csv
    from hcc_recurrence.papers.zhang2025 import fit_fusion
    from hcc_recurrence.papers.zhang2025_networks import outer_fit, read_scores
    from hcc_recurrence.radiomics.tables import join_phases

    params, output, asked = snakemake.params, snakemake.output, snakemake.input
    labels, split = read_csv(asked.labels), read_csv(asked.split)
    radiomics = None
    if asked.radiomics:
        tables = dict(zip(params.phases, map(pd.read_parquet, asked.radiomics), strict=True))
        radiomics = join_phases(tables, list(split["patient_id"]), params.reader).values
    found = fit_fusion(
        read_scores(asked.scores),
        labels,
        split,
        radiomics,
        params.settings,
        wildcards.protocol,
        outer_fit(split, int(wildcards.repeat), int(wildcards.fold)),
        params.seed,
    )
    write_csv(found.probabilities, output.probabilities)
    write_csv(pd.DataFrame(found.choices), output.choices)
    write_csv(pd.DataFrame(found.steps), output.steps)
