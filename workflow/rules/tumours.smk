# Sizes of tumours. Needs masks as converted, and those that a network drew; makes tumours.csv.


rule measure_tumours:
    """Tumour volumes of a cohort, by phase and reader."""
    input:
        manual=lambda wildcards: collect(
            "<results>/{cohort}/masks/native/{patient}",
            cohort=PLAN.image_cohort(wildcards.cohort),
            patient=PLAN.patients(wildcards.cohort),
        ),
        predicted=all_predicted_masks,
    output:
        "<results>/{cohort}/tumours.csv",
    log:
        "<logs>/{cohort}/measure_tumours.log",
    benchmark:
        "<benchmarks>/{cohort}/measure_tumours.tsv"
    group:
        "collected"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=reckoned_memory("measure_tumours"),
        runtime=minutes(30),
    params:
        code=code("measure_tumours"),
    script:
        "../scripts/images/measure_tumours.py"
