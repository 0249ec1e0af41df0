"""One page of one patient: images with the outline, probability by each model, where the patient lies in training."""

import json
from dataclasses import replace
from pathlib import Path

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"patient {snakemake.wildcards.patient}"):
    import pandas as pd
    import SimpleITK as sitk

    from hcc_recurrence.exported.nomograms import drawn_nomograms
    from hcc_recurrence.exported.pages import Picture, patient_page, read_applied, render
    from hcc_recurrence.exported.patients import mask_file
    from hcc_recurrence.figures.marks import SIMULATED
    from hcc_recurrence.figures.quality import carried_words, encoded, three_planes
    from hcc_recurrence.files import read_csv
    from hcc_recurrence.radiomics.tables import AUTOMATIC

    params, inputs, patient = snakemake.params, snakemake.input, snakemake.wildcards.patient
    pictures, masks, note = [], Path(inputs.masks), SIMULATED if params.simulated else ""
    folders = [masks, *([Path(inputs.predicted, patient)] if inputs.get("predicted") else [])]
    propagated = Path(masks, "carried.csv")
    moved = {row.phase: carried_words(row) for row in read_csv(propagated).itertuples()} if propagated.is_file() else {}
    # The sheet may have series of phases that no model takes.
    for phase in params.phases:
        file = Path(inputs.images, f"{phase}.nii.gz")
        if not file.is_file():
            continue
        # The outline that the models used.
        mask = mask_file(folders, phase, params.readers.get(phase, ""))
        files = [mask] if mask else sorted(masks.glob(f"{phase}.*.nii.gz"))[:1]
        read = {f.name.split(".")[1]: sitk.ReadImage(str(f)) for f in files}
        planes = encoded(three_planes(sitk.ReadImage(str(file)), read, params.modality), note)
        words = moved.get(phase, "") if read else "no outline"
        if AUTOMATIC in read:
            words = "outline drawn by a segmentation network, by no person"
        pictures.append(Picture(phase, planes, words[:1].upper() + words[1:]))
    models, folders_of_maps = [], {}
    for maps in inputs.get("heat_maps", []):
        folders_of_maps.setdefault(Path(maps).parent.name, []).append(maps)
    for folder, predictions, outside, read in zip(
        params.folders, inputs.predictions, inputs.outside, inputs.read, strict=True
    ):
        model = read_applied(folder, predictions, outside)
        clinical = pd.read_parquet(Path(read, "clinical.parquet"))
        drawn = drawn_nomograms(model, patient, clinical, params.simulated)
        for maps in folders_of_maps.get(model.name, []):
            about = json.loads(Path(maps, patient, "heat_maps.json").read_text(encoding="utf-8"))
            drawn += [
                Picture(f"Heat map, {one['model']}", Path(maps, patient, one["file"]).read_bytes(), one["words"], "png")
                for one in about
            ]
        models.append(replace(model, drawn={patient: drawn}))
    page = patient_page(patient, params.title, models, pictures, params.simulated)
    Path(snakemake.output[0]).write_text(
        render(Path(params.templates), "applied_patient.html.j2", page), encoding="utf-8"
    )
    print(f"{patient}: {len(pictures)} phases, {len(models)} models, {page['outside']} inputs outside training")
