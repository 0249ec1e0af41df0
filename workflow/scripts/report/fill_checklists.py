"""Fill the reporting checklists of a study from its run."""

from importlib.metadata import version
from pathlib import Path

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"{snakemake.wildcards.paper} on {snakemake.wildcards.cohort}"):
    from importlib import import_module

    from hcc_recurrence.checklists import NOTE, SOURCES, Run, evidence, fill_checklist, read_checklist
    from hcc_recurrence.cohort.labels import read_labels
    from hcc_recurrence.endpoint import use_endpoint
    from hcc_recurrence.figures.html import write_html
    from hcc_recurrence.files import read_csv, write_csv
    from hcc_recurrence.statistics.classification import metrics_table

    use_endpoint(snakemake.params.endpoint)
    params = snakemake.params
    tables = {name: read_csv(snakemake.input[name]) for name in ("split", "metrics", "calibration")}
    tables["delong"] = read_csv(snakemake.input.delong)
    # None in a study without clinical variables.
    tables["baseline"] = read_csv(snakemake.input.baseline) if snakemake.input.baseline else None
    tables["comparison"] = metrics_table(read_csv(snakemake.input.comparators))
    tables["labels"] = read_labels(snakemake.input.labels)
    tables["acquisition"] = read_csv(snakemake.input.acquisition)
    masks = read_csv(snakemake.input.masks)
    packages = ("snakemake", "pyradiomics-bhklab", "scikit-learn", "SimpleITK", "statsmodels", "lifelines")
    run = Run(
        folder=snakemake.wildcards.paper,
        readers=masks.groupby("reader")["patient_id"].nunique().to_dict(),
        versions={name: version(name) for name in packages},
        main=params.main,
        networks=params.networks,
        **params.about,
        **tables,
    )
    facts = evidence(run, import_module(params.module).evidence(run) if params.module else None)
    for name, source in SOURCES.items():
        filled = fill_checklist(read_checklist(Path(params.folder), name), facts)
        write_csv(filled, snakemake.output[f"{name}_csv"])
        write_html(
            filled,
            f"{name.replace('_', '+')}, {run.cohort['title']}",
            snakemake.output[name],
            f"{source}. {NOTE}",
            mark=params.mark,
        )
