# Images and masks of a patient: as acquired, then on named grids. Needs DICOM and mask files; makes images/,
# masks/ and registration/. A job is a patient with all phases of the series sheet: starting a job costs more than one series.
# But a registration is one phase: a study that takes one phase more registers this one, and leaves the others' files alone.


rule convert_patient:
    """Every DICOM series of a patient as NIfTI, and every reader's mask on exactly its image's grid."""
    input:
        simulated=branch(
            lambda wildcards: PLAN.is_simulated(wildcards.cohort),
            then="<results>/{cohort}/simulated/{patient}",
            otherwise=[],
        ),
    output:
        images=directory("<results>/{cohort}/images/native/{patient}"),
        masks=directory("<results>/{cohort}/masks/native/{patient}"),
    log:
        "<logs>/{cohort}/convert_patient/{patient}.log",
    benchmark:
        "<benchmarks>/{cohort}/convert_patient/{patient}.tsv"
    group:
        "patients"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(2500),
        runtime=minutes(4),
    params:
        # Where the files are is not what they are: only the fingerprint triggers a rerun.
        series=untracked(lambda w: PLAN.series_sources(w.cohort, w.patient)),
        files=untracked(lambda w: PLAN.series_files(w.cohort, w.patient)),
        masks=untracked(lambda w: PLAN.mask_sources(w.cohort, w.patient)),
        root=untracked(lambda w: PLAN.data_root(w.cohort)),
        reading=lambda w: {
            "interpolate": FULL_CONFIG["cohorts"][w.cohort]["interpolate_missing"],
            "modality": FULL_CONFIG["cohorts"][w.cohort]["modality"],
        },
        masking=lambda w: {
            "lesions": FULL_CONFIG["cohorts"][w.cohort]["lesions"],
            "smallest_ml": FULL_CONFIG["cohorts"][w.cohort]["smallest_mask_ml"],
        },
        carrying=lambda w: PLAN.carrying(w.cohort),
        fingerprint=lambda w: PLAN.fingerprint(w.cohort, w.patient),
        code=code("convert_patient"),
    script:
        "../scripts/images/convert_patient.py"


rule register_phase:
    """Where a phase of a patient lies against another one, found once from the images as acquired, for every grid."""
    input:
        images="<results>/{cohort}/images/native/{patient}",
        masks="<results>/{cohort}/masks/native/{patient}",
        predicted=predicted_masks,
    output:
        transform="<results>/{cohort}/registration/{reference}/{patient}/{phase}.tfm",
        quality="<results>/{cohort}/registration/{reference}/{patient}/{phase}.csv",
    log:
        "<logs>/{cohort}/register_phase/{reference}/{patient}/{phase}.log",
    benchmark:
        "<benchmarks>/{cohort}/register_phase/{reference}/{patient}/{phase}.tsv"
    group:
        GRID_GROUP
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(3500),
        runtime=minutes(4),
    params:
        registration=lambda w: PLAN.registration(w.reference),
        readers=lambda w: PLAN.registration_readers(
            w.cohort, w.reference, w.patient, w.phase
        ),
        modality=of_cohort("modality"),
        code=code("register_phase"),
    script:
        "../scripts/images/register_phase.py"


rule resample_patient:
    """A patient's images and masks on a named grid: bias correction, resampling, normalisation.

    Where the grid registers, the resampling is onto the voxels of the reference phase, through the transforms.
    """
    input:
        images="<results>/{cohort}/images/native/{patient}",
        masks="<results>/{cohort}/masks/native/{patient}",
        predicted=predicted_masks,
        transforms=lambda w: [
            f"<results>/{w.cohort}/registration/{reference}/{w.patient}/{phase}.tfm"
            for reference, phase in PLAN.grid_registrations(
                w.cohort, w.grid, w.patient
            )
        ],
    output:
        images=directory("<results>/{cohort}/images/{grid}/{patient}"),
        masks=directory("<results>/{cohort}/masks/{grid}/{patient}"),
    log:
        "<logs>/{cohort}/resample_patient/{grid}/{patient}.log",
    benchmark:
        "<benchmarks>/{cohort}/resample_patient/{grid}/{patient}.tsv"
    wildcard_constraints:
        grid="(?!native)[A-Za-z0-9_]+",
    group:
        GRID_GROUP
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(3500),
        runtime=minutes(6),
    params:
        grid=entry("grids", "grid"),
        phases=lambda w: PLAN.grid_phases(w.cohort, w.grid, w.patient),
        readers=lambda w: PLAN.mask_readers(w.cohort, w.patient),
        modality=of_cohort("modality"),
        code=code("resample_patient"),
    script:
        "../scripts/images/resample_patient.py"


rule collect_registration:
    """How well the phases of all patients were registered to one of them; a failed registration is named."""
    input:
        lambda w: [
            f"<results>/{w.cohort}/registration/{w.reference}/{patient}/{phase}.csv"
            for patient in PLAN.patients(w.cohort)
            for phase in PLAN.registered_phases(w.cohort, w.reference, patient)
        ],
    output:
        **one_figure(
            "<results>/{cohort}/registration/{reference}",
            "../report/registration.rst",
            "registration",
            "figure",
            section="Cohorts",
        ),
        csv="<results>/{cohort}/registration/{reference}.csv",
        html=report(
            "<results>/{cohort}/registration/{reference}.html",
            caption="../report/registration.rst",
            category="Cohorts",
            labels={"cohort": "{cohort}", "what": "registration, table"},
        ),
    log:
        "<logs>/{cohort}/collect_registration/{reference}.log",
    benchmark:
        "<benchmarks>/{cohort}/collect_registration/{reference}.tsv"
    wildcard_constraints:
        cohort=COHORT_NAME,
    group:
        "collected"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=reckoned_memory("collect_registration"),
        runtime=minutes(10),
    params:
        title=of_cohort("title"),
        figures=figure_settings,
        code=code("collect_registration"),
    script:
        "../scripts/images/collect_registration.py"


rule collect_acquisition:
    """Scan parameters by phase and centre, from the headers that were read at conversion; nothing of a person."""
    input:
        lambda w: collect(
            "<results>/{cohort}/images/native/{patient}",
            cohort=PLAN.image_cohort(w.cohort),
            patient=PLAN.patients(w.cohort),
        ),
    output:
        csv="<results>/{cohort}/acquisition.csv",
        html=report(
            "<results>/{cohort}/acquisition.html",
            caption="../report/acquisition.rst",
            category="Cohorts",
            labels={"cohort": "{cohort}", "what": "scan parameters"},
        ),
    log:
        "<logs>/{cohort}/collect_acquisition.log",
    benchmark:
        "<benchmarks>/{cohort}/collect_acquisition.tsv"
    wildcard_constraints:
        cohort=COHORT_NAME,
    group:
        "collected"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=reckoned_memory("collect_acquisition"),
        runtime=minutes(10),
    params:
        centres=lambda w: PLAN.centres(w.cohort),
        phases=lambda w: PLAN.image_phases(PLAN.image_cohort(w.cohort)),
        modality=of_cohort("modality"),
        title=of_cohort("title"),
        code=code("collect_acquisition"),
    script:
        "../scripts/images/collect_acquisition.py"


rule picture_patients:
    """Three planes of each phase with the outlines of its masks, of a batch of patients."""
    input:
        images=lambda w: collect(
            "<results>/{cohort}/images/native/{patient}",
            cohort=w.cohort,
            patient=patients_of_batch(w.cohort, int(w.batch)),
        ),
        masks=lambda w: collect(
            "<results>/{cohort}/masks/native/{patient}",
            cohort=w.cohort,
            patient=patients_of_batch(w.cohort, int(w.batch)),
        ),
    output:
        directory("<results>/{cohort}/quality/batch{batch}"),
    log:
        "<logs>/{cohort}/picture_patients/{batch}.log",
    benchmark:
        "<benchmarks>/{cohort}/picture_patients/{batch}.tsv"
    wildcard_constraints:
        cohort=COHORT_NAME,
    group:
        "pictures"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(3000),
        runtime=minutes(30),
    params:
        reader=of_cohort("reader"),
        modality=of_cohort("modality"),
        simulated=is_simulated,
        code=code("picture_patients"),
    script:
        "../scripts/images/picture_patients.py"


rule write_quality_page:
    """One page with a small picture of every patient and phase: a flipped mask is seen in a minute."""
    input:
        quality_batches,
    output:
        report(
            "<results>/{cohort}/quality/all_patients.html",
            caption="../report/quality.rst",
            category="Cohorts",
            labels={"cohort": "{cohort}", "what": "masks on images, all patients"},
        ),
    log:
        "<logs>/{cohort}/write_quality_page.log",
    benchmark:
        "<benchmarks>/{cohort}/write_quality_page.tsv"
    wildcard_constraints:
        cohort=COHORT_NAME,
    group:
        "pictures"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=reckoned_memory("write_quality_page"),
        runtime=minutes(10),
    params:
        title=of_cohort("title"),
        reader=of_cohort("reader"),
        lesions=of_cohort("lesions"),
        tumour_numbers=lambda w: PLAN.tumour_numbers(w.cohort),
        code=code("write_quality_page"),
    script:
        "../scripts/images/write_quality_page.py"
