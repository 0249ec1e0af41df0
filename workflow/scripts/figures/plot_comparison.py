"""Figures of one model against another: AUCs, DeLong P, agreement, optimism, seeds."""

from pathlib import Path

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"{snakemake.wildcards.paper} on {snakemake.wildcards.cohort}"):
    from hcc_recurrence.figures.comparison import (
        plot_agreement,
        plot_aucs,
        plot_delong,
        plot_seeds,
    )
    from hcc_recurrence.figures.forest import plot_optimism
    from hcc_recurrence.figures.style import save_figure
    from hcc_recurrence.files import read_best_auc, read_csv
    from hcc_recurrence.published import with_published

    tables = {name: read_csv(snakemake.input[name]) for name in ("metrics", "delong", "agreement", "optimism", "seeds")}
    best = read_best_auc(snakemake.input.best_auc)
    params, output = snakemake.params, snakemake.output
    metrics = with_published(tables["metrics"], Path(params.published), params.papers)
    for protocol in ("strict", "as_published"):
        figures = {
            "aucs": plot_aucs(metrics, protocol, params.title, best),
        }
        # Of one main model there is no pair.
        if hasattr(output, f"delong_{protocol}"):
            figures["delong"] = plot_delong(tables["delong"], protocol)
            figures["agreement"] = plot_agreement(tables["agreement"], protocol)
        for name, figure in figures.items():
            save_figure(figure, output[f"{name}_{protocol}"], params.figures, params.mark)
    save_figure(
        plot_optimism(tables["optimism"], f"Optimism on {params.title}"),
        output.optimism,
        params.figures,
        params.mark,
    )
    save_figure(plot_seeds(tables["seeds"], params.title), output.seeds, params.figures, params.mark)
