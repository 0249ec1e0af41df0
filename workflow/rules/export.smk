# Exported models, which other hospitals apply. Needs kept fits, tables of metrics, features and facts of the training
# patients; makes export/<method>.<cohort>/ and the same as a zip. Not part of `all`.


rule export:
    """The final model of every study of the run, or of the one that `--config study=<paper>:<cohort>` names."""
    input:
        exported_targets,


rule export_model:
    """The models of one study, fitted on all training patients, with what they read and how that was distributed."""
    input:
        unpack(exported_inputs),
    output:
        folder=directory("<results>/{cohort}/{paper}/export/{paper}.{cohort}"),
        archive="<results>/{cohort}/{paper}/export/{paper}.{cohort}.zip",
    log:
        "<logs>/{cohort}/{paper}/export_model.log",
    benchmark:
        "<benchmarks>/{cohort}/{paper}/export_model.tsv"
    wildcard_constraints:
        cohort=COHORT_NAME,
        paper=PAPER_NAME,
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(6000),
        runtime=minutes(60),
    params:
        about=exported_about,
        parts=lambda w: list(EXPORTS[w.paper]["models"](w.cohort)),
        weights=lambda w: list(exported_weights(w)),
        # No input: results of earlier versions lack these files, and their networks would be trained again.
        machines=untracked(exported_machines),
        reader=of_cohort("reader"),
        sheet=untracked(patients_sheet),
        clinical=clinical_hash(exported_clinical),
        definitions=untracked(clinical_definitions(exported_clinical)),
        missing_codes=of_cohort("missing_codes"),
        training_rows=FULL_CONFIG["export"]["training_rows"],
        training_fingerprints=FULL_CONFIG["export"]["training_fingerprints"],
        code=lambda w: code("export_model", f"hcc_recurrence.methods.{w.paper}.export"),
    script:
        "../scripts/apply/export_model.py"
