"""The networks of Cui 2022 on the masks of other readers, against those of the study's own (Figure S1)."""

from pathlib import Path

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"cui2022 on {snakemake.wildcards.cohort}"):
    import pandas as pd
    import torch

    from hcc_recurrence.cohort.fit import Fit
    from hcc_recurrence.endpoint import use_endpoint
    from hcc_recurrence.figures.second_reader import plot_second_reader
    from hcc_recurrence.figures.style import save_figure
    from hcc_recurrence.figures.table_pages import write_table
    from hcc_recurrence.files import read_csv
    from hcc_recurrence.methods.cui2022.second_reader import (
        NOBODY,
        boxes_of_reader,
        nobody_outside,
        reader_scores,
        reader_table,
        scores_of,
    )

    params, output, asked = snakemake.params, snakemake.output, snakemake.input
    torch.set_num_threads(snakemake.threads)
    use_endpoint(params.endpoint)
    split = read_csv(asked.split).set_index("patient_id")["split"]
    predictions, parts = read_csv(asked.predictions), []
    for reader, known in params.readers.items():
        patients = [p for p in known if split.get(p, "train") != "train"]
        if not patients:
            print(f"{reader} has no mask of a patient outside training")
            continue
        folders = {p: (Path(asked.images[i]), Path(asked.masks[i])) for i, p in enumerate(params.patients)}
        boxes = boxes_of_reader({p: folders[p] for p in patients}, reader, params.phases, params.crops)
        for folder in asked.models:
            found = scores_of(Path(folder), boxes, params.crops, patients)
            parts.append(reader_scores(reader, found, predictions, Fit.parse(Path(folder).name).protocol, split))
    scores = pd.concat(parts or [NOBODY], ignore_index=True)
    table = reader_table(scores) if parts else nobody_outside(params.readers)
    note = (
        "Patients outside training whom another reader outlined as well; the networks are the same (first repeat). "
        "difference: AUC by the study's masks less AUC by the other reader's, paired DeLong. median and largest "
        "change: of a patient's probability."
    )
    write_table("second_reader", table, note, params, output)
    save_figure(plot_second_reader(scores, table, params.title), output.second_reader, params.figures, params.mark)
