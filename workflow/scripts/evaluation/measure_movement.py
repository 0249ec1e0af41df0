"""How far the networks of a study move when they are trained again, in words, as a table and as a figure."""

from pathlib import Path

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"{snakemake.wildcards.paper} on {snakemake.wildcards.cohort}"):
    import pandas as pd

    from hcc_recurrence.endpoint import use_endpoint
    from hcc_recurrence.figures.html import readable, write_html
    from hcc_recurrence.figures.movement import plot_movement
    from hcc_recurrence.figures.style import save_figure
    from hcc_recurrence.files import read_csv, write_csv
    from hcc_recurrence.statistics.movement import methods_sentence, movement
    from hcc_recurrence.statistics.trained_again import AGAIN_TEXT

    params, output, asked = snakemake.params, snakemake.output, snakemake.input
    use_endpoint(params.endpoint)
    outcome = read_csv(asked.labels).set_index("patient_id")["er"]
    rows, patients = [], []
    for number, model in enumerate(params.networks):
        first = read_csv(asked.first[number])
        for again in AGAIN_TEXT:
            other = read_csv(asked[again][number])
            scores = [table[table["model"] == model] for table in (first, other)]
            summary, moved = movement(*scores, outcome.dropna(), params.resamples, params.seed)
            rows.append({"model": model, "again": again, **summary})
            patients.append(moved.assign(model=model, again=again))
    table, patients = pd.DataFrame(rows), pd.concat(patients, ignore_index=True)
    write_csv(table, output.csv)
    write_csv(patients, output.patients)
    sentence = methods_sentence(table, (params.kernels, params.other_kernels))
    print(sentence)
    Path(output.sentence).write_text(sentence + "\n")
    note = (
        f"Fit {params.fit} again; patients from whom it does not learn. Other kernels: {params.other_kernels}. "
        "Another seed: other starting weights, order of patients and early-stopping set. Changed group: patients on "
        "the other side of the cut-off, which is each training's own. For a methods section: "
    )
    shown = table.assign(again=table["again"].map(AGAIN_TEXT))
    write_html(readable(shown), params.title, output.html, note + sentence, mark=params.mark)
    save_figure(plot_movement(table, patients, params.title), output.figure, params.figures, params.mark)
