"""Fit the clinical and the DL nomogram of Yan 2023 in every fit."""

import json
from pathlib import Path

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"yan2023 on {snakemake.wildcards.cohort}"):
    from hcc_recurrence.cohort.sheets import clinical_table
    from hcc_recurrence.figures.html import readable, write_html
    from hcc_recurrence.files import read_csv, write_csv
    from hcc_recurrence.learning.clinical import timing_note
    from hcc_recurrence.learning.predictions import rows_of_fits
    from hcc_recurrence.learning.regressions import regression_table
    from hcc_recurrence.methods.yan2023.declare import FUSED
    from hcc_recurrence.methods.yan2023.nomograms import fit_nomograms

    params, output = snakemake.params, snakemake.output
    labels, split = read_csv(snakemake.input.labels), read_csv(snakemake.input.split)
    patients = list(split["patient_id"])
    clinical = clinical_table(params.sheet, params.definitions, params.missing_codes, patients)
    found = fit_nomograms(
        read_csv(snakemake.input.fused),
        clinical,
        params.definitions,
        labels,
        params.settings,
        params.resamples,
        params.seed,
    )
    write_csv(rows_of_fits(found.probabilities, found.models, labels, split, params.seed), output.predictions)
    table = regression_table(found.regressions, {FUSED: f"{FUSED} (per 0.1)"})
    write_csv(table, output.csv)
    note = (
        f"Forward selection by likelihood ratio (entry P < {params.settings['entry_p']:g}, removal P > "
        f"{params.settings['removal_p']:g}) of the variables with a univariable P < {params.settings['clinical_p']:g}; "
        "Firth's likelihood where the outcomes are separated. Odds ratios of the fit on all training patients; fits: "
        "share of all fits whose model has the variable. vif, tolerance: among the candidates, and among the variables "
        "of the model."
        + (f"{after} Preoperative models leave these out." if (after := timing_note(params.definitions)) else "")
    )
    write_html(readable(table), params.title, output.html, note, mark=params.mark)
    Path(output.drawn).write_text(json.dumps(found.drawn, indent=1) + "\n")
    write_csv(found.curves, output.curves)
