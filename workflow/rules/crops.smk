# Crops about the tumour, the input of networks. Needs images and masks on a grid; makes crops/.


rule crop_patient:
    """All phases of one patient about the tumour, a box of voxels or resized slices, float32 with axes and units."""
    input:
        images=on_grid_of("crops", "images"),
        masks=on_grid_of("crops", "masks"),
    output:
        "<results>/{cohort}/crops/{crop}/{patient}.npz",
    log:
        "<logs>/{cohort}/crop_patient/{crop}/{patient}.log",
    benchmark:
        "<benchmarks>/{cohort}/crop_patient/{crop}/{patient}.tsv"
    group:
        GRID_GROUP
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(3000),
        runtime=minutes(2),
    params:
        crop=entry("crops", "crop"),
        phases=lambda w: PLAN.crop_phases(w.cohort, w.crop, w.patient),
        normalisation=lambda w: grid_of_crop(w.crop)["normalisation"],
        readers=lambda w: PLAN.mask_readers(w.cohort, w.patient),
        modality=of_cohort("modality"),
        code=code("crop_patient"),
    script:
        "../scripts/images/crop_patient.py"


rule collect_crops:
    """The crops of all patients of a cohort in one file, which networks read."""
    input:
        lambda wildcards: collect(
            "<results>/{cohort}/crops/{crop}/{patient}.npz",
            cohort=PLAN.image_cohort(wildcards.cohort),
            crop=wildcards.crop,
            patient=PLAN.patients(wildcards.cohort),
        ),
    output:
        "<results>/{cohort}/crops/{crop}.npz",
    log:
        "<logs>/{cohort}/collect_crops/{crop}.log",
    benchmark:
        "<benchmarks>/{cohort}/collect_crops/{crop}.tsv"
    wildcard_constraints:
        cohort=COHORT_NAME,
    group:
        "collected"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=reckoned_memory("collect_crops", stack_of_crops),
        runtime=minutes(10),
    params:
        patients=untracked(lambda w: PLAN.patients(w.cohort)),
        code=code("collect_crops"),
    script:
        "../scripts/images/collect_crops.py"


rule plot_crops:
    """What networks see of some patients, all phases side by side."""
    input:
        "<results>/{cohort}/crops/{crop}.npz",
    output:
        figure=report(
            "<results>/{cohort}/crops/{crop}.page{page}.png",
            caption="../report/crops.rst",
            category="Cohorts",
            labels={
                "cohort": "{cohort}",
                "protocol": "both",
                "what": "input of networks, {crop}, page {page}",
            },
        ),
    log:
        "<logs>/{cohort}/plot_crops/{crop}.page{page}.log",
    benchmark:
        "<benchmarks>/{cohort}/plot_crops/{crop}.page{page}.tsv"
    wildcard_constraints:
        cohort=COHORT_NAME,
        page="[0-9]+",
    group:
        "pictures"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=reckoned_memory("plot_crops", stack_of_crops),
        runtime=minutes(10),
    params:
        patients=lambda w: page_of_patients(w.cohort, w.crop, int(w.page)),
        views=lambda w: FULL_CONFIG["crops"][w.crop]["views"],
        title=of_cohort("title"),
        figures=figure_settings,
        code=code("plot_crops"),
    script:
        "../scripts/images/plot_crops.py"
