"""Write the report of the finished studies: one page, or a zip of the page, its pictures and the files beside it."""

from pathlib import Path

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], "report"):
    import json

    from hcc_recurrence.cohort.labels import read_labels
    from hcc_recurrence.files import read_best_auc, read_csv
    from hcc_recurrence.report.build import facts_of
    from hcc_recurrence.report.page import Apart, Writer, write_zip
    from hcc_recurrence.report.provenance import told

    params, asked = snakemake.params, snakemake.input
    results = Path(asked.contents).parent
    best = {Path(file).parts[-3]: read_best_auc([file]) for file in asked.best_auc}
    comparisons = []
    for place, facts in enumerate(params.comparisons):
        labels = read_labels(asked.labels[place])
        used = int((labels["excluded_because"] == "").sum())
        names = ("metrics", "predictions", "changes")
        own = {name: read_csv(asked[name][place]) for name in names}
        counts = {"used": used, "left_out": len(labels) - used, "best_auc": best.get(facts["cohort"])}
        comparisons.append({**facts, **own, **counts})
    contents = json.loads(Path(asked.contents).read_text(encoding="utf-8"))
    tables = {name: read_csv(asked[name]) for name in ("problems", "notices", "costs")}
    # None where no network was trained.
    for file in asked.machines:
        tables["machines"] = read_csv(file)
    made_by = told(json.loads(Path(asked.provenance).read_text(encoding="utf-8")))
    facts, views = facts_of(contents, {**params.about, "provenance": made_by}, comparisons, tables, results)
    output = Path(snakemake.output[0])
    if output.suffix == ".zip":
        apart = Apart()
        write_zip(
            output,
            Writer(Path(params.templates), results, apart, snakemake.threads).page(facts, views),
            results,
            apart.files,
        )
    else:
        output.write_text(
            Writer(Path(params.templates), results, threads=snakemake.threads).page(facts, views), encoding="utf-8"
        )
