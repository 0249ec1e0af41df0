"""Harrell's C, time-dependent AUC and survival by risk group of the main models."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"{snakemake.wildcards.paper} on {snakemake.wildcards.cohort}"):
    from hcc_recurrence.endpoint import use_endpoint
    from hcc_recurrence.figures.html import survival_for_readers, write_html
    from hcc_recurrence.files import read_csv, write_csv
    from hcc_recurrence.learning.predictions import main_models
    from hcc_recurrence.statistics.measures import survival_tables

    words = use_endpoint(snakemake.params.endpoint)
    params = snakemake.params
    predictions = read_csv(snakemake.input.predictions)
    models = main_models(predictions, snakemake.params.main)
    measures, pairs = survival_tables(
        predictions, models, params.horizon, params.resamples, params.seed, params.censored
    )
    write_csv(measures, snakemake.output.csv)
    write_csv(pairs, snakemake.output.pairs)
    note = (
        f"C: Harrell's concordance of risk and time to {words.event}. auc t: time-dependent AUC at "
        f"{params.horizon:.1f} months, weighted for censoring. 95% intervals by bootstrap over patients "
        f"({params.resamples} resamples); out of fold both are means over folds, with several repeats means of single "
        "models. Groups (high, low) and log-rank test: of the first repeat's model, by its training cut-off; free: "
        f"free of {words.event} at the horizon by Kaplan-Meier; median in months."
    )
    if params.censored:
        note += (
            f" As in the paper, times are censored at {params.horizon:.1f} months: events, C, medians and the log-rank "
            "test know nothing of what comes later."
        )
    write_html(survival_for_readers(measures), params.title, snakemake.output.html, note, mark=params.mark)
