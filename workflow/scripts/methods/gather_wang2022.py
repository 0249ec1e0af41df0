"""What the fits of all repeats chose: settings, weights, hazard ratios, nomograms."""

from pathlib import Path

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"wang2022 on {snakemake.wildcards.cohort}"):
    from hcc_recurrence.endpoint import use_endpoint
    from hcc_recurrence.figures.forest import plot_ratio_forest
    from hcc_recurrence.figures.html import readable, write_html
    from hcc_recurrence.figures.nomogram import plot_nomogram
    from hcc_recurrence.figures.style import save_figure
    from hcc_recurrence.figures.table_pages import write_table
    from hcc_recurrence.files import read_csv
    from hcc_recurrence.methods.run import read_tables
    from hcc_recurrence.methods.wang2022.declare import NOMOGRAM
    from hcc_recurrence.methods.wang2022.fit import Wang
    from hcc_recurrence.methods.wang2022.nomogram import hazard_table

    use_endpoint(snakemake.params.endpoint)
    params, output, asked = snakemake.params, snakemake.output, snakemake.input
    note = (
        "What cross-validation inside each fit chose; fold 0: all training patients. features: deep ones; variables: "
        "all. C, max iter, tol: of the logistic regression. Features are selected anew inside each fold, unless a line "
        "above says otherwise. DSFR takes the phases whose model has the highest AUC, DSFR-C its features. As "
        "published, fits without a fold have the choices of that on all training patients."
    )
    write_html(readable(read_csv(asked.choices)), params.title, output.choices_html, note, mark=params.mark)

    weights = read_csv(asked.weights)
    whole = weights[(weights["repeat"] == 1) & (weights["fold"] == 0)].drop(columns=["repeat", "fold", "seed"])
    note = (
        "Weights of the models of all training patients, of standardised variables; deep rank 1: the largest deep one."
    )
    write_html(readable(whole), params.title, output.weights_html, note, mark=params.mark)

    correlations = read_csv(asked.correlations)
    whole = correlations[(correlations["repeat"] == 1) & (correlations["fold"] == 0)]
    whole = whole.drop(columns=["repeat", "fold", "seed"])
    note = (
        "Pearson's correlation between the features with the largest weights in the DSFR models of two phases, on all "
        "training patients, as Tables S3 and S4 of the paper; P of no correlation, not corrected for their number."
    )
    write_html(readable(whole), params.title, output.correlations_html, note, mark=params.mark)

    hazards = hazard_table(read_tables(asked.fits, "hazards"))
    note = (
        f"Cox regression, times censored at {params.horizon:.1f} months; the signature is the probability of DSFR, of "
        "training patients by folds without them; its hazard ratio is of the step from 0 to 1, as the paper prints. "
        f"multivariable: all with a univariable P < {params.limit:g}; "
        "nomogram: of those by steps in both directions by AIC. P values after a selection are too small. ph p: test "
        "of proportional hazards. fits: fraction of all fits whose nomogram has the variable."
    )
    write_table("hazards", hazards, note, params, output)

    drawn = read_tables(asked.fits, "drawn")
    drawn = drawn[(drawn["repeat"] == 1) & (drawn["fold"] == 0)]
    for protocol in ("strict", "as_published"):
        own = drawn[drawn["protocol"] == protocol].set_index("variable")
        model = Wang.load(Path(asked[protocol])).cox[NOMOGRAM].nomogram
        title = f"Cox nomogram, {protocol.replace('_', ' ')}, {params.title}"
        figure = plot_nomogram(model, title, own["value"].to_dict(), own["patient"].iloc[0])
        save_figure(figure, output[f"nomogram_{protocol}"], params.figures, params.mark)
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
        save_figure(figure, output[f"hazards_{protocol}"], params.figures, params.mark)
