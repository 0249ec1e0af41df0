"""Resample an image and its masks onto a named grid."""

from pathlib import Path

from hcc_recurrence.job import job_log

about = f"patient {snakemake.wildcards.patient}, {snakemake.wildcards.phase}"
with job_log(snakemake.log[0], about):
    import SimpleITK as sitk

    from hcc_recurrence.imaging.resampling import prepare_image, resample_mask

    grid = snakemake.params.grid
    image = sitk.ReadImage(snakemake.input.image)
    prepared = prepare_image(image, grid, snakemake.params.modality)
    sitk.WriteImage(prepared, snakemake.output.image, True, 1)
    folder = Path(snakemake.output.masks)
    folder.mkdir(parents=True)
    for file in sorted(Path(snakemake.input.masks).glob("*.nii.gz")):
        mask = resample_mask(sitk.ReadImage(str(file)), grid["spacing_mm"])
        sitk.WriteImage(mask, str(folder / file.name), True, 1)
