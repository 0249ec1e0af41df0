"""Write what is wrong with the input as a table."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], "list_problems"):
    import pandas as pd

    from hcc_recurrence.figures.html import write_html
    from hcc_recurrence.files import write_csv
    from hcc_recurrence.problems import COLUMNS

    rows = pd.DataFrame(snakemake.params.problems, columns=COLUMNS, dtype=str)
    write_csv(rows, snakemake.output.csv)
    patients = rows.loc[rows["patient"] != "", ["cohort", "patient"]].drop_duplicates()
    if rows.empty:
        note = "Nothing is wrong with the config, the sheets, the images and the masks."
    elif snakemake.params.keep_going:
        note = f"{len(rows)} problems of {len(patients)} patients, who are left out (keep_going: true)."
    else:
        note = f"{len(rows)} problems; {len(patients)} patients have some. Nothing is run until they are fixed."
    write_html(rows, "Problems of the input", snakemake.output.html, note, wrapped=True)
    print(note)

    notices = pd.DataFrame(snakemake.params.notices, columns=COLUMNS, dtype=str)
    write_csv(notices, snakemake.output.notices)
    note = f"{len(notices)} things to look at. They stop nothing." if len(notices) else "Nothing else is conspicuous."
    write_html(notices, "What to look at in the input", snakemake.output.notices_html, note, wrapped=True)
    print(note)
