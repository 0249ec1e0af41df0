"""Fit DL_2.5D of Zhang 2025 on the training patients outside one fold."""

from hcc_recurrence.job import job_log

wildcards = snakemake.wildcards
with job_log(snakemake.log[0], f"zhang2025 on {wildcards.cohort}, fit {wildcards.fit}"):
    import pandas as pd

    from hcc_recurrence.cohort.fit import Fit
    from hcc_recurrence.files import read_csv, write_csv
    from hcc_recurrence.learning.folds import outer_fit
    from hcc_recurrence.learning.network_scores import read_fits
    from hcc_recurrence.methods.zhang2025.signature import fit_fusion
    from hcc_recurrence.radiomics.tables import join_phases

    params, output, asked = snakemake.params, snakemake.output, snakemake.input
    labels, split = read_csv(asked.labels), read_csv(asked.split)
    tables = dict(zip(params.phases, map(pd.read_parquet, asked.radiomics), strict=True))
    radiomics = join_phases(tables, list(split["patient_id"]), params.reader).values
    found = fit_fusion(
        read_fits(asked.scores),
        labels,
        split,
        radiomics,
        params.settings,
        outer_fit(split, Fit.parse(wildcards.fit)),
        params.seed,
    )
    write_csv(found.probabilities, output.probabilities)
    write_csv(pd.DataFrame(found.choices), output.choices)
    write_csv(pd.DataFrame(found.steps), output.steps)
