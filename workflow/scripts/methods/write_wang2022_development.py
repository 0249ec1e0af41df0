"""AUC of the development patients: apparent, cross-validated as published, nested."""

from pathlib import Path

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"wang2022 on {snakemake.wildcards.cohort}"):
    from hcc_recurrence.figures.table_pages import write_table
    from hcc_recurrence.files import read_csv
    from hcc_recurrence.methods.wang2022.nomogram import development_table
    from hcc_recurrence.published import published_auc

    params = snakemake.params
    printed = {}
    for ours, theirs in params.names.items():
        auc = published_auc(Path(params.published), "wang2022", theirs).set_index("split")["value"]
        printed[ours] = auc.get("train")
    table = development_table(read_csv(snakemake.input.metrics), printed)
    note = (
        "Training patients without those that trained the network. apparent: the model of all of them, on themselves. "
        "cross validated: as the paper's figures are: phases, settings, number of features and variables chosen on all "
        "of them, features selected and coefficients fitted without the fold that is scored. nested: the strict "
        "protocol, all chosen without it too. Both on the same folds, the mean over folds; nested over repeats. "
        "published: what the paper prints of 120 other patients, for orientation."
    )
    write_table("development", table, note, params, snakemake.output)
