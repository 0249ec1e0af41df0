"""What all fits of DL_2.5D chose: network, learner, features."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"zhang2025 on {snakemake.wildcards.cohort}"):
    from hcc_recurrence.figures.grid_search import plot_grid_search
    from hcc_recurrence.figures.style import save_figure
    from hcc_recurrence.figures.table_pages import write_table
    from hcc_recurrence.files import write_csv
    from hcc_recurrence.methods.run import read_tables
    from hcc_recurrence.methods.zhang2025.declare import SIGNATURE
    from hcc_recurrence.methods.zhang2025.signature import choices_table, steps_table

    params, output = snakemake.params, snakemake.output
    choices, steps, grid = (read_tables(snakemake.input, name) for name in ("choices", "steps", "grid"))
    write_csv(choices.drop(columns="seed"), output.choices)
    tables = {
        "learners": (
            choices_table(choices),
            "The fit on all training patients. network_auc: of single images; strict: out of fold, as published: of "
            "the validation patients. cv_auc: the learner's own cross-validation inside the fit, which as published is "
            "fed apparent scores. same network, same learner: fraction of the fits that chose them. The paper's own "
            "outcome: VGG19 and RandomForest.",
        ),
        "selection": (
            steps_table(steps),
            "Features left after each step, on all training patients and over the folds. t-test or Mann-Whitney, "
            "correlation, LASSO, each inside the rows that learn.",
        ),
    }
    for name, (table, note) in tables.items():
        write_table(name, table, note, params, output)
    whole = grid[(grid["variant"] == SIGNATURE) & (grid["repeat"] == 1) & (grid["fold"] == 0)]
    write_csv(whole, output.grid)
    save_figure(plot_grid_search(whole, params.title), output.grid_search, params.figures, params.mark)
