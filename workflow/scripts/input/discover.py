"""Draft the sheets of a cohort from a folder of DICOM."""

from pathlib import Path

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], "discover"):
    import sys

    from hcc_recurrence.cohort.crawl import crawl
    from hcc_recurrence.cohort.dicom_folders import check_root, list_delivery
    from hcc_recurrence.cohort.discovery import HeaderReader
    from hcc_recurrence.cohort.draft_files import write_drafts
    from hcc_recurrence.cohort.drafting import check_found, describe_delivery, draft_sheets
    from hcc_recurrence.cohort.key_file import names_of, read_key, with_new_rows
    from hcc_recurrence.cohort.persons import secret_of
    from hcc_recurrence.figures.html import write_html
    from hcc_recurrence.files import write_in_one_rename

    params, place = snakemake.params, Path(snakemake.output[0]).parent
    root = check_root(params.root, Path())
    delivery = list_delivery(root)
    key = read_key(place / "key_private.csv")
    reader = HeaderReader(secret_of(place / "salt.txt"))
    found, unreadable = crawl(delivery.files, Path(params.cache), snakemake.threads, reader=reader)
    check_found(found, delivery, unreadable, root)
    names = names_of(found, key, reader)
    sheets, summary = draft_sheets(found, root, names)
    # The key first: a name in a sheet that nobody can trace back is lost.
    write_in_one_rename(place / "key_private.csv", with_new_rows(key, found, names).to_csv(index=False))
    said = [*describe_delivery(found, sheets, delivery, unreadable), *write_drafts(place, sheets, root)]
    write_html(summary, "What the folder holds", place / "summary.html", ". ".join(said) + ".", wrapped=True)
    Path(snakemake.output[0]).write_text("\n".join([*said, ""]), encoding="utf-8")
    print(*said, sep="\n")
    print(*said, sep="\n", file=sys.__stderr__)
