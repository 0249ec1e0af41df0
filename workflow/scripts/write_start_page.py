"""Write the first page of the report."""

from pathlib import Path

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], "start page"):
    from hcc_recurrence.cohort.labels import read_labels
    from hcc_recurrence.files import read_best_auc, read_csv
    from hcc_recurrence.start_page import start_page

    comparisons = []
    best = {Path(file).parts[-3]: read_best_auc([file]) for file in snakemake.input.best_auc}
    for facts, file in zip(snakemake.params.comparisons, snakemake.input.labels, strict=True):
        labels = read_labels(file)
        used = int((labels["excluded_because"] == "").sum())
        comparisons.append(
            {**facts, "used": used, "left_out": len(labels) - used, "best_auc": best.get(facts["cohort"])}
        )
    metrics = [read_csv(file) for file in snakemake.input.metrics]
    Path(snakemake.output[0]).write_text(start_page(snakemake.params.about, comparisons, metrics), encoding="utf-8")
