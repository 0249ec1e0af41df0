"""Bring a patient's images and masks onto a named grid, registered to one phase where the grid says so."""

from pathlib import Path

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"patient {snakemake.wildcards.patient}"):
    import SimpleITK as sitk

    from hcc_recurrence.files import write_csv
    from hcc_recurrence.imaging.resampling import prepare_image, resample_mask

    grid, params = snakemake.params.grid, snakemake.params
    found = {}
    for kind in ("images", "masks"):
        files = sorted(Path(snakemake.input[kind]).glob("*.nii.gz"))
        natives = {file.name.removesuffix(".nii.gz"): sitk.ReadImage(str(file)) for file in files}
        if kind == "images":
            found[kind] = {name: prepare_image(image, grid, params.modality) for name, image in natives.items()}
        else:
            found[kind] = {name: resample_mask(mask, grid["spacing_mm"]) for name, mask in natives.items()}
    transforms, quality = {}, None
    if grid["register_to"]:
        from hcc_recurrence.imaging.registration import register_patient

        transforms, quality = register_patient(found["images"], found["masks"], grid["register_to"], params.reader)
    for kind, volumes in found.items():
        folder = Path(snakemake.output[kind])
        folder.mkdir(parents=True)
        for name, volume in volumes.items():
            sitk.WriteImage(volume, str(folder / f"{name}.nii.gz"), True, 1)
            print(f"{kind}: {name}.nii.gz")
    for phase, transform in transforms.items():
        sitk.WriteTransform(transform, str(Path(snakemake.output.images, f"{phase}.tfm")))
    if quality is not None:
        quality["patient_id"] = snakemake.wildcards.patient
        write_csv(quality, Path(snakemake.output.images, "registration.csv"))
        print(quality.to_string())
