"""Training AUC of both networks three ways, and SS against NSS by the number of patients that train."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"cui2022 on {snakemake.wildcards.cohort}"):
    import pandas as pd

    from hcc_recurrence.cohort.fit import LEFT_OUT
    from hcc_recurrence.figures.learning_curve import plot_learning_curve
    from hcc_recurrence.figures.style import save_figure
    from hcc_recurrence.figures.table_pages import write_table
    from hcc_recurrence.files import read_best_auc, read_csv
    from hcc_recurrence.learning.network_scores import read_fits
    from hcc_recurrence.methods.cui2022.fit import ensemble_table, learning_curve

    params, output, asked = snakemake.params, snakemake.output, snakemake.input
    labels, split = read_csv(asked.labels), read_csv(asked.split)
    scores = read_fits(asked.scores)
    table = ensemble_table(labels, scores, read_csv(asked.metrics))
    note = (
        "apparent: the mean of the networks of all folds, on the patients that trained them (as published). deciding "
        "folds: each patient by the network of which the held-out fold was the early-stopping set (mean over folds). "
        "strict: by a network whose early-stopping set is of the other folds."
    )
    write_table("ensemble", table, note, params, output)
    whole = scores[(scores["tuned_on"] != LEFT_OUT) & (scores["repeat"] == 1)]
    # `training_shares: []` asks for no further trainings: the curve is a point then.
    smaller = [read_fits(asked.curve)] if asked.curve else []
    curve = learning_curve(labels, split, pd.concat([*smaller, whole]), params.shares)
    note = (
        "Strict, out of fold, first repeat: AUC (mean over folds), and SS minus NSS by the paired DeLong test within "
        "folds, same patients and folds. trained: mean number of patients that fitted. Smaller fractions are part "
        "of larger ones. Where the table of networks counts no fit better than chance, none of this says anything."
    )
    write_table("curve", curve, note, params, output)
    figure = plot_learning_curve(curve, read_best_auc(asked.best_auc), f"{params.title}: strict, out of fold")
    save_figure(figure, output.learning_curve, params.figures, params.mark)
