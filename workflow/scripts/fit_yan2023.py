"""Keep everything of one fit of Yan 2023: the chosen cells, the fusion and the nomograms."""

from pathlib import Path

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"{snakemake.wildcards.fit} of yan2023 on {snakemake.wildcards.cohort}"):
    import pandas as pd

    from hcc_recurrence.cohort.fit import Fit
    from hcc_recurrence.cohort.sheets import clinical_table
    from hcc_recurrence.files import read_csv
    from hcc_recurrence.methods.yan2023.fit import Data, fit

    params, asked = snakemake.params, snakemake.input
    split = read_csv(asked.split)
    # Both file names begin with what they are of: <network>.<phase> and <phase>.<selector>.
    ranks = {tuple(Path(file).name.split(".")[:2]): pd.read_parquet(file) for file in asked.ranks}
    data = Data(
        features={Path(file).name.split(".")[-2]: pd.read_parquet(file) for file in asked.features},
        clinical=clinical_table(params.sheet, params.definitions, params.missing_codes, list(split["patient_id"])),
        definitions=params.definitions,
        labels=read_csv(asked.labels),
        split=split,
        ranks=ranks,
        chosen=read_csv(asked.chosen),
        fused=read_csv(asked.fused),
        network=params.network,
    )
    fitted, _ = fit(data, Fit.parse(snakemake.wildcards.fit), params.settings, params.seed)
    fitted.save(Path(snakemake.output[0]))
    print(f"{', '.join(fitted.models)}: learned from {len(fitted.learned)} patients")
