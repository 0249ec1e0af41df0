"""Convert one DICOM series and the masks drawn on it to NIfTI."""

from pathlib import Path

from hcc_recurrence.job import job_log

about = f"patient {snakemake.wildcards.patient}, {snakemake.wildcards.phase}"
with job_log(snakemake.log[0], about):
    import SimpleITK as sitk

    from hcc_recurrence.cohort.dicom_series import read_series
    from hcc_recurrence.cohort.masks import read_mask

    simulated = snakemake.input.get("simulated")
    root = Path(simulated).parent if simulated else Path(snakemake.params.root)
    image = read_series(root / snakemake.params.series["path"], snakemake.params.series["series_uid"])
    sitk.WriteImage(image, snakemake.output.image, True, 1)
    folder = Path(snakemake.output.masks)
    folder.mkdir(parents=True)
    for reader, (path, label) in snakemake.params.masks.items():
        mask = read_mask(root / path, label, image)
        sitk.WriteImage(mask, str(folder / f"{reader}.nii.gz"), True, 1)
        print(f"reader {reader}: {sitk.GetArrayViewFromImage(mask).sum()} voxels")
