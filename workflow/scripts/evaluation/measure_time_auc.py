"""Time-dependent AUC of the main models at several times, and its curve in both protocols."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"{snakemake.wildcards.paper} on {snakemake.wildcards.cohort}"):
    from hcc_recurrence.endpoint import use_endpoint
    from hcc_recurrence.figures.html import readable, write_html
    from hcc_recurrence.figures.style import save_figure
    from hcc_recurrence.figures.time_auc import plot_time_auc
    from hcc_recurrence.files import read_csv, write_csv
    from hcc_recurrence.learning.predictions import main_models
    from hcc_recurrence.statistics.time_auc import time_auc_tables

    event = use_endpoint(snakemake.params.endpoint).event
    params, output = snakemake.params, snakemake.output
    predictions = read_csv(snakemake.input.predictions)
    models = main_models(predictions, params.main)
    settings = (params.times, params.horizon, params.resamples, params.seed, params.censored)
    table, curve = time_auc_tables(predictions, models, *settings)
    write_csv(table, output.csv)
    write_csv(curve, output.curve)
    note = (
        f"AUC of the risk for {event} until a time against no {event} until then (followed beyond it), "
        "weighted for censoring. Out of fold the mean over folds, with several repeats the mean of single models; 95% "
        f"intervals by bootstrap over patients ({params.resamples} resamples). The remark says why there is none."
    )
    if params.censored:
        note += f" As in the paper, times are censored at {params.horizon:.1f} months: there is none beyond."
    shown = readable(table).rename(columns={"recurred": f"with {event}"})
    write_html(shown, params.title, output.html, note, mark=params.mark)
    for protocol in ("strict", "as_published"):
        figure = plot_time_auc(table, curve, predictions, protocol, models, params.horizon)
        save_figure(figure, output[protocol], params.figures, params.mark)
