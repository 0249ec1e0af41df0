"""Predictions of clinical scores and of the confounders volume and centre."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"comparators on {snakemake.wildcards.cohort}"):
    from hcc_recurrence.cohort.clinical_scores import clinical_scores
    from hcc_recurrence.cohort.sheets import clinical_table
    from hcc_recurrence.files import read_csv, write_csv
    from hcc_recurrence.learning.comparators import centre_columns, one_score_models
    from hcc_recurrence.radiomics.tables import AUTOMATIC

    params = snakemake.params
    split = read_csv(snakemake.input.split)
    labels = read_csv(snakemake.input.labels)
    patients = list(split["patient_id"])
    clinical = clinical_table(params.sheet, params.definitions, params.missing_codes, patients)
    units = {name: definition["unit"] for name, definition in params.definitions.items()}
    scores, skipped = clinical_scores(clinical, units, params.constants)
    for score, reason in skipped.items():
        print(f"{score} is not computed: {reason}")
    inputs = {score: scores[[score]] for score in scores}
    volumes = read_csv(snakemake.input.volumes)
    by_reader = volumes.groupby(["reader", "patient_id"])["volume_ml"].mean()
    own = by_reader[params.reader].to_frame()
    if AUTOMATIC in by_reader:
        # Of patients without the reader's mask.
        own = own.combine_first(by_reader[AUTOMATIC].to_frame())
    inputs["Volume"] = own.reindex(patients)
    centres = centre_columns(labels[labels["patient_id"].isin(patients)])
    if centres.shape[1] > 1:
        inputs["Centre"] = centres
    else:
        print("Centre is not computed: there is one centre only")
    write_csv(one_score_models(inputs, labels, split, params.repeats, params.seed), snakemake.output[0])
