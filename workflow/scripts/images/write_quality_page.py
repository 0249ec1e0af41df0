"""One page with a small picture of every patient and phase, masks outlined."""

from pathlib import Path

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"cohort {snakemake.wildcards.cohort}"):
    from hcc_recurrence.figures.quality import carried_words, lesion_words, thumbnail_page
    from hcc_recurrence.files import read_csv

    rows, marks, larger = {}, {}, {}
    for folder in snakemake.input:
        for file in sorted(Path(folder).glob("*.small.jpg")):
            patient, phase = file.name.split(".")[:2]
            rows.setdefault(patient, {})[phase] = file.read_bytes()
            larger[patient, phase] = f"{file.parent.name}/{patient}.{phase}.jpg"
        for file in sorted(Path(folder).glob("*.carried.csv")):
            for row in read_csv(file).itertuples():
                marks[file.name.split(".")[0], row.phase] = carried_words(row)
        for file in sorted(Path(folder).glob("*.lesions.csv")):
            patient, found = file.name.split(".")[0], read_csv(file)
            for row in found[found["reader"] == snakemake.params.reader].itertuples():
                said = snakemake.params.tumour_numbers.get(patient)
                words = lesion_words(row.lesions, said, snakemake.params.lesions)
                if words:
                    marks[patient, row.phase] = words
    note = (
        "Axial plane at the largest section of the tumour. Front is up, the patient's right on the left. Outlines: "
        "blue, the reader whose masks the models use, then the others. A click opens three planes, which are in the "
        "folder quality."
    )
    page = thumbnail_page(rows, snakemake.params.title, note, marks, larger)
    Path(snakemake.output[0]).write_text(page, encoding="utf-8")
