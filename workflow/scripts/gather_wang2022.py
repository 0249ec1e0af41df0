"""What the fits of all repeats chose: settings, weights, hazard ratios, nomograms."""

import json
from pathlib import Path

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"wang2022 on {snakemake.wildcards.cohort}"):
    import pandas as pd

    from hcc_recurrence.figures.forest import plot_ratio_forest
    from hcc_recurrence.figures.html import readable, write_html
    from hcc_recurrence.figures.nomogram import plot_nomogram
    from hcc_recurrence.figures.style import save
    from hcc_recurrence.files import read_csv, write_csv
    from hcc_recurrence.methods.wang2022.nomogram import hazard_table
    from hcc_recurrence.statistics.nomogram import NomogramModel

    params, output, asked = snakemake.params, snakemake.output, snakemake.input
    tables = {k: pd.concat([read_csv(f) for f in asked[k]]) for k in ("choices", "weights", "hazards")}
    write_csv(tables["choices"], output.choices)
    note = (
        "What cross-validation inside each fit chose; fold 0: all training patients. features: deep ones; variables: "
        "all. C, max iter, tol: of the logistic regression. Features are selected anew inside each fold, "
        "unless a line above says otherwise. DSFR and DSFR-C take the phases whose model has the highest AUC."
    )
    write_html(readable(tables["choices"]), params.title, output.choices_html, note, mark=params.mark)

    weights = tables["weights"]
    whole = weights[(weights["repeat"] == 1) & (weights["fold"] == 0)].drop(columns=["repeat", "fold"])
    write_csv(weights, output.weights)
    note = (
        "Weights of the models of all training patients, of standardised variables; deep rank 1: the largest deep one."
    )
    write_html(readable(whole), params.title, output.weights_html, note, mark=params.mark)

    hazards = hazard_table(tables["hazards"])
    write_csv(hazards, output.hazards)
    note = (
        f"Cox regression, times censored at {params.horizon:.1f} months; the signature is the probability of DSFR, of "
        "patients that learn by folds without them; its hazard ratio is of the step from 0 to 1, as the paper prints."
        f" multivariable: all with a univariable P < {params.limit:g}; "
        "nomogram: of those by steps in both directions by AIC. P values after a selection are too small. ph p: test "
        "of proportional hazards. fits: share of all fits whose nomogram has the variable."
    )
    write_html(readable(hazards), params.title, output.hazards_html, note, mark=params.mark)

    drawn = [d for file in asked.drawn for d in json.loads(Path(file).read_text())]
    for protocol in ("strict", "as_published"):
        own = next(d for d in drawn if (d["protocol"], d["repeat"], d["fold"]) == (protocol, 1, 0))
        model = NomogramModel.from_dict(own["nomogram"]) if own["nomogram"] else None
        title = f"Cox nomogram, {protocol.replace('_', ' ')}, {params.title}"
        figure = plot_nomogram(model, title, own["values"], own["patient"])
        save(figure, output[f"nomogram_{protocol}"], output[f"nomogram_{protocol}_svg"], params.mark)
        panels = [
            (step, "hazard_ratio", hazards[(hazards["protocol"] == protocol) & (hazards["step"] == step)])
            for step in ("univariable", "multivariable", "nomogram")
        ]
        panels = [
            (f"Cox, {step}", column, part.dropna(subset=["p"]).assign(label=part["variable"]))
            for step, column, part in panels
        ]
        words = f"{params.title}, {protocol.replace('_', ' ')}: DSFR signature and clinical variables"
        figure = plot_ratio_forest(panels, words)
        save(figure, output[f"hazards_{protocol}"], output[f"hazards_{protocol}_svg"], params.mark)
