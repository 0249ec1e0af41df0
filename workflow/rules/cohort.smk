# The cohort: demo patients, labels, splits, changes. Needs the sheets; makes labels.csv, splits/ and changes/.


rule simulate_patient:
    """DICOM series and masks of one simulated patient, from the patient's row of the simulation sheet."""
    output:
        directory("<results>/{cohort}/simulated/{patient}"),
    log:
        "<logs>/{cohort}/simulate_patient/{patient}.log",
    benchmark:
        "<benchmarks>/{cohort}/simulate_patient/{patient}.tsv"
    group:
        "patients"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=reckoned_memory("simulate_patient"),
        runtime=minutes(5),
    params:
        row=lambda wildcards: PLAN.simulated_row(wildcards.cohort, wildcards.patient),
        phases=lambda wildcards: PLAN.listed_phases(wildcards.cohort, wildcards.patient),
        code=code("simulate_patient"),
    script:
        "../scripts/cohort/simulate_patient.py"


rule write_best_auc:
    """The best AUC that any method can reach on a simulated cohort."""
    output:
        "<results>/{cohort}/simulated/best_auc.csv",
    log:
        "<logs>/{cohort}/write_best_auc.log",
    benchmark:
        "<benchmarks>/{cohort}/write_best_auc.tsv"
    group:
        "labels"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=reckoned_memory("write_best_auc"),
        runtime=minutes(5),
    params:
        null_outcome=of_cohort("null_outcome"),
        code=code("write_best_auc"),
    script:
        "../scripts/cohort/write_best_auc.py"


rule write_labels:
    """Early recurrence and recurrence-free survival of each patient, and why a patient is left out."""
    output:
        labels="<results>/{cohort}/labels.csv",
        summary=report(
            "<results>/{cohort}/labels.html",
            caption="../report/labels.rst",
            category="Cohorts",
            labels={"cohort": "{cohort}", "what": "patients and labels"},
        ),
    log:
        "<logs>/{cohort}/write_labels.log",
    benchmark:
        "<benchmarks>/{cohort}/write_labels.tsv"
    wildcard_constraints:
        cohort=COHORT_NAME,
    group:
        "labels"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(5),
    params:
        sheet=untracked(patients_sheet),
        outcome=lambda wildcards: PLAN.outcome_hash(wildcards.cohort),
        excluded=lambda wildcards: PLAN.without_label(wildcards.cohort),
        er_days=of_cohort("er_days"),
        er_inclusive=of_cohort("er_inclusive"),
        title=of_cohort("title"),
        endpoint=of_cohort("endpoint"),
        code=code("write_labels"),
    script:
        "../scripts/cohort/write_labels.py"


rule write_splits:
    """Training, validation and external patients, and the folds of the training patients."""
    input:
        labels="<results>/{cohort}/labels.csv",
    output:
        "<results>/{cohort}/splits/{scheme}.csv",
    log:
        "<logs>/{cohort}/write_splits/{scheme}.log",
    benchmark:
        "<benchmarks>/{cohort}/write_splits/{scheme}.tsv"
    group:
        "labels"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(5),
    params:
        scheme=lookup("splits/{scheme}", within=FULL_CONFIG),
        assigned=lambda wildcards: PLAN.assigned_splits(
            base(wildcards.cohort), wildcards.scheme
        ),
        # In no part of the split: they train the network that it names.
        left_out=lambda w: split_left_out(base(w.cohort), w.scheme),
        seed=FULL_CONFIG["seed"],
        code=code("write_splits"),
    script:
        "../scripts/cohort/write_splits.py"


rule report_changes:
    """Patients, outcomes, images, masks, clinical values, sets and folds that differ from those of the last run."""
    input:
        labels="<results>/{cohort}/labels.csv",
        splits=lambda w: [
            f"<results>/{w.cohort}/splits/{scheme}.csv"
            for scheme in PLAN.schemes(w.cohort)
        ],
    output:
        csv="<results>/{cohort}/changes/changes.csv",
        html=report(
            "<results>/{cohort}/changes/changes.html",
            caption="../report/changes.rst",
            category="Cohorts",
            labels={"cohort": "{cohort}", "what": "changes since the last run"},
        ),
    log:
        "<logs>/{cohort}/report_changes.log",
    benchmark:
        "<benchmarks>/{cohort}/report_changes.tsv"
    wildcard_constraints:
        cohort=COHORT_NAME,
    group:
        "labels"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=reckoned_memory("report_changes"),
        runtime=minutes(5),
    params:
        sheet=untracked(patients_sheet),
        files=untracked(lambda w: PLAN.contents(w.cohort)),
        content=lambda w: PLAN.contents_hash(w.cohort),
        clinical=lambda w: PLAN.clinical_hash(w.cohort, PLAN.used_variables(w.cohort)),
        definitions=untracked(
            lambda w: PLAN.clinical_definitions(
                w.cohort, PLAN.used_variables(w.cohort)
            )
        ),
        schemes=lambda w: PLAN.schemes(w.cohort),
        title=of_cohort("title"),
        endpoint=of_cohort("endpoint"),
        code=code("report_changes"),
    script:
        "../scripts/input/report_changes.py"
