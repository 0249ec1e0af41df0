"""What changed in the cohort and its splits since the last run."""

from pathlib import Path

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"cohort {snakemake.wildcards.cohort}"):
    import pandas as pd

    from hcc_recurrence.cohort.changes import changes_table, cohort_state, update_record
    from hcc_recurrence.cohort.labels import read_labels
    from hcc_recurrence.cohort.tables import read_patients
    from hcc_recurrence.endpoint import use_endpoint
    from hcc_recurrence.figures.html import write_html
    from hcc_recurrence.files import read_csv, write_csv

    use_endpoint(snakemake.params.endpoint)
    params, output = snakemake.params, snakemake.output
    sheet = read_patients(params.sheet, ()).set_index("patient_id")
    clinical = pd.DataFrame({v: sheet[d["column"]] for v, d in params.definitions.items() if d["column"] in sheet})
    splits = {scheme: read_csv(file) for scheme, file in zip(params.schemes, snakemake.input.splits, strict=True)}
    state = cohort_state(read_labels(snakemake.input.labels), splits, params.files, clinical)
    # Beside the page, and no output of the rule: Snakemake removes those before the job.
    table = changes_table(update_record(Path(output.csv).parent / "record.json", state), state)
    write_csv(table, output.csv)
    note = (
        "Compared with the run before the last edit of the sheets, images or masks. Splits are drawn so that an edit "
        "moves few patients; folds are compared of patients who train in both runs. Nothing else in the results "
        "depends on what was run before."
    )
    write_html(table, params.title, output.html, note, wrapped=True)
