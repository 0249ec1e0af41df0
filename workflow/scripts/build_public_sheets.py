"""Build the sheets of a public collection from its DICOM and its clinical table."""

from pathlib import Path

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"public collection {snakemake.wildcards.collection}"):
    from hcc_recurrence.cohort.discovery import (
        DISCOVERY_VERSION,
        group_series,
        guess_phases,
        list_files,
        read_headers,
    )
    from hcc_recurrence.cohort.facts import show_progress
    from hcc_recurrence.cohort.public_collections import COLLECTIONS, build_sheets, read_clinical
    from hcc_recurrence.cohort.vessels import vessel_values
    from hcc_recurrence.figures.html import write_html
    from hcc_recurrence.files import write_csv
    from hcc_recurrence.provenance import FileCache

    params, output = snakemake.params, snakemake.output
    collection, root = COLLECTIONS[snakemake.wildcards.collection], Path(params.root)
    clinical = read_clinical(Path(snakemake.input.clinical), collection)
    files, cache = list_files(root), FileCache(Path(params.cache), DISCOVERY_VERSION)
    read_headers(files, cache, snakemake.threads, show_progress("headers"))
    cache.save()
    found = group_series(files, cache)
    if not collection.phase:
        guess_phases(found, vessel_values(found, show_progress("vessels")))
    sheets, left_out = build_sheets(found, root, clinical, collection)
    for name, sheet in sheets.items():
        write_csv(sheet, output[name])
    phases = sheets["series"].groupby("phase").size().to_dict()
    note = f"{len(sheets['patients'])} patients in the sheets; series by phase: {phases}. Left out are:"
    write_html(left_out, f"Sheets of {snakemake.wildcards.collection}", output.left_out, note, wrapped=True)
    print(note)
    print(left_out.to_string())
