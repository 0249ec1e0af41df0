"""Build the sheets of a public collection from its DICOM and its clinical table."""

from pathlib import Path

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"public collection {snakemake.wildcards.collection}"):
    from hcc_recurrence.cohort.crawl import crawl
    from hcc_recurrence.cohort.dicom_folders import check_root, list_delivery
    from hcc_recurrence.cohort.public_collections import COLLECTIONS, build_sheets, read_clinical
    from hcc_recurrence.cohort.public_nifti import NIFTI_COLLECTIONS, build_nifti_sheets
    from hcc_recurrence.figures.html import write_html
    from hcc_recurrence.files import write_csv

    params, output, name = snakemake.params, snakemake.output, snakemake.wildcards.collection
    root = check_root(params.root, Path())
    clinical = read_clinical(Path(snakemake.input.clinical), COLLECTIONS[name].sheet if name in COLLECTIONS else "")
    files = list_delivery(root).files
    if name in NIFTI_COLLECTIONS:
        sheets, left_out = build_nifti_sheets(files, root, clinical, NIFTI_COLLECTIONS[name])
    else:
        collection = COLLECTIONS[name]
        found, _ = crawl(files, Path(params.cache), snakemake.threads, look_at_vessels=not collection.phase)
        sheets, left_out = build_sheets(found, root, clinical, collection)
    for kind, sheet in sheets.items():
        write_csv(sheet, output[kind])
    phases = ", ".join(f"{n} {phase}" for phase, n in sheets["series"].groupby("phase").size().items())
    note = f"{len(sheets['patients'])} patients in the sheets; series: {phases}. Left out are:"
    write_html(left_out, f"Sheets of {name}", output.left_out, note, wrapped=True)
    print(note)
    print(left_out.to_string())
