"""Apply an exported model to all patients of a cohort: nothing is fitted, no outcome is read."""

from pathlib import Path

from hcc_recurrence.job import job_log

wildcards, params = snakemake.wildcards, snakemake.params
with job_log(snakemake.log[0], f"{wildcards.bundle} on {wildcards.cohort}"):
    import torch

    from hcc_recurrence.cohort.sheets import clinical_table
    from hcc_recurrence.exported.applying import predict_rows
    from hcc_recurrence.exported.bundle import read_bundle
    from hcc_recurrence.exported.inputs import read_rows
    from hcc_recurrence.files import write_csv

    torch.set_num_threads(snakemake.threads)
    asked = snakemake.input
    bundle = read_bundle(Path(params.folder), Path(params.folder))
    print(f"scores of made-up patients differ by {bundle.check_reference():.3g} from those that came with the model")
    clinical = clinical_table(params.sheet, params.definitions, params.missing_codes, params.patients)
    images = dict(zip(params.images, asked.get("images", []), strict=True))
    rows = read_rows(bundle, {"features": asked.get("features", [])}, images, params.phases, params.reader, clinical)
    write_csv(predict_rows(bundle, rows), snakemake.output.predictions)
    # What the models read, for the comparison with the training patients.
    Path(snakemake.output.inputs).mkdir()
    rows.features.to_parquet(Path(snakemake.output.inputs, "features.parquet"))
    rows.clinical.to_parquet(Path(snakemake.output.inputs, "clinical.parquet"))
