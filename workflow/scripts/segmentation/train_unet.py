"""Train the U-Net of one phase on slices of the patients that were drawn for it."""

from pathlib import Path

from hcc_recurrence.job import job_log

wildcards, params = snakemake.wildcards, snakemake.params
with job_log(snakemake.log[0], f"{wildcards.unet}, {wildcards.phase} phase, on {wildcards.cohort}"):
    import numpy as np
    import pandas as pd
    import SimpleITK as sitk
    import torch

    from hcc_recurrence.files import write_csv
    from hcc_recurrence.imaging.planes import mask_planes, tumour_and_other_slices
    from hcc_recurrence.networks.machine import describe_machine, of_training, write_machine
    from hcc_recurrence.networks.segmentation import train_segmentation
    from hcc_recurrence.networks.training import save_network
    from hcc_recurrence.networks.unet import build_unet
    from hcc_recurrence.numerics import processor_facts
    from hcc_recurrence.segmentation import case_planes

    torch.set_num_threads(snakemake.threads)
    machine = describe_machine(params.numerics, params.device, processor_facts()[0])
    unet, output = params.unet, snakemake.output
    generator = np.random.default_rng(params.seed)
    parts = {"fitted": [], "inner": []}
    for folder, masks in zip(snakemake.input.images, snakemake.input.masks, strict=True):
        patient = Path(folder).name
        image = sitk.ReadImage(f"{folder}/{wildcards.phase}.nii.gz")
        mask = sitk.ReadImage(f"{masks}/{wildcards.phase}.{params.reader}.nii.gz")
        planes = case_planes(image, unet, params.modality, (patient, wildcards.phase))
        truth = mask_planes(mask, planes)
        if params.parts[patient] == "fitted":
            reach = round(unet["reach_mm"] / planes.volume.GetSpacing()[2])
            chosen = tumour_and_other_slices(truth, reach, generator)
        else:
            chosen = np.arange(len(truth))
        parts[params.parts[patient]].append((planes.values[chosen], truth[chosen]))
    fitted = tuple(np.concatenate(arrays) for arrays in zip(*parts["fitted"], strict=True))
    print(
        f"{len(fitted[0])} slices of {len(parts['fitted'])} patients; {len(parts['inner'])} patients choose the epoch"
    )
    torch.manual_seed(params.seed)
    network = build_unet(unet["channels"])
    # The epoch is chosen at the end: none gets no better for longer than there are epochs.
    settings = {**unet, "patience": unet["epochs"]}
    state = Path(output.network).parent / "state" / f"{wildcards.phase}.pt"
    history = train_segmentation(
        network, fitted, parts["inner"], settings, params.seed, state, of_training(params.code, machine), params.device
    )
    save_network(network, {"settings": unet, "parts": params.parts, "phase": wildcards.phase}, output.network)
    names = {"cohort": wildcards.cohort, "paper": "segmentation", "network": wildcards.unet, "fit": wildcards.phase}
    write_machine(names, machine, output.machine)
    write_csv(pd.DataFrame(history).assign(phase=wildcards.phase), output.history)
