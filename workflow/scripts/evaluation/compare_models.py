"""Every model against every other, strict against as published, seed against seed."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"{snakemake.wildcards.paper} on {snakemake.wildcards.cohort}"):
    from hcc_recurrence.figures.html import readable, write_html
    from hcc_recurrence.files import read_csv, write_csv
    from hcc_recurrence.statistics.comparisons import (
        agreement_table,
        auc_by_seed,
        delong_pairs,
        optimism_table,
        training_against_others,
    )

    params, output = snakemake.params, snakemake.output
    predictions, metrics = read_csv(snakemake.input.predictions), read_csv(snakemake.input.metrics)
    models = sorted(predictions["model"].unique())
    pairs = delong_pairs(predictions, models, params.main)
    write_csv(pairs, output.delong)
    note = (
        "Paired DeLong tests on the same patients; out of fold within folds. With several repeats, repeat beside "
        "repeat: difference and variance are means over the repeats of single models. Holm: over a family's pairs."
    )
    write_html(readable(pairs), params.title, output.delong_html, note, mark=params.mark)
    against = training_against_others(metrics, predictions)
    write_csv(against, output.training)
    note = (
        "Each model's AUC on training patients minus its AUC on the others (unpaired DeLong), as Zhao 2024, Table 4; "
        "with several repeats both are means of single models."
    )
    write_html(readable(against), params.title, output.training_html, note, mark=params.mark)
    optimism = optimism_table(predictions, params.resamples, params.seed)
    write_csv(optimism, output.optimism)
    note = (
        "AUC as published (one fitted model) minus strict (mean over repeats of single models, with their standard "
        "deviation), on the same patients; 95% interval by bootstrap over patients "
        f"({params.resamples} resamples), with the fitted models as they are."
    )
    write_html(readable(optimism), params.title, output.optimism_html, note, mark=params.mark)
    write_csv(agreement_table(predictions, models, params.main), output.agreement)
    write_csv(auc_by_seed(predictions), output.seeds)
