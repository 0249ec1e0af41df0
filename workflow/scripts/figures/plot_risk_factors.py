"""Forest plots of the clinical variables, the nomograms of both models, and the calibration of the logistic one."""

import json
from pathlib import Path

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"{snakemake.wildcards.paper} on {snakemake.wildcards.cohort}"):
    from hcc_recurrence.endpoint import use_endpoint
    from hcc_recurrence.figures.nomogram import plot_nomogram
    from hcc_recurrence.figures.risk_factors import plot_corrected_calibration, plot_forests
    from hcc_recurrence.figures.style import save_figure
    from hcc_recurrence.files import read_csv
    from hcc_recurrence.statistics.nomogram import NomogramModel

    has_times = use_endpoint(snakemake.params.endpoint).has_times
    output, title = snakemake.output, snakemake.params.title
    stored = json.loads(Path(snakemake.input.models).read_text())
    figure = plot_forests(read_csv(snakemake.input.table), stored["rule"], title)
    save_figure(figure, output.forest, snakemake.params.figures, snakemake.params.mark)
    names = {"logistic": "Logistic nomogram"} | ({"cox": "Cox nomogram"} if has_times else {})
    for kind, name in names.items():
        model = NomogramModel.from_dict(stored[kind]) if stored[kind] else None
        figure = plot_nomogram(model, f"{name}, {title}", stored["worked_values"], stored["worked_patient"])
        save_figure(figure, output[kind], snakemake.params.figures, snakemake.params.mark)
    figure = plot_corrected_calibration(read_csv(snakemake.input.calibration), stored["optimism"], title)
    save_figure(figure, output.calibration, snakemake.params.figures, snakemake.params.mark)
