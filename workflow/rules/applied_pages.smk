# Pages of applied models. Needs their predictions, images and masks; makes a page a patient and one of all.


include: "applied_pages_common.smk"


rule write_patient_page:
    """One page of a patient: images with the outline, probabilities, and what lies outside training; needs no network."""
    input:
        predictions=files_of_bundles("predictions.csv"),
        outside=files_of_bundles("outside.csv"),
        images="<results>/{cohort}/images/native/{patient}",
        masks="<results>/{cohort}/masks/native/{patient}",
        predicted=predicted_masks,
        read=files_of_bundles("inputs"),
        heat_maps=heat_map_folders,
    output:
        "<results>/{cohort}/applied/patients/{patient}.html",
    log:
        "<logs>/{cohort}/write_patient_page/{patient}.log",
    benchmark:
        "<benchmarks>/{cohort}/write_patient_page/{patient}.tsv"
    group:
        "pictures"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(10),
    params:
        folders=untracked(bundle_folders),
        models=bundle_sums,
        templates=untracked(lambda w: str(TEMPLATES)),
        content=APPLIED_TEMPLATES,
        phases=lambda w: list(PLAN.image_phases(w.cohort)),
        readers=lambda w: PLAN.mask_readers(PLAN.image_cohort(w.cohort), w.patient),
        modality=of_cohort("modality"),
        title=of_cohort("title"),
        simulated=is_simulated,
        code=code("write_patient_page"),
    script:
        "../scripts/apply/write_patient_page.py"


rule write_applied_overview:
    """One page of all patients that models were applied to, to sort and to filter; a row leads to the patient's page."""
    input:
        predictions=files_of_bundles("predictions.csv"),
        outside=files_of_bundles("outside.csv"),
    output:
        "<results>/{cohort}/applied/overview.html",
    log:
        "<logs>/{cohort}/write_applied_overview.log",
    benchmark:
        "<benchmarks>/{cohort}/write_applied_overview.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=reckoned_memory("write_applied_overview"),
        runtime=minutes(10),
    params:
        folders=untracked(bundle_folders),
        models=bundle_sums,
        templates=untracked(lambda w: str(TEMPLATES)),
        content=APPLIED_TEMPLATES,
        patients=lambda w: list(PLAN.patients(w.cohort)),
        title=of_cohort("title"),
        simulated=is_simulated,
        code=code("write_applied_overview"),
    script:
        "../scripts/apply/write_applied_overview.py"


rule evaluate_applied:
    """External validation of an applied model on patients with an outcome: shared evaluation, case mix, recalibration."""
    input:
        predictions="<results>/{cohort}/applied/{bundle}/predictions.csv",
        outside="<results>/{cohort}/applied/{bundle}/outside.csv",
        labels="<results>/{cohort}/labels.csv",
    output:
        folder=directory("<results>/{cohort}/applied/{bundle}/evaluation"),
    log:
        "<logs>/{cohort}/evaluate_applied/{bundle}.log",
    benchmark:
        "<benchmarks>/{cohort}/evaluate_applied/{bundle}.tsv"
    wildcard_constraints:
        cohort=COHORT_NAME,
        bundle="|".join(map(re.escape, BUNDLES)),
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(60),
    params:
        folder=untracked(of_bundle("folder")),
        model=of_bundle("sums"),
        templates=untracked(lambda w: str(TEMPLATES)),
        content=APPLIED_TEMPLATES,
        figures=figure_settings,
        settings=FULL_CONFIG["external_validation"],
        times=FULL_CONFIG["evaluation"]["auc_months"],
        horizon=horizon_months,
        seed=FULL_CONFIG["seed"],
        title=of_cohort("title"),
        simulated=is_simulated,
        code=code("evaluate_applied"),
    script:
        "../scripts/apply/evaluate_applied.py"


rule write_dicom_results:
    """The result on a patient as DICOM: the segmentation used, a structured report and a PDF; research use only."""
    input:
        predictions=files_of_bundles("predictions.csv"),
        outside=files_of_bundles("outside.csv"),
        images="<results>/{cohort}/images/native/{patient}",
        masks="<results>/{cohort}/masks/native/{patient}",
        predicted=predicted_masks,
        simulated=branch(
            lambda wildcards: PLAN.is_simulated(wildcards.cohort),
            then="<results>/{cohort}/simulated/{patient}",
            otherwise=[],
        ),
    output:
        directory("<results>/{cohort}/applied/dicom/{patient}"),
    log:
        "<logs>/{cohort}/write_dicom_results/{patient}.log",
    benchmark:
        "<benchmarks>/{cohort}/write_dicom_results/{patient}.tsv"
    group:
        "pictures"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(10),
    params:
        folders=untracked(bundle_folders),
        models=bundle_sums,
        # Where the files are is not what they are: the images follow their fingerprint.
        series=untracked(lambda w: PLAN.series_sources(w.cohort, w.patient)),
        files=untracked(lambda w: PLAN.series_files(w.cohort, w.patient)),
        root=untracked(lambda w: PLAN.data_root(w.cohort)),
        interpolate=of_cohort("interpolate_missing"),
        phases=lambda w: list(PLAN.image_phases(w.cohort)),
        readers=lambda w: PLAN.mask_readers(PLAN.image_cohort(w.cohort), w.patient),
        modality=of_cohort("modality"),
        title=of_cohort("title"),
        simulated=is_simulated,
        code=code("write_dicom_results"),
    script:
        "../scripts/apply/write_dicom_results.py"
