"""Write the regressions of the nomograms of Yan 2023, and what their figures draw."""

import json
from pathlib import Path

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"yan2023 on {snakemake.wildcards.cohort}"):
    import pandas as pd

    from hcc_recurrence.cohort.sheets import clinical_table
    from hcc_recurrence.endpoint import use_endpoint
    from hcc_recurrence.figures.table_pages import write_table
    from hcc_recurrence.files import read_csv, write_csv
    from hcc_recurrence.learning.clinical import timing_note
    from hcc_recurrence.learning.regressions import regression_table
    from hcc_recurrence.methods.run import read_tables
    from hcc_recurrence.methods.yan2023.declare import FUSED
    from hcc_recurrence.methods.yan2023.fit import FittedYan
    from hcc_recurrence.methods.yan2023.nomograms import draw_nomograms

    use_endpoint(snakemake.params.endpoint)
    params, output, asked = snakemake.params, snakemake.output, snakemake.input
    outcome = read_csv(asked.labels).set_index("patient_id")["er"]
    clinical = clinical_table(params.sheet, params.definitions, params.missing_codes, list(outcome.index))
    regressions, fused = read_tables(asked.tables, "regressions"), read_csv(asked.fused)
    drawn, curves = [], []
    for protocol in ("as_published", "strict"):
        of_all = f"protocol == '{protocol}' and repeat == 1 and fold == 0"
        own, learned = regressions.query(of_all), fused.query(of_all)
        signature = learned[learned["part"] == "learned"].set_index("patient_id")[FUSED]
        nomograms = FittedYan.load(Path(asked[protocol])).nomograms
        found = draw_nomograms(
            nomograms, own, signature, clinical, params.definitions, outcome, params.resamples, params.seed
        )
        drawn += [{"model": d.pop("model"), "protocol": protocol, **d} for d in found[0]]
        curves.append(found[1].assign(protocol=protocol))
    table = regression_table(regressions, {FUSED: f"{FUSED} (per 0.1)"})
    note = (
        f"Forward selection by likelihood ratio (entry P < {params.settings['entry_p']:g}, removal P > "
        f"{params.settings['removal_p']:g}) of the variables with a univariable P < {params.settings['clinical_p']:g}; "
        "Firth's likelihood where the outcomes are separated. Odds ratios of the fit on all training patients; fits: "
        "fraction of all fits whose model has the variable. vif, tolerance: among the candidates, and among the "
        "variables of the model."
        + (f"{after} Preoperative models leave these out." if (after := timing_note(params.definitions)) else "")
    )
    write_table("nomograms", table, note, params, output)
    Path(output.drawn).write_text(json.dumps(drawn, indent=1) + "\n")
    write_csv(pd.concat(curves, ignore_index=True), output.curves)
