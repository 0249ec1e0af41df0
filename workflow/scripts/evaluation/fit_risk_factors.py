"""Logistic and Cox regression of the clinical variables on the training patients."""

import json
from pathlib import Path

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"{snakemake.wildcards.paper} on {snakemake.wildcards.cohort}"):
    from hcc_recurrence.cohort.sheets import clinical_table
    from hcc_recurrence.endpoint import use_endpoint
    from hcc_recurrence.figures.html import ratios_for_readers, write_html
    from hcc_recurrence.files import read_csv, write_csv
    from hcc_recurrence.learning.clinical import timing_note
    from hcc_recurrence.learning.risk_factor_steps import RULES, none_significant_note, panels_of
    from hcc_recurrence.learning.risk_factors import fit_risk_factors

    words = use_endpoint(snakemake.params.endpoint)
    params, rule = snakemake.params, snakemake.params.own["risk_factor_model"]
    split = read_csv(snakemake.input.split)
    clinical = clinical_table(params.sheet, params.definitions, params.missing_codes, list(split["patient_id"]))
    found = fit_risk_factors(
        clinical,
        read_csv(snakemake.input.labels),
        split,
        params.definitions,
        params.own,
        params.settings,
        params.horizon,
        params.seed,
    )
    write_csv(found.table, snakemake.output.csv)
    write_csv(found.calibration, snakemake.output.calibration)
    models = {
        "rule": rule,
        "logistic": found.logistic.to_dict() if found.logistic else None,
        "cox": found.cox.to_dict() if found.cox else None,
        "worked_patient": found.worked_patient,
        "worked_values": found.worked_values,
        "optimism": found.optimism.to_dict("records"),
    }
    Path(snakemake.output.models).write_text(json.dumps(models, indent=1) + "\n")
    other = (
        f"Not in the paper: the other regression, for comparison. Cox: times censored at {params.horizon:.1f} months."
        if words.has_times
        else "There is no Cox regression: the outcome has no times."
    )
    note = (
        f"Training patients only, in the study's own coding. As in the paper: {RULES[rule]}."
        f"{none_significant_note(found.table)} {other} P values after a selection are too small: read them as a "
        "description. Ratios of numbers are per unit. method: Wald, or Firth where the outcome is separated."
        + timing_note(params.definitions)
    )
    table = ratios_for_readers(panels_of(found.table, rule))
    title = f"Risk factors of {words.name}, {params.study}: {params.title}"
    write_html(table, title, snakemake.output.html, note, mark=params.mark)
