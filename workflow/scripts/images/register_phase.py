"""Register one phase of a patient to another, as both were acquired."""

from pathlib import Path

from hcc_recurrence.job import job_log

wildcards, params = snakemake.wildcards, snakemake.params
with job_log(snakemake.log[0], f"patient {wildcards.patient}, {wildcards.phase} phase"):
    import SimpleITK as sitk

    from hcc_recurrence.imaging.registration import register_rigid, write_quality

    folders = [Path(snakemake.input.images), Path(snakemake.input.masks)]
    if snakemake.input.predicted:
        folders.append(Path(snakemake.input.predicted, wildcards.patient))

    def native(name: str) -> sitk.Image | None:
        """An image or mask as converted; None where there is none."""
        files = [folder / f"{name}.nii.gz" for folder in folders]
        return next((sitk.ReadImage(str(file)) for file in files if file.is_file()), None)

    pair = (params.registration["phase"], wildcards.phase)
    images = [native(phase) for phase in pair]
    if images[0] is None or images[1] is None:
        raise ValueError(f"the {wildcards.phase} phase is registered to the {pair[0]} phase, and one is not there")
    masks = [native(f"{phase}.{params.readers.get(phase)}") for phase in pair]
    found = register_rigid(*images, *masks, params.modality, params.registration["engine"])
    sitk.WriteTransform(found.transform, snakemake.output.transform)
    write_quality(wildcards.patient, wildcards.phase, found, Path(snakemake.output.quality))
    print(found)
