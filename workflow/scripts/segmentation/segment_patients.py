"""Masks and features of a batch of patients by the networks that find the tumour."""

from pathlib import Path

from hcc_recurrence.job import job_log

wildcards, params = snakemake.wildcards, snakemake.params
with job_log(snakemake.log[0], f"{wildcards.unet} on {wildcards.cohort}, batch {wildcards.batch}"):
    import SimpleITK as sitk
    import torch

    from hcc_recurrence.files import write_csv
    from hcc_recurrence.imaging.nifti import write_image
    from hcc_recurrence.imaging.planes import largest_part, mask_of_planes
    from hcc_recurrence.networks.training import load_weights
    from hcc_recurrence.networks.unet import build_unet, feature_names
    from hcc_recurrence.segmentation import Segmented, segment_case

    torch.set_num_threads(snakemake.threads)
    unet, folder = params.unet, Path(snakemake.output[0])
    found = Segmented(feature_names(unet["layers"], unet["channels"]))
    networks = {}
    for phase, file in zip(params.phases, snakemake.input.networks, strict=True):
        networks[phase] = build_unet(unet["channels"])
        load_weights(networks[phase], file)
    for images, masks in zip(snakemake.input.images, snakemake.input.masks, strict=True):
        patient = Path(images).name
        (folder / patient).mkdir(parents=True)
        for phase in params.phases:
            if not Path(images, f"{phase}.nii.gz").is_file():
                continue
            image = sitk.ReadImage(f"{images}/{phase}.nii.gz")
            manual = Path(masks, f"{phase}.{params.reader}.nii.gz")
            reference = sitk.ReadImage(str(manual)) if manual.is_file() else None
            planes, probability = segment_case(
                found, networks[phase], image, reference, unet, params.modality, (patient, phase), params.device
            )
            mask = largest_part(mask_of_planes(probability, planes, image))
            found.compare(mask, reference, (patient, phase), phase in params.needed.get(patient, []))
            write_image(mask, folder / patient / f"{phase}.unet.nii.gz")
    found.refuse_empty()
    found.features().to_parquet(folder / "features.parquet", index=False)
    write_csv(found.patients(), folder / "dice.csv")
    write_csv(found.slices(), folder / "dice_slices.csv")
    found.save_pictures(folder / "outlines.npz")
