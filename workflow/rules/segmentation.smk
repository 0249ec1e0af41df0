# Networks that find the tumour, at work. Needs images and masks as converted, and the networks; makes
# segmentation/<unet>/: masks and features of all patients. A job is a batch of patients: starting one costs more than a
# patient.


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
        runtime=reckoned_minutes("segment_patients"),
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
        numerics=FULL_CONFIG["numerics"],
        code=code("segment_patients"),
    script:
        "../scripts/segmentation/segment_patients.py"
