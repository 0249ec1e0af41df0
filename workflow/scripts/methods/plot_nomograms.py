"""Draw nomograms with a worked patient, and their calibration corrected for optimism."""

import json
from pathlib import Path

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"{snakemake.params.paper} on {snakemake.wildcards.cohort}"):
    from hcc_recurrence.endpoint import use_endpoint
    from hcc_recurrence.figures.nomogram import plot_nomogram
    from hcc_recurrence.figures.risk_factors import plot_corrected_calibrations
    from hcc_recurrence.figures.style import save_figure
    from hcc_recurrence.files import read_csv
    from hcc_recurrence.statistics.nomogram import NomogramModel

    use_endpoint(snakemake.params.endpoint)
    params, output = snakemake.params, snakemake.output
    stored = {(d["protocol"], d["model"]): d for d in json.loads(Path(snakemake.input.drawn).read_text())}
    curves = read_csv(snakemake.input.curves)
    for key, (name, protocol) in params.nomograms.items():
        # Without a post-operative variable the nomogram is a preoperative one already.
        own = stored.get((protocol, name)) or stored[protocol, name.removesuffix(" preoperative")]
        model = NomogramModel.from_dict(own["nomogram"]) if own["nomogram"] else None
        # A figure of one protocol says which; the others are the same in both.
        shown = f", {protocol.replace('_', ' ')}" if key.endswith(protocol) else ""
        method = " (Firth)" if own["method"] == "Firth" else ""
        title = f"{name}{method}{shown}, {params.title}"
        save_figure(
            plot_nomogram(model, title, own["values"], own["patient"]), output[key], params.figures, params.mark
        )
    for protocol in ("strict", "as_published"):
        mine = curves[curves["protocol"] == protocol]
        optimism = {model: own["optimism"] for (p, model), own in stored.items() if p == protocol}
        figure = plot_corrected_calibrations(mine, optimism, f"{params.title}, {protocol.replace('_', ' ')}")
        save_figure(figure, output[f"nomograms_calibration_{protocol}"], params.figures, params.mark)
