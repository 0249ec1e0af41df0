"""Write the labels of a cohort and a summary of who was left out."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"cohort {snakemake.wildcards.cohort}"):
    from hcc_recurrence.cohort.dates import DATE_COLUMNS
    from hcc_recurrence.cohort.labels import make_labels, summarise_labels
    from hcc_recurrence.cohort.tables import read_patients
    from hcc_recurrence.endpoint import use_endpoint
    from hcc_recurrence.figures.html import write_html
    from hcc_recurrence.files import write_csv

    words = use_endpoint(snakemake.params.endpoint)
    sheet = read_patients(snakemake.params.sheet, DATE_COLUMNS)
    # Who stands twice is left out, and counted once.
    sheet = sheet.drop_duplicates("patient_id").set_index("patient_id", drop=False)
    labels = make_labels(
        sheet,
        snakemake.params.er_days,
        snakemake.params.er_inclusive,
        snakemake.params.excluded,
        snakemake.params.sheet.get("decimal_comma", False),
        words.column,
    )
    write_csv(labels, snakemake.output.labels)
    write_html(summarise_labels(labels), snakemake.params.title, snakemake.output.summary)
