"""What feeding apparent scores of images to the learners does to their AUCs."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"zhang2025 on {snakemake.wildcards.cohort}"):
    from hcc_recurrence.figures.inflation import plot_inflation
    from hcc_recurrence.figures.style import save_figure
    from hcc_recurrence.figures.table_pages import write_table
    from hcc_recurrence.files import read_best_auc, read_csv
    from hcc_recurrence.methods.zhang2025.signature import inflation_table

    params, output, asked = snakemake.params, snakemake.output, snakemake.input
    table = inflation_table(read_csv(asked.choices), read_csv(asked.metrics))
    note = (
        "cv_auc: what a learner's own cross-validation on the training patients says of it. As published it is fed "
        "apparent scores, of networks that learned from the same patients, and features selected on all of them; "
        "strict it is fed scores out of fold, and features are selected inside each fold. train: apparent as "
        "published, out of fold strict. Strict: no network saw validation and external patients; as published the "
        "validation patients chose epoch, network and learner."
    )
    write_table("inflation", table, note, params, output)
    figure = plot_inflation(table, params.title, read_best_auc(asked.best_auc))
    save_figure(figure, output.inflation, params.figures, params.mark)
