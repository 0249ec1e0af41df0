"""Extract the radiomics features of every reader's masks of one patient."""

from pathlib import Path

from hcc_recurrence.job import job_log

wildcards = snakemake.wildcards
with job_log(snakemake.log[0], f"patient {wildcards.patient}"):
    import SimpleITK as sitk

    from hcc_recurrence.radiomics.extraction import extract_features
    from hcc_recurrence.radiomics.tables import write_features

    folder = Path(snakemake.output[0])
    folder.mkdir(parents=True)
    for phase in snakemake.params.phases:
        files = sorted(Path(snakemake.input.masks).glob(f"{phase}.*.nii.gz"))
        masks = {file.name.split(".")[1]: sitk.ReadImage(str(file)) for file in files}
        image = sitk.ReadImage(f"{snakemake.input.images}/{phase}.nii.gz")
        print(f"{phase}: readers {', '.join(masks)}")
        try:
            features = extract_features(image, masks, snakemake.params.settings)
        except ValueError as error:
            raise ValueError(f"{phase}: {error}") from error
        write_features(folder / f"{phase}.feather", wildcards.patient, phase, features)
