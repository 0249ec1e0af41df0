"""Choose the cell of each phase in both protocols, fuse the phases, and write the tables of the grid."""

from pathlib import Path

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"yan2023 on {snakemake.wildcards.cohort}"):
    import pandas as pd

    from hcc_recurrence.figures.table_pages import write_table
    from hcc_recurrence.files import read_csv, write_csv
    from hcc_recurrence.methods.yan2023 import signatures as yan2023

    params, output, asked = snakemake.params, snakemake.output, snakemake.input
    labels, split = read_csv(asked.labels), read_csv(asked.split)
    scores, choices = (pd.concat([read_csv(f) for f in files]) for files in (asked.scores, asked.choices))
    steps = pd.concat([read_csv(file).assign(phase=Path(file).name.split(".")[0]) for file in asked.steps])
    chosen = yan2023.choose_signatures(scores, choices, labels, split, params.settings)
    write_csv(chosen, output.chosen)
    fused = yan2023.fuse(scores, chosen, labels, params.settings)
    write_csv(fused, output.fused)
    tables = {
        "grid": (
            yan2023.grid_table(scores, choices, chosen, labels, split),
            "AUC with DeLong interval of every ranking and classifier; out of fold the mean over folds. chosen strict: "
            "fraction of the fits whose inner cross-validation chose the cell. k: features, median over the fits.",
        ),
        "choices": (
            yan2023.choices_table(chosen, steps),
            "The fit on all training patients. Strict: the cell with the highest AUC by cross-validation inside the "
            "rows that learn; as published: the cell with the highest AUC on the validation patients. The paper's own "
            "outcome: GP for all phases, 99 features by RFE (AP), 93 (PVP) and 99 (HBP) by Relief.",
        ),
        "signatures": (
            yan2023.signature_table(fused, labels),
            "Training patients; median (interquartile range). Strict: probabilities by inner cross-validation; as "
            "published: of the models that learned from the same patients. Odds ratios per 0.1, and per 1 as the paper "
            "prints them; Firth's where the signature separates the outcomes.",
        ),
    }
    for name, (table, note) in tables.items():
        write_table(name, table, note, params, output)
