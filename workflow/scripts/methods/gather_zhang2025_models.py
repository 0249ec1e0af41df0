"""The regressions of clinical and combined models of all fits of Zhang 2025, and what the nomograms draw."""

from pathlib import Path

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"zhang2025 on {snakemake.wildcards.cohort}"):
    import json

    from hcc_recurrence.figures.table_pages import write_table
    from hcc_recurrence.files import write_csv
    from hcc_recurrence.learning.clinical import timing_note
    from hcc_recurrence.learning.regressions import regression_table
    from hcc_recurrence.methods.run import read_tables
    from hcc_recurrence.methods.zhang2025.declare import SIGNATURE

    params, output, folders = snakemake.params, snakemake.output, snakemake.input
    table = regression_table(read_tables(folders, "regressions"), {SIGNATURE: f"{SIGNATURE} (per 0.1)"})
    rule = params.rule_of_choice
    left = {"no_variable": "no clinical variable", "candidates": "all of the first step"}[rule["none_significant"]]
    note = (
        f"Variables with a univariable P < {rule['clinical_p']:g} and such a P in the multivariable model; "
        f"{left} where none is left (none_significant). "
        "Logistic regression; the paper's Table 2 is a linear regression of "
        "the 0/1 outcome, exponentiated, with 90 % intervals. Odds ratios of the fit on all training patients; fits: "
        "fraction of all fits whose model has the variable. vif, tolerance: among the variables of the combined model."
        + (f"{after} Preoperative models leave these out." if (after := timing_note(params.definitions)) else "")
    )
    write_table("regressions", table, note, params, output)
    drawn = [json.loads(one) for one in read_tables(folders, "drawn")["drawing"]]
    Path(output.drawn).write_text(json.dumps(drawn, indent=1) + "\n")
    write_csv(read_tables(folders, "curves"), output.curves)
