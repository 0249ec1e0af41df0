"""Crop all phases of a patient about the tumour."""

from pathlib import Path

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"patient {snakemake.wildcards.patient}"):
    import numpy as np
    import SimpleITK as sitk

    from hcc_recurrence.imaging.crops import crop_phases, largest_nodule, scale_window, tumour_slices
    from hcc_recurrence.imaging.views import tumour_views

    params, crop = snakemake.params, snakemake.params.crop
    window = crop["window"] or None

    def volume(kind: str, name: str) -> sitk.Image:
        return sitk.ReadImage(str(Path(snakemake.input[kind], f"{name}.nii.gz")))

    acquired = [volume("images", phase) for phase in params.phases]
    images = [sitk.GetArrayFromImage(image) for image in acquired]
    # Each phase by its own mask, or all by that of the first.
    placing = params.phases if crop["place"] == "each_phase" else params.phases[:1]
    masks = [sitk.GetArrayFromImage(volume("masks", f"{phase}.{params.readers[phase]}")) for phase in placing]
    if crop["nodule"] == "largest":
        masks = [largest_nodule(mask) for mask in masks]
    if crop["fit"] == "voxels":
        data, inside = crop_phases(images, masks[0], crop["size_voxels"], window, crop["masked"])
    else:
        for phase, image in zip(params.phases, acquired, strict=True):
            x, y = image.GetSpacing()[:2]
            if abs(x - y) > 0.01 * max(x, y):
                raise ValueError(
                    f"{phase}: pixels of {y:g} by {x:g} mm are not square, and slices would be distorted. "
                    "What to do: give the grid of these crops a spacing_mm"
                )
        images = [scale_window(image, window) if window else image for image in images]
        if crop["fit"] == "views":
            how = (crop["margin"], crop["resize"] == "nearest", crop["masked"])
            data, inside = tumour_views(images, masks[0], crop["views"], crop["size_voxels"][1:], *how)
        else:
            data, inside = tumour_slices(images, masks, crop["size_voxels"], crop["margin"], crop["masked"])
            inside = inside if crop["place"] == "each_phase" else inside[0]
    unit = "HU" if params.modality == "CT" else "signal"
    units = {"none": unit, "zscore_body": "0 to 1", "percentile_0_255": "0 to 255", "minmax_0_255": "0 to 255"}
    np.savez_compressed(
        snakemake.output[0],
        image=data,
        mask=inside,
        axes=np.array(["phase", "z", "y", "x"]),
        phases=np.array(params.phases),
        # Of each phase, before slices are resized, each to its tumour.
        spacing_mm=np.array([image.GetSpacing()[::-1] for image in acquired], np.float32),
        unit=np.array("0 to 1" if window else units[params.normalisation]),
    )
