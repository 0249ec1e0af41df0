"""Crop all phases of a patient about the tumour."""

from pathlib import Path

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"patient {snakemake.wildcards.patient}"):
    import numpy as np
    import SimpleITK as sitk

    from hcc_recurrence.imaging.patient_crops import crop_of_patient, placing_phases

    params, crop = snakemake.params, snakemake.params.crop

    def volume(kind: str, name: str) -> sitk.Image:
        return sitk.ReadImage(str(Path(snakemake.input[kind], f"{name}.nii.gz")))

    images = [volume("images", phase) for phase in params.phases]
    masks = [volume("masks", f"{phase}.{params.readers[phase]}") for phase in placing_phases(crop, params.phases)]
    data, inside = crop_of_patient(images, masks, params.phases, crop)
    unit = "HU" if params.modality == "CT" else "signal"
    units = {"none": unit, "zscore_body": "0 to 1", "percentile_0_255": "0 to 255", "minmax_0_255": "0 to 255"}
    np.savez_compressed(
        snakemake.output[0],
        image=data,
        mask=inside,
        axes=np.array(["phase", "z", "y", "x"]),
        phases=np.array(params.phases),
        # Of each phase, before slices are resized, each to its tumour.
        spacing_mm=np.array([image.GetSpacing()[::-1] for image in images], np.float32),
        unit=np.array("0 to 1" if crop["window"] else units[params.normalisation]),
    )
