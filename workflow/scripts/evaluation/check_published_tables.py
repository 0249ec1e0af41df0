"""Check the arithmetic of the papers' own tables."""

from pathlib import Path

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], "published tables"):
    from hcc_recurrence.figures.html import write_html
    from hcc_recurrence.files import write_csv
    from hcc_recurrence.published import TITLES, check_everything

    table = check_everything(Path(snakemake.params.folder))
    write_csv(table, snakemake.output.csv)
    shown = table.sort_values("consistent", kind="stable").assign(
        paper=table["paper"].map(TITLES), consistent=table["consistent"].map({True: "yes", False: "no"})
    )
    note = (
        "Each line recomputes a printed number from other printed numbers of the same paper. Not consistent: they "
        "cannot all be right; which one is wrong, the table does not say. Nothing here uses patient data."
    )
    title = "What the printed tables say, and what they cannot mean"
    write_html(shown, title, snakemake.output.html, note)
