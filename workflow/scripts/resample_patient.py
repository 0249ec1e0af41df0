"""Bring a patient's images and masks onto a named grid, registered to one phase where the grid says so."""

from pathlib import Path

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"patient {snakemake.wildcards.patient}"):
    import SimpleITK as sitk

    from hcc_recurrence.files import keep_one_copy
    from hcc_recurrence.imaging.nifti import write_image
    from hcc_recurrence.imaging.resampling import normalise_intensity, prepare_image, resample_mask

    params, grid = snakemake.params, snakemake.params.grid

    def natives(kind: str) -> dict[str, sitk.Image]:
        files = sorted(Path(snakemake.input[kind]).glob("*.nii.gz"))
        if kind == "masks" and snakemake.input.predicted:
            files += sorted(Path(snakemake.input.predicted, snakemake.wildcards.patient).glob("*.nii.gz"))
        named = {file.name.removesuffix(".nii.gz"): file for file in files}
        return {n: sitk.ReadImage(str(f)) for n, f in named.items() if n.split(".")[0] in params.phases}

    images = {name: prepare_image(image, grid, params.modality) for name, image in natives("images").items()}
    masks = {name: resample_mask(mask, grid["spacing_mm"]) for name, mask in natives("masks").items()}
    outputs = {kind: Path(snakemake.output[kind]) for kind in ("images", "masks")}
    for folder in outputs.values():
        folder.mkdir(parents=True)
    if grid["register_to"]:
        from hcc_recurrence.files import write_csv
        from hcc_recurrence.imaging.registration import register_patient

        transforms, quality = register_patient(
            images, masks, grid["register_to"], params.readers, params.modality, grid["registration_engine"]
        )
        for phase, transform in transforms.items():
            sitk.WriteTransform(transform, str(outputs["images"] / f"{phase}.tfm"))
        quality.insert(0, "patient_id", snakemake.wildcards.patient)
        write_csv(quality, outputs["images"] / "registration.csv")
        print(quality.to_string())
    images = {name: normalise_intensity(image, grid["normalisation"]) for name, image in images.items()}
    for kind, volumes in (("images", images), ("masks", masks)):
        for name, volume in volumes.items():
            write_image(volume, outputs[kind] / f"{name}.nii.gz")
            print(f"{kind}: {name}.nii.gz")
        # Grids of two methods may be one under two names, and the phase that others are registered to stays as it is.
        others = [f for f in outputs[kind].parents[1].glob(f"*/{snakemake.wildcards.patient}") if f != outputs[kind]]
        print(f"{kind}: {keep_one_copy(outputs[kind], others)} files as on another grid")
