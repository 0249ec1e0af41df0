"""Write what is wrong with the input as a table."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], "list_problems"):
    import pandas as pd

    from hcc_recurrence.figures.html import write_html
    from hcc_recurrence.files import write_csv
    from hcc_recurrence.problems import COLUMNS, counted, problems_note

    rows = pd.DataFrame(snakemake.params.problems, columns=COLUMNS, dtype=str)
    write_csv(rows, snakemake.output.csv)
    patients = rows.loc[rows["patient"] != "", ["cohort", "patient"]].drop_duplicates()
    note = problems_note(len(rows), len(patients), snakemake.params.keep_going)
    write_html(rows, "Problems of the input", snakemake.output.html, note, wrapped=True)
    print(note)

    notices = pd.DataFrame(snakemake.params.notices, columns=COLUMNS, dtype=str)
    write_csv(notices, snakemake.output.notices)
    count = counted(len(notices), "thing")
    note = f"{count} to look at; nothing is stopped." if len(notices) else "Nothing else is conspicuous."
    write_html(notices, "What to look at in the input", snakemake.output.notices_html, note, wrapped=True)
    print(note)
