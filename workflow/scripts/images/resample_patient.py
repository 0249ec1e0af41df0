"""Bring a patient's images and masks onto a named grid, that of one phase where the grid registers the others to it."""

from pathlib import Path

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"patient {snakemake.wildcards.patient}"):
    import SimpleITK as sitk

    from hcc_recurrence.files import keep_one_copy
    from hcc_recurrence.imaging.nifti import write_image
    from hcc_recurrence.imaging.resampling import normalise_intensity, prepare_patient

    params, grid = snakemake.params, snakemake.params.grid

    def natives(kind: str) -> dict[str, sitk.Image]:
        files = sorted(Path(snakemake.input[kind]).glob("*.nii.gz"))
        if kind == "masks" and snakemake.input.predicted:
            files += sorted(Path(snakemake.input.predicted, snakemake.wildcards.patient).glob("*.nii.gz"))
        named = {file.name.removesuffix(".nii.gz"): file for file in files}
        return {n: sitk.ReadImage(str(f)) for n, f in named.items() if n.split(".")[0] in params.phases}

    transforms = {Path(file).stem: sitk.ReadTransform(file) for file in snakemake.input.transforms}
    images, masks = prepare_patient(natives("images"), natives("masks"), grid, params.modality, transforms)
    images = {name: normalise_intensity(image, grid["normalisation"]) for name, image in images.items()}
    outputs = {kind: Path(snakemake.output[kind]) for kind in ("images", "masks")}
    for kind, volumes in (("images", images), ("masks", masks)):
        outputs[kind].mkdir(parents=True)
        for name, volume in volumes.items():
            write_image(volume, outputs[kind] / f"{name}.nii.gz")
            print(f"{kind}: {name}.nii.gz")
        # Grids of two methods may be one under two names, and the phase that others are registered to stays as it is.
        others = [f for f in outputs[kind].parents[1].glob(f"*/{snakemake.wildcards.patient}") if f != outputs[kind]]
        print(f"{kind}: {keep_one_copy(outputs[kind], others)} files as on another grid")
