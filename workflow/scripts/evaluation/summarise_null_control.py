"""AUCs of a study on permuted outcomes, their summary and figure."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"{snakemake.wildcards.paper} on {snakemake.wildcards.cohort}"):
    import pandas as pd

    from hcc_recurrence.figures.html import readable, write_html
    from hcc_recurrence.figures.null_control import plot_null_control
    from hcc_recurrence.figures.style import save_figure
    from hcc_recurrence.files import read_csv, write_csv
    from hcc_recurrence.statistics.classification import metrics_table
    from hcc_recurrence.statistics.null_control import KEYS, summarise_null_control
    from hcc_recurrence.statistics.single_models import first_repeat

    parts = []
    for number, file in enumerate(snakemake.input.permuted, 1):
        parts.append(metrics_table(first_repeat(read_csv(file)))[[*KEYS, "auc"]].assign(permutation=number))
    aucs = pd.concat(parts, ignore_index=True)
    write_csv(aucs, snakemake.output.aucs)
    observed = metrics_table(first_repeat(read_csv(snakemake.input.observed)))
    summary = summarise_null_control(aucs, observed)
    write_csv(summary, snakemake.output.csv)
    note = (
        f"{len(parts)} permuted outcomes; splits, selection and models learned anew each time. One fitted model "
        "throughout: the first repeat of the permuted outcomes and of the real ones (observed). "
        "strict must centre on 0.5 (near half); what as published shows above it is its optimism."
    )
    if smaller := snakemake.params.smaller:
        note += (
            f" The method does less here than in the study ({smaller}), with permuted and with real outcomes alike: "
            "observed is not the AUC of the study's own table."
        )
    absent = sorted(set(observed["model"]) - set(aucs["model"]))
    if absent:
        note += f" Networks are left out (null_control: networks: true trains them): {', '.join(absent)}."
    write_html(readable(summary), snakemake.params.title, snakemake.output.html, note, mark=snakemake.params.mark)
    figure = plot_null_control(aucs, summary, sorted(aucs["model"].unique()), snakemake.params.title)
    save_figure(figure, snakemake.output.figure, snakemake.params.figures, snakemake.params.mark)
