"""Crop all phases of a patient about the tumour."""

from pathlib import Path

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"patient {snakemake.wildcards.patient}"):
    import numpy as np
    import SimpleITK as sitk

    from hcc_recurrence.imaging.crops import crop_phases, scale_window, tumour_slices

    params, crop = snakemake.params, snakemake.params.crop
    window = crop["window"] or None

    def volume(kind: str, name: str) -> np.ndarray:
        return sitk.GetArrayFromImage(sitk.ReadImage(str(Path(snakemake.input[kind], f"{name}.nii.gz"))))

    images = [volume("images", phase) for phase in params.phases]
    mask = volume("masks", f"{params.phases[0]}.{params.reader}")
    if crop["fit"] == "slices":
        images = [scale_window(image, window) if window else image for image in images]
        data, inside = tumour_slices(images, mask, crop["size_voxels"], crop["margin"])
    else:
        data, inside = crop_phases(images, mask, crop["size_voxels"], window, crop["masked"])
    unit = "HU" if params.modality == "CT" else "signal"
    np.savez_compressed(
        snakemake.output[0],
        image=data,
        mask=inside,
        axes=np.array(["phase", "z", "y", "x"]),
        phases=np.array(params.phases),
        # Of the grid; slices are resized, each to its tumour.
        spacing_mm=np.array(params.spacing, np.float32),
        unit=np.array("0 to 1" if window or params.normalised else unit),
    )
