"""AUCs within groups of patients: centres, field strengths, scanners."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"{snakemake.wildcards.paper} on {snakemake.wildcards.cohort}"):
    import pandas as pd

    from hcc_recurrence.cohort.numbers import missing_test
    from hcc_recurrence.cohort.tables import read_patients
    from hcc_recurrence.endpoint import use_endpoint
    from hcc_recurrence.figures.forest import plot_strata
    from hcc_recurrence.figures.html import readable, write_html
    from hcc_recurrence.figures.style import save_figure
    from hcc_recurrence.files import read_csv, write_csv
    from hcc_recurrence.learning.predictions import main_models
    from hcc_recurrence.statistics.comparisons import strata_table

    use_endpoint(snakemake.params.endpoint)
    params, output = snakemake.params, snakemake.output
    sheet = read_patients(params.sheet, ()).drop_duplicates("patient_id").set_index("patient_id")
    is_missing = missing_test(params.missing_codes)
    strata = pd.DataFrame(
        {name: sheet[column].where(~sheet[column].map(is_missing)) for name, column in params.columns.items()}
    )
    predictions = read_csv(snakemake.input.predictions)
    models = main_models(predictions, params.main)
    table = strata_table(predictions[predictions["model"].isin(models)], strata)
    write_csv(table, output.csv)
    note = (
        "difference: AUC of the group minus that of the first group of the same variable, with the unpaired DeLong "
        "test. Out of fold within folds. Groups of a few patients say little."
    )
    write_html(readable(table), params.title, output.html, note, mark=params.mark)
    for protocol in ("strict", "as_published"):
        save_figure(plot_strata(table, protocol, params.title), output[protocol], params.figures, params.mark)
