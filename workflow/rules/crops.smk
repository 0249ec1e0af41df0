# Crops about the tumour, the input of networks. Needs images and masks on a grid; makes crops/.


rule crop_patient:
    """All phases of one patient in a box about the tumour, as float32 with named axes and units."""
    input:
        images=on_grid_of("crops", "images"),
        masks=on_grid_of("crops", "masks"),
    output:
        "<results>/{cohort}/crops/{crop}/{patient}.npz",
    log:
        "<logs>/{cohort}/crop_patient/{crop}/{patient}.log",
    benchmark:
        "<benchmarks>/{cohort}/crop_patient/{crop}/{patient}.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=10,
    params:
        crop=lookup("crops/{crop}", within=FULL_CONFIG),
        spacing=lambda wildcards: FULL_CONFIG["grids"][
            FULL_CONFIG["crops"][wildcards.crop]["grid"]
        ]["spacing_mm"],
        reader=lookup("cohorts/{cohort}/reader", within=FULL_CONFIG),
        modality=lookup("cohorts/{cohort}/modality", within=FULL_CONFIG),
        code=code("crop_patient"),
    script:
        "../scripts/crop_patient.py"
