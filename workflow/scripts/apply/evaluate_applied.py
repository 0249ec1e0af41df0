"""External validation of an applied model on patients with an outcome: shared evaluation, case mix, recalibration."""

from pathlib import Path

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"{snakemake.wildcards.bundle} on {snakemake.wildcards.cohort}"):
    from hcc_recurrence.exported.evaluation import (
        FIGURES,
        evaluation_figures,
        evaluation_page,
        evaluation_tables,
    )
    from hcc_recurrence.exported.pages import Picture, marks_of, read_applied, render
    from hcc_recurrence.exported.validation import (
        case_mix_table,
        external_predictions,
        recalibrations,
        sentences,
        sizes,
    )
    from hcc_recurrence.figures.style import save_figure
    from hcc_recurrence.files import read_csv, write_csv

    params, inputs, folder = snakemake.params, snakemake.input, Path(snakemake.output.folder)
    model = read_applied(params.folder, inputs.predictions, inputs.outside)
    labels = read_csv(inputs.labels)
    predictions = external_predictions(model.predictions, labels)
    there = list(dict.fromkeys(predictions["model"]))
    main = [name for name in there if model.about["models"].get(name, {}).get("main", False)] or there
    resamples = params.settings["resamples"]
    tables = evaluation_tables(predictions, main, params.horizon, params.times, resamples, params.seed)
    tables["recalibration"], tables["cutoffs"] = recalibrations(predictions, resamples, params.seed)
    tables["size"] = sizes(predictions, params.settings)
    patients = sorted(model.predictions["patient_id"].unique())
    outcome = labels.set_index("patient_id")["er"].reindex(patients)
    tables["case_mix"] = case_mix_table(model.outside, model.distribution, outcome)
    words = sentences(main, *(tables[name] for name in ("metrics", "recalibration", "cutoffs", "size", "case_mix")))
    for part in ("tables", "figures"):
        (folder / part).mkdir(parents=True)
    write_csv(predictions, folder / "predictions.csv")
    for name, table in tables.items():
        write_csv(table, folder / "tables" / f"{name}.csv")
    marks, pictures = marks_of([model], params.simulated), []
    drawn = evaluation_figures(
        predictions, tables, main, f"{model.title} on {params.title}", params.horizon, resamples, params.seed
    )
    for name, draw in drawn.items():
        png = folder / "figures" / f"{name}.png"
        files = [str(png.with_suffix(ending)) for ending in (".png", ".pdf", ".svg", ".numbers.csv")]
        save_figure(draw(), files, params.figures, " ".join(marks[1:]))
        pictures.append(Picture(FIGURES[name], png.read_bytes(), kind="png"))
    page = evaluation_page(model.title, params.title, marks, tables, words, pictures, resamples)
    (folder / "evaluation.html").write_text(
        render(Path(params.templates), "applied_evaluation.html.j2", page), encoding="utf-8"
    )
    print("\n".join(words))
