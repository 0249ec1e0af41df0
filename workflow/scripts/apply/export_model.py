"""One method on one study as a folder and a zip that another hospital can apply."""

from pathlib import Path

from hcc_recurrence.job import job_log

wildcards = snakemake.wildcards
with job_log(snakemake.log[0], f"export of {wildcards.paper} on {wildcards.cohort}"):
    import pandas as pd

    from hcc_recurrence.cohort.sheets import clinical_table
    from hcc_recurrence.endpoint import use_endpoint
    from hcc_recurrence.exported.about import bundle_name
    from hcc_recurrence.exported.bundle import exporting
    from hcc_recurrence.exported.distribution import acquisition_items, case_mix, clinical_items, tumour_items
    from hcc_recurrence.exported.export import export_model
    from hcc_recurrence.exported.fingerprints import digests_of_folder, fingerprints
    from hcc_recurrence.files import read_csv
    from hcc_recurrence.methods.run import patients_of_split

    params, asked, output = snakemake.params, snakemake.input, snakemake.output
    use_endpoint(params.about["endpoint"])
    patients = patients_of_split(read_csv(asked.split), "train")
    clinical = clinical_table(params.sheet, params.definitions, params.missing_codes, patients)
    series = pd.concat(
        [read_csv(Path(folder) / "acquisition.csv").assign(patient_id=Path(folder).name) for folder in asked.images],
        ignore_index=True,
    )
    tumours = read_csv(asked.tumours)
    series, tumours = (table[table["patient_id"].isin(patients)] for table in (series, tumours))
    about, phases = params.about, params.about["phases"]
    items = [
        *clinical_items(clinical, about["config"]["clinical"]),
        *acquisition_items(series, phases, about["modality"]),
        *tumour_items(tumours, phases, params.reader),
    ]
    seen = None
    if params.training_fingerprints == "keep":
        own = [Path(folder) for folder in asked.images if Path(folder).name in set(patients)]
        images = [found for folder in own for phase, found in digests_of_folder(folder).items() if phase in phases]
        seen = fingerprints(bundle_name(wildcards.paper, wildcards.cohort), images)
    method = exporting(wildcards.paper)
    files = {name: [files] if isinstance(files, str) else list(files) for name, files in asked.items()}
    export_model(
        about,
        {part: Path(folder) for part, folder in zip(params.parts, files["models"], strict=True)},
        dict(zip(params.weights, map(Path, files.get("weights", [])), strict=True)),
        {name: Path(file) for name, file in params.machines.items()},
        method.training_features(files, about | {"reader": params.reader}, patients),
        items,
        case_mix(read_csv(asked.labels), patients),
        read_csv(asked.metrics),
        seen,
        params.training_rows == "leave_out",
        Path(output.folder),
        Path(output.archive),
    )
