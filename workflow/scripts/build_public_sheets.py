"""Build the sheets of a public collection from its DICOM and its clinical table."""

from pathlib import Path

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"public collection {snakemake.wildcards.collection}"):
    from hcc_recurrence.cohort.crawl import crawl
    from hcc_recurrence.cohort.dicom_folders import check_root, list_delivery
    from hcc_recurrence.cohort.public_collections import COLLECTIONS, build_sheets, read_clinical
    from hcc_recurrence.figures.html import write_html
    from hcc_recurrence.files import write_csv

    params, output = snakemake.params, snakemake.output
    collection, root = COLLECTIONS[snakemake.wildcards.collection], check_root(params.root, Path())
    clinical = read_clinical(Path(snakemake.input.clinical), collection)
    files = list_delivery(root).files
    found, _ = crawl(files, Path(params.cache), snakemake.threads, look_at_vessels=not collection.phase)
    sheets, left_out = build_sheets(found, root, clinical, collection)
    for name, sheet in sheets.items():
        write_csv(sheet, output[name])
    phases = sheets["series"].groupby("phase").size().to_dict()
    note = f"{len(sheets['patients'])} patients in the sheets; series by phase: {phases}. Left out are:"
    write_html(left_out, f"Sheets of {snakemake.wildcards.collection}", output.left_out, note, wrapped=True)
    print(note)
    print(left_out.to_string())
