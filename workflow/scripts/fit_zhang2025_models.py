"""Fit the clinical and combined models of Zhang 2025 in every fit, and gather all predictions but those of DL_3D."""

import json
from pathlib import Path

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"zhang2025 on {snakemake.wildcards.cohort}"):
    import pandas as pd

    from hcc_recurrence.cohort.sheets import clinical_table
    from hcc_recurrence.figures.html import readable, write_html
    from hcc_recurrence.files import read_csv, write_csv
    from hcc_recurrence.learning.clinical import timing_note
    from hcc_recurrence.learning.predictions import rows_of_fits
    from hcc_recurrence.learning.regressions import regression_table
    from hcc_recurrence.methods.zhang2025.declare import SIGNATURE
    from hcc_recurrence.methods.zhang2025.models import fit_models
    from hcc_recurrence.methods.zhang2025.signature import fits_of

    params, output, asked = snakemake.params, snakemake.output, snakemake.input
    labels, split = read_csv(asked.labels), read_csv(asked.split)
    patients = list(split["patient_id"])
    clinical = clinical_table(params.sheet, params.definitions, params.missing_codes, patients)
    signature = pd.concat([read_csv(f) for f in asked.signature]) if asked.signature else None
    found = fit_models(
        fits_of(split, params.repeats),
        signature,
        clinical,
        params.definitions,
        labels,
        split,
        params.settings,
        params.resamples,
        params.seed,
    )
    parts = [rows_of_fits(found.probabilities, found.models, labels, split, params.seed)]
    if signature is not None:
        models = [c for c in signature.columns if c.startswith(SIGNATURE)]
        parts.append(rows_of_fits(signature, models, labels, split, params.seed))
    write_csv(pd.concat(parts), output.predictions)
    table = regression_table(found.regressions, {SIGNATURE: f"{SIGNATURE} (per 0.1)"})
    write_csv(table, output.csv)
    left = {"no_variable": "no clinical variable", "candidates": "all of the first step"}
    left = left[params.settings["none_significant"]]
    note = (
        f"Variables with a univariable P < {params.settings['clinical_p']:g} and such a P in the multivariable model; "
        f"{left} where none is left (none_significant). "
        "Logistic regression; the paper's Table 2 is a linear regression of "
        "the 0/1 outcome, exponentiated, with 90 % intervals. Odds ratios of the fit on all training patients; fits: "
        "share of all fits whose model has the variable. vif, tolerance: among the variables of the combined model."
        + (f"{after} Preoperative models leave these out." if (after := timing_note(params.definitions)) else "")
    )
    write_html(readable(table), params.title, output.html, note, mark=params.mark)
    Path(output.drawn).write_text(json.dumps(found.drawn, indent=1) + "\n")
    write_csv(found.curves, output.curves)
