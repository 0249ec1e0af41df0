"""Draft the sheets of a cohort from a folder of DICOM."""

from pathlib import Path

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], "discover"):
    import pandas as pd

    from hcc_recurrence.cohort.crawl import crawl
    from hcc_recurrence.cohort.discovery import list_files
    from hcc_recurrence.cohort.drafting import draft_sheets, pseudonym, salt_of
    from hcc_recurrence.figures.html import write_html
    from hcc_recurrence.files import write_csv

    params, output = snakemake.params, snakemake.output
    root = Path(params.root)
    files = list_files(root)
    found = crawl(files, Path(params.cache), snakemake.threads)
    salt = salt_of(Path(output.patients).parent / "salt.txt")
    names = {patient: pseudonym(patient, salt) for patient in sorted({series.patient for series in found})}
    sheets, summary = draft_sheets(found, root, names)
    for name, sheet in sheets.items():
        write_csv(sheet, output[name])
    write_csv(pd.DataFrame({"patient_id": list(names.values()), "PatientID": list(names)}), output.key)
    unclear = int((sheets["series"]["phase"] == "").sum())
    note = (
        f"{len(files)} files, {len(names)} patients, {len(found)} series. {unclear} series have no clear phase: their "
        "cell is empty in series.csv. Fill it in, or delete the row. key_private.csv holds the hospital's numbers: "
        "keep it to yourself."
    )
    write_html(summary, "What the folder holds", output.summary, note, wrapped=True)
