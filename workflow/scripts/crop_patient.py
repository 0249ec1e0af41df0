"""Crop all phases of a patient about the tumour."""

from pathlib import Path

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"patient {snakemake.wildcards.patient}"):
    import numpy as np
    import SimpleITK as sitk

    from hcc_recurrence.imaging.crops import crop_phases

    crop = snakemake.params.crop
    images = [sitk.GetArrayFromImage(sitk.ReadImage(f)) for f in snakemake.input.images]
    mask = sitk.ReadImage(str(Path(snakemake.input.masks[0]) / f"{snakemake.params.reader}.nii.gz"))
    data = crop_phases(
        images,
        sitk.GetArrayFromImage(mask),
        crop["size_voxels"],
        crop["window"] or None,
        crop["masked"],
    )
    unit = "HU" if snakemake.params.modality == "CT" else "signal"
    np.savez_compressed(
        snakemake.output[0],
        image=data,
        axes=np.array(["phase", "z", "y", "x"]),
        phases=np.array(crop["phases"]),
        spacing_mm=np.array(snakemake.params.spacing, np.float32),
        unit=np.array("0 to 1" if crop["window"] else unit),
    )
