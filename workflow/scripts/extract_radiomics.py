"""Extract the radiomics features of every reader's mask of one phase."""

from pathlib import Path

from hcc_recurrence.job import job_log

wildcards = snakemake.wildcards
with job_log(snakemake.log[0], f"patient {wildcards.patient}, {wildcards.phase}"):
    import SimpleITK as sitk

    from hcc_recurrence.radiomics.extraction import extract_features
    from hcc_recurrence.radiomics.tables import write_features

    masks = {
        file.name.split(".")[1]: sitk.ReadImage(str(file))
        for file in sorted(Path(snakemake.input.masks).glob(f"{wildcards.phase}.*.nii.gz"))
    }
    image = sitk.ReadImage(f"{snakemake.input.images}/{wildcards.phase}.nii.gz")
    features = extract_features(image, masks, snakemake.params.settings)
    write_features(snakemake.output[0], wildcards.patient, wildcards.phase, features)
