"""Agreement of the readers' features, by family."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"{snakemake.wildcards.paper} on {snakemake.wildcards.cohort}"):
    import pandas as pd

    from hcc_recurrence.figures.html import write_html
    from hcc_recurrence.figures.reproducibility import plot_reproducibility
    from hcc_recurrence.figures.style import save_figure
    from hcc_recurrence.files import write_csv
    from hcc_recurrence.radiomics.reproducibility import reproducibility_table, survivors
    from hcc_recurrence.radiomics.tables import join_phases

    params, output = snakemake.params, snakemake.output
    tables = dict(zip(params.phases, [pd.read_parquet(f) for f in snakemake.input.radiomics], strict=True))
    table = reproducibility_table(join_phases(tables, params.patients, params.reader))
    write_csv(table, output.csv)
    counts = survivors(table, params.threshold)
    note = (
        f"Features above {params.threshold:g} between reader {params.reader} and each other one, over all patients "
        "read by both. The strict protocol filters by the training patients of each fold alone."
    )
    write_html(counts, params.title, output.html, note, mark=params.mark)
    save_figure(
        plot_reproducibility(counts, params.threshold, params.title), output.figure, params.figures, params.mark
    )
