"""Dice of automatic and manual masks, and pictures of both outlines."""

from hcc_recurrence.job import job_log

wildcards, params = snakemake.wildcards, snakemake.params
with job_log(snakemake.log[0], f"{wildcards.unet} on {wildcards.cohort}"):
    import numpy as np
    import pandas as pd

    from hcc_recurrence.figures.html import readable, write_html
    from hcc_recurrence.figures.segmentation import plot_dice, plot_outlines
    from hcc_recurrence.figures.style import save_figure
    from hcc_recurrence.files import read_csv, write_csv
    from hcc_recurrence.segmentation import dice_table, part_of

    asked, output = snakemake.input, snakemake.output
    tables = {}
    for name in ("dice", "dice_slices"):
        table = pd.concat([read_csv(f"{folder}/{name}.csv") for folder in asked.batches], ignore_index=True)
        tables[name] = table.assign(part=part_of(table["patient_id"], params.parts, params.external))
    patients, slices = tables["dice"], tables["dice_slices"]
    write_csv(patients, output.patients)
    write_csv(slices, output.slices)
    histories = pd.concat([read_csv(f) for f in asked.histories])
    title = f"{params.title}: {wildcards.unet}"
    save_figure(plot_dice(patients, histories, title), output.dice, params.figures)
    pictures = {}
    for folder in asked.batches:
        with np.load(f"{folder}/outlines.npz", allow_pickle=False) as stored:
            pictures.update({name: stored[name] for name in stored.files})
    save_figure(plot_outlines(patients, pictures, title), output.outlines, params.figures)
    note = (
        "Dice of the largest connected part of the automatic mask and the manual one, of whole volumes on the series' "
        "voxels; slice dice: of the network's slices that hold tumour in the manual mask. trained with: these "
        "patients trained the network, and their overlap says nothing of new ones; unseen: they are new to it. "
        "nothing found: patients without any predicted voxel."
    )
    write_html(readable(dice_table(patients, slices)), params.title, output.html, note)
