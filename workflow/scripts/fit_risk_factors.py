"""Logistic and Cox regression of the clinical variables on the training patients."""

import json
from pathlib import Path

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"{snakemake.wildcards.paper} on {snakemake.wildcards.cohort}"):
    from hcc_recurrence.cohort.sheets import clinical_table
    from hcc_recurrence.figures.html import readable, write_html
    from hcc_recurrence.files import read_csv, write_csv
    from hcc_recurrence.learning.clinical import timing_note
    from hcc_recurrence.learning.risk_factors import fit_risk_factors

    params = snakemake.params
    split = read_csv(snakemake.input.split)
    clinical = clinical_table(params.sheet, params.definitions, params.missing_codes, list(split["patient_id"]))
    found = fit_risk_factors(
        clinical,
        read_csv(snakemake.input.labels),
        split,
        params.definitions,
        params.settings,
        params.horizon,
        params.seed,
    )
    write_csv(found.table, snakemake.output.csv)
    write_csv(found.calibration, snakemake.output.calibration)
    models = {
        "logistic": found.logistic.to_dict() if found.logistic else None,
        "cox": found.cox.to_dict() if found.cox else None,
        "worked_patient": found.worked_patient,
        "worked_values": found.worked_values,
        "optimism": found.optimism.to_dict("records"),
    }
    Path(snakemake.output.models).write_text(json.dumps(models, indent=1) + "\n")
    note = (
        "Training patients only. Logistic: forward selection by likelihood ratio; Cox: stepwise by AIC, times censored "
        f"at {params.horizon:.1f} months. P values after a selection are too small: read them as a description. "
        "method: Wald, or Firth where the outcome is separated; vif, tolerance: collinearity; ph p: test of "
        "proportional hazards." + timing_note(params.definitions)
    )
    write_html(readable(found.table), params.title, snakemake.output.html, note, mark=params.mark)
