# Networks that find the tumour: their training, and how well they agree with manual masks. Needs images and masks as
# converted; makes segmentation/<unet>/: a network a phase, tables and pictures.


rule train_unet:
    """U-Net of one phase on slices of the patients drawn for it; goes on where a killed job was."""
    input:
        images=unet_training("images"),
        masks=unet_training("masks"),
    output:
        network="<results>/{cohort}/segmentation/{unet}/{phase}.pt",
        history="<results>/{cohort}/segmentation/{unet}/{phase}.history.csv",
        machine="<results>/{cohort}/segmentation/{unet}/{phase}.machine.json",
    log:
        "<logs>/{cohort}/train_unet/{unet}.{phase}.log",
    benchmark:
        "<benchmarks>/{cohort}/train_unet/{unet}.{phase}.tsv"
    wildcard_constraints:
        cohort=COHORT_NAME,
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=unet_memory,
        runtime=reckoned_minutes("train_unet"),
        gpu=GPUS,
        slurm_partition=training_partition,
    params:
        unet=lookup("unets/{unet}", within=FULL_CONFIG),
        parts=lambda w: PLAN.unet_parts(w.cohort, w.unet),
        reader=of_cohort("reader"),
        modality=of_cohort("modality"),
        device=untracked(lambda w: FULL_CONFIG["device"]),
        numerics=FULL_CONFIG["numerics"],
        seed=FULL_CONFIG["seed"],
        code=code("train_unet"),
    script:
        "../scripts/segmentation/train_unet.py"


rule measure_segmentation:
    """Dice of automatic and manual masks by patient and slice, the networks' training, and pictures of both outlines."""
    input:
        batches=lambda w: unet_batches(w.cohort, w.unet),
        histories=lambda w: collect(
            "<results>/{cohort}/segmentation/{unet}/{phase}.history.csv",
            cohort=w.cohort,
            unet=w.unet,
            phase=PLAN.unet_phases(w.cohort, w.unet),
        ),
    output:
        **one_figure(
            "<results>/{cohort}/segmentation/{unet}/dice",
            "../report/dice.rst",
            "Dice of automatic masks",
            "dice",
            section="Cohorts",
        ),
        **one_figure(
            "<results>/{cohort}/segmentation/{unet}/outlines",
            "../report/outlines.rst",
            "manual and automatic outlines",
            "outlines",
            section="Cohorts",
            pictures=True,
        ),
        patients="<results>/{cohort}/segmentation/{unet}/dice.csv",
        slices="<results>/{cohort}/segmentation/{unet}/dice_slices.csv",
        html=shown(
            "<results>/{cohort}/segmentation/{unet}/dice.html",
            "../report/dice.rst",
            "Dice of automatic masks, table",
            section="Cohorts",
        ),
    log:
        "<logs>/{cohort}/measure_segmentation/{unet}.log",
    benchmark:
        "<benchmarks>/{cohort}/measure_segmentation/{unet}.tsv"
    wildcard_constraints:
        cohort=COHORT_NAME,
    group:
        "pictures"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=minutes(20),
    params:
        parts=lambda w: PLAN.unet_parts(w.cohort, w.unet),
        external=lambda w: PLAN.external_patients(w.cohort),
        title=of_cohort("title"),
        figures=figure_settings,
        code=code("measure_segmentation"),
    script:
        "../scripts/segmentation/measure_segmentation.py"
