# Networks that find the tumour. Needs images and masks as converted; makes segmentation/<unet>/: a network a phase, the
# masks and features of all patients, and how well the masks agree with manual ones. A job is a batch of patients:
# starting one costs more than a patient.


rule train_unet:
    """U-Net of one phase on slices of the patients drawn for it; goes on where a killed job was."""
    input:
        images=unet_training("images"),
        masks=unet_training("masks"),
    output:
        network="<results>/{cohort}/segmentation/{unet}/{phase}.pt",
        history="<results>/{cohort}/segmentation/{unet}/{phase}.history.csv",
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
        runtime=minutes(1440),
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
        "../scripts/train_unet.py"


rule segment_patients:
    """Masks by the networks of all phases, and the features that their layers hold, of a batch of patients."""
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
        networks=lambda w: collect(
            "<results>/{cohort}/segmentation/{unet}/{phase}.pt",
            cohort=w.cohort,
            unet=w.unet,
            phase=PLAN.unet_phases(w.cohort, w.unet),
        ),
    output:
        directory("<results>/{cohort}/segmentation/{unet}/batch{batch}"),
    log:
        "<logs>/{cohort}/segment_patients/{unet}.{batch}.log",
    benchmark:
        "<benchmarks>/{cohort}/segment_patients/{unet}.{batch}.tsv"
    wildcard_constraints:
        cohort=COHORT_NAME,
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(6000),
        runtime=minutes(480),
        gpu=GPUS,
        slurm_partition=training_partition,
    params:
        unet=lookup("unets/{unet}", within=FULL_CONFIG),
        phases=lambda w: PLAN.unet_phases(w.cohort, w.unet),
        reader=of_cohort("reader"),
        modality=of_cohort("modality"),
        # Patients who have no other mask: an empty one stops the run.
        needed=lambda w: needed_masks(w.cohort, w.unet, int(w.batch)),
        device=untracked(lambda w: FULL_CONFIG["device"]),
        code=code("segment_patients"),
    script:
        "../scripts/segment_patients.py"


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
        code=code("measure_segmentation"),
    script:
        "../scripts/measure_segmentation.py"
