"""External validation of an applied model on patients with an outcome: shared evaluation, case mix, recalibration."""

from pathlib import Path

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"{snakemake.wildcards.bundle} on {snakemake.wildcards.cohort}"):
    from hcc_recurrence.endpoint import use_endpoint
    from hcc_recurrence.exported.evaluation import (
        empty_page,
        evaluation_figures,
        evaluation_page,
        evaluation_tables,
        figure_title,
    )
    from hcc_recurrence.exported.pages import Picture, marks_of, read_applied, render
    from hcc_recurrence.exported.validation import (
        case_mix_table,
        external_predictions,
        left_out_words,
        nobody_words,
        recalibrations,
        sentences,
        sizes,
        without_training_patients,
    )
    from hcc_recurrence.figures.style import save_figure
    from hcc_recurrence.files import read_csv, write_csv

    params, inputs, folder = snakemake.params, snakemake.input, Path(snakemake.output.folder)
    model = read_applied(params.folder, inputs.predictions, inputs.outside)
    use_endpoint(model.about["endpoint"]["words"])
    applied, outside, labels, gone = without_training_patients(
        model.predictions, model.outside, read_csv(inputs.labels)
    )
    for part in ("tables", "figures"):
        (folder / part).mkdir(parents=True)
    write_csv(gone, folder / "left_out.csv")
    marks, pictures, words = marks_of([model], params.simulated), [], left_out_words(gone, outside)
    predictions = external_predictions(applied, labels, whole=True)
    write_csv(predictions, folder / "predictions.csv")
    if predictions.empty:
        words.append(nobody_words(labels, gone))
        page = empty_page(model.title, params.title, marks, words)
    else:
        there = list(dict.fromkeys(predictions["model"]))
        main = [name for name in there if model.about["models"].get(name, {}).get("main", False)] or there
        resamples = params.settings["resamples"]
        tables = evaluation_tables(predictions, main, params.horizon, params.times, resamples, params.seed)
        tables["recalibration"], tables["cutoffs"] = recalibrations(predictions, resamples, params.seed)
        tables["size"] = sizes(predictions, params.settings)
        outcome = labels.set_index("patient_id")["er"].reindex(sorted(applied["patient_id"].unique()))
        tables["case_mix"] = case_mix_table(outside, model.distribution, outcome)
        told = (tables[name] for name in ("metrics", "recalibration", "cutoffs", "size", "case_mix"))
        words += sentences(main, *told)
        for name, table in tables.items():
            write_csv(table, folder / "tables" / f"{name}.csv")
        drawn = evaluation_figures(
            predictions, tables, main, f"{model.title} on {params.title}", params.horizon, resamples, params.seed
        )
        for name, draw in drawn.items():
            png = folder / "figures" / f"{name}.png"
            files = [str(png.with_suffix(ending)) for ending in (".png", ".pdf", ".svg", ".numbers.csv")]
            save_figure(draw(), files, params.figures, ". ".join(model.about["marks"]))
            pictures.append(Picture(figure_title(name), png.read_bytes(), kind="png"))
        page = evaluation_page(model.title, params.title, marks, tables, words, pictures, resamples)
    (folder / "evaluation.html").write_text(
        render(Path(params.templates), "applied_evaluation.html.j2", page), encoding="utf-8"
    )
    print("\n".join(words))
