"""Fit DSFR, DSFR-C, the model of visual findings and the Cox nomogram in all fits of one protocol and repeat."""

import json
from pathlib import Path

from hcc_recurrence.job import job_log

wildcards, params = snakemake.wildcards, snakemake.params
with job_log(snakemake.log[0], f"wang2022 on {wildcards.cohort}, {wildcards.protocol}, repeat {wildcards.repeat}"):
    import pandas as pd

    from hcc_recurrence.cohort.sheets import clinical_table
    from hcc_recurrence.files import read_csv, write_csv
    from hcc_recurrence.learning.predictions import outcome_of, rows_of_fits
    from hcc_recurrence.papers.wang2022 import (
        NOMOGRAM,
        choice_rows,
        clinical_tables,
        deep_table,
        fit_all,
        fits_of_repeat,
        weight_rows,
    )
    from hcc_recurrence.papers.wang2022_nomogram import fit_nomogram

    output, protocol, settings = snakemake.output, wildcards.protocol, params.settings
    labels, split = read_csv(snakemake.input.labels), read_csv(snakemake.input.split)
    patients = list(split["patient_id"])
    features = [pd.read_parquet(f"{folder}/features.parquet") for folder in snakemake.input.features]
    deep = deep_table(features, params.phases, patients)
    raw = clinical_table(Path(params.sheet), params.definitions, params.missing_codes, patients)
    clinical, visual, drawing = clinical_tables(raw, params.definitions, settings)
    outcome, seed = outcome_of(labels), params.seed + int(wildcards.repeat)
    probabilities, held, choices, weights, tables, drawn = [], [], [], [], [], []
    for fit in fits_of_repeat(split, protocol, int(wildcards.repeat)):
        about = {"protocol": protocol, "repeat": fit.repeat, "fold": fit.fold}
        fitted = fit_all(fit, deep, clinical, visual, outcome, settings, params.phases, protocol, seed)
        integrated = fit_nomogram(fitted, clinical, labels, drawing, settings["cox_p"], params.horizon)
        wide = pd.DataFrame({model: one.probability for model, one in fitted.signatures.items()})
        wide[NOMOGRAM] = integrated.risk
        for part, members in (("learned", fit.rows), ("unseen", fit.unseen)):
            probabilities.append(wide.loc[members].rename_axis("patient_id").reset_index().assign(part=part, **about))
        for model, one in fitted.signatures.items():
            y = outcome.loc[fit.rows].to_numpy()
            held.append(pd.DataFrame({**about, "model": model, "y": y, "probability": one.out_of_fold}))
        choices += choice_rows(fitted, protocol)
        weights += weight_rows(fitted, protocol)
        tables.append(integrated.table.assign(**about))
        drawn.append({**about, **integrated.drawn()})
        print(f"fold {fit.fold}: DSFR of {fitted.phases}, {len(fit.rows)} patients learn")
    models = [*fitted.signatures, NOMOGRAM]
    write_csv(rows_of_fits(pd.concat(probabilities), models, labels, split, params.seed), output.predictions)
    write_csv(pd.concat(held), output.out_of_fold)
    write_csv(pd.DataFrame(choices), output.choices)
    write_csv(pd.DataFrame(weights), output.weights)
    write_csv(pd.concat(tables), output.hazards)
    Path(output.drawn).write_text(json.dumps(drawn, indent=1) + "\n")
