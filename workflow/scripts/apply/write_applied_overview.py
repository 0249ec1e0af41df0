"""One page of all patients to whom models were applied: a row each, to sort and to filter."""

from pathlib import Path

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"cohort {snakemake.wildcards.cohort}"):
    from hcc_recurrence.exported.pages import overview_page, read_applied, render

    params, inputs = snakemake.params, snakemake.input
    models = [read_applied(*files) for files in zip(params.folders, inputs.predictions, inputs.outside, strict=True)]
    page = overview_page(params.title, params.patients, models, params.simulated)
    Path(snakemake.output[0]).write_text(
        render(Path(params.templates), "applied_overview.html.j2", page), encoding="utf-8"
    )
    print(f"{len(page['rows'])} patients, {len(models)} models")
