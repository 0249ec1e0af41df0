# Apply exported models. Needs the files that a model reads, made by the same steps as where it was fitted; makes
# applied/<model>/: predictions, and what of each patient lies outside of the training patients. Nothing is fitted.


include: "apply_common.smk"


rule all:
    input:
        apply_targets,


rule apply:
    input:
        apply_targets,


rule take_unet:
    """A segmentation network of an exported model, where the steps that segment patients look for it."""
    output:
        "<results>/{cohort}/segmentation/{unet}/{phase}.pt",
    log:
        "<logs>/{cohort}/take_unet/{unet}.{phase}.log",
    benchmark:
        "<benchmarks>/{cohort}/take_unet/{unet}.{phase}.tsv"
    wildcard_constraints:
        cohort=COHORT_NAME,
    group:
        "applied"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(5),
    params:
        unet=lookup("unets/{unet}", within=FULL_CONFIG),
        weights=lambda w: unet_source(w)["weights"],
        model=lambda w: unet_source(w)["sums"],
        folder=untracked(lambda w: unet_source(w)["folder"]),
        code=code("take_unet"),
    script:
        "../scripts/apply/take_unet.py"


rule apply_model:
    """Probability and risk group of every patient by every model of a bundle."""
    input:
        unpack(bundle_inputs),
    output:
        predictions="<results>/{cohort}/applied/{bundle}/predictions.csv",
        inputs=directory("<results>/{cohort}/applied/{bundle}/inputs"),
    log:
        "<logs>/{cohort}/apply_model/{bundle}.log",
    benchmark:
        "<benchmarks>/{cohort}/apply_model/{bundle}.tsv"
    wildcard_constraints:
        cohort=COHORT_NAME,
        bundle="|".join(map(re.escape, BUNDLES)),
    group:
        "applied"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        # The weights of several networks are read at once.
        mem_mb=applied_memory(8000),
        runtime=minutes(60),
    params:
        **clinical_params(bundle_clinical),
        model=of_bundle("sums"),
        folder=untracked(of_bundle("folder")),
        # Networks give other last digits by other kernels.
        numerics=FULL_CONFIG["numerics"],
        phases=lambda w: PLAN.phases(w.bundle, w.cohort),
        images=lambda w: [i["name"] for i in about_bundle(w.bundle)["reads"]["images"]],
        reader=of_cohort("reader"),
        patients=lambda w: PLAN.patients(w.cohort),
        code=lambda w: code(
            "apply_model",
            f"hcc_recurrence.methods.{about_bundle(w.bundle)['method']}.export",
        ),
    script:
        "../scripts/apply/apply_model.py"


rule explain_applied:
    """Heat maps of every patient by the networks of a bundle: where in the images the score comes from."""
    input:
        images=bundle_images,
    output:
        directory("<results>/{cohort}/applied/{bundle}/heat_maps"),
    log:
        "<logs>/{cohort}/explain_applied/{bundle}.log",
    benchmark:
        "<benchmarks>/{cohort}/explain_applied/{bundle}.tsv"
    wildcard_constraints:
        cohort=COHORT_NAME,
        bundle="|".join(map(re.escape, BUNDLES)),
    group:
        "applied"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        # Measured at published sizes: 1.5 GB (DL_3D, a box of 96 voxels a side).
        mem_mb=applied_memory(4000),
        runtime=heat_map_minutes,
    params:
        model=of_bundle("sums"),
        folder=untracked(of_bundle("folder")),
        numerics=FULL_CONFIG["numerics"],
        phases=lambda w: PLAN.phases(w.bundle, w.cohort),
        images=lambda w: [i["name"] for i in about_bundle(w.bundle)["reads"]["images"]],
        patients=lambda w: PLAN.patients(w.cohort),
        simulated=is_simulated,
        code=lambda w: code(
            "explain_applied",
            f"hcc_recurrence.methods.{about_bundle(w.bundle)['method']}.export",
        ),
    script:
        "../scripts/apply/explain_applied.py"


rule compare_with_training:
    """Where each patient lies in the training distribution of a model: inputs, scan parameters, sizes, phases."""
    input:
        inputs="<results>/{cohort}/applied/{bundle}/inputs",
        tumours="<results>/{cohort}/tumours.csv",
        images=applied_natives("images"),
        masks=applied_natives("masks"),
        predicted=all_predicted_masks,
    output:
        "<results>/{cohort}/applied/{bundle}/outside.csv",
    log:
        "<logs>/{cohort}/compare_with_training/{bundle}.log",
    benchmark:
        "<benchmarks>/{cohort}/compare_with_training/{bundle}.tsv"
    wildcard_constraints:
        cohort=COHORT_NAME,
        bundle="|".join(map(re.escape, BUNDLES)),
    group:
        "applied"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(3000),
        runtime=minutes(60),
    params:
        model=of_bundle("sums"),
        folder=untracked(of_bundle("folder")),
        phases=lambda w: PLAN.phases(w.bundle, w.cohort),
        patients=lambda w: PLAN.patients(w.cohort),
        readers=applied_readers,
        modality=of_cohort("modality"),
        code=code("compare_with_training"),
    script:
        "../scripts/apply/compare_with_training.py"


include: "applied_pages.smk"
