"""Crop all phases of a patient about the tumour."""

from pathlib import Path

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"patient {snakemake.wildcards.patient}"):
    import numpy as np
    import SimpleITK as sitk

    from hcc_recurrence.imaging.crops import crop_phases

    crop = snakemake.params.crop
    images = [
        sitk.GetArrayFromImage(sitk.ReadImage(f"{snakemake.input.images}/{phase}.nii.gz")) for phase in crop["phases"]
    ]
    name = f"{crop['phases'][0]}.{snakemake.params.reader}.nii.gz"
    mask = sitk.ReadImage(str(Path(snakemake.input.masks) / name))
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
