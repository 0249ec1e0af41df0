"""Resample a patient's images and masks onto a named grid."""

from pathlib import Path

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"patient {snakemake.wildcards.patient}"):
    import SimpleITK as sitk

    from hcc_recurrence.imaging.resampling import prepare_image, resample_mask

    grid = snakemake.params.grid
    for kind in ("images", "masks"):
        folder = Path(snakemake.output[kind])
        folder.mkdir(parents=True)
        for file in sorted(Path(snakemake.input[kind]).glob("*.nii.gz")):
            native = sitk.ReadImage(str(file))
            if kind == "images":
                resampled = prepare_image(native, grid, snakemake.params.modality)
            else:
                resampled = resample_mask(native, grid["spacing_mm"])
            sitk.WriteImage(resampled, str(folder / file.name), True, 1)
            print(f"{kind}: {file.name}")
