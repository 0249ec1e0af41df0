"""Draw the grid of signatures of Yan 2023, and what choosing on the validation patients does."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"yan2023 on {snakemake.wildcards.cohort}"):
    from hcc_recurrence.figures.signature_grid import plot_choice, plot_grid
    from hcc_recurrence.figures.style import save_figure
    from hcc_recurrence.files import read_best_auc, read_csv
    from hcc_recurrence.methods.yan2023.declare import PHASE_NAMES

    params, output = snakemake.params, snakemake.output
    grid = read_csv(snakemake.input.grid)
    grid["phase"] = grid["phase"].map(PHASE_NAMES)
    for protocol in ("strict", "as_published"):
        figure = plot_grid(grid, protocol, params.title)
        save_figure(figure, output[f"grid_{protocol}"], params.figures, params.mark)
    reachable = read_best_auc(snakemake.input.best_auc)
    figure = plot_choice(grid, read_csv(snakemake.input.metrics), params.title, reachable)
    save_figure(figure, output.choice, params.figures, params.mark)
