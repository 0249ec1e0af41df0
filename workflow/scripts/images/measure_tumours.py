"""Measure the tumour volumes of a cohort from its native masks."""

from pathlib import Path

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"cohort {snakemake.wildcards.cohort}"):
    import pandas as pd
    import SimpleITK as sitk

    from hcc_recurrence.files import write_csv
    from hcc_recurrence.imaging.crops import mask_volume_ml

    rows = []
    asked = snakemake.input
    for folder in [*asked.manual, *(own for batch in asked.predicted for own in sorted(Path(batch).glob("*/")))]:
        for file in sorted(Path(folder).glob("*.nii.gz")):
            phase, reader = file.name.removesuffix(".nii.gz").split(".")
            mask = sitk.ReadImage(str(file))
            volume = mask_volume_ml(sitk.GetArrayViewFromImage(mask), mask.GetSpacing())
            rows.append({"patient_id": Path(folder).name, "phase": phase, "reader": reader, "volume_ml": volume})
    write_csv(pd.DataFrame(rows), snakemake.output[0])
