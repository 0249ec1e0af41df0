# Radiomics. Needs images and masks on a grid; makes radiomics/<settings>/, one row a patient, phase and reader.
# One job a patient: images and masks of a grid are one folder a patient, so that phases are never measured apart.


rule extract_radiomics:
    """PyRadiomics features of every reader's masks of the phases that studies use."""
    input:
        images=on_grid_of("radiomics", "images"),
        masks=on_grid_of("radiomics", "masks"),
    output:
        directory("<results>/{cohort}/radiomics/{settings}/{patient}"),
    log:
        "<logs>/{cohort}/extract_radiomics/{settings}/{patient}.log",
    benchmark:
        "<benchmarks>/{cohort}/extract_radiomics/{settings}/{patient}.tsv"
    group:
        GRID_GROUP
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(2500),
        runtime=minutes(5),
    params:
        settings=entry("radiomics", "settings"),
        phases=lambda w: PLAN.radiomics_phases(w.cohort, w.settings),
        code=code("extract_radiomics"),
    script:
        "../scripts/radiomics_features/extract_radiomics.py"


rule collect_radiomics:
    """The features of all patients of a cohort, one table a phase."""
    input:
        lambda wildcards: collect(
            "<results>/{cohort}/radiomics/{settings}/{patient}",
            cohort=PLAN.image_cohort(wildcards.cohort),
            settings=wildcards.settings,
            patient=PLAN.patients(wildcards.cohort),
        ),
    output:
        "<results>/{cohort}/radiomics/{settings}/{phase}.parquet",
    log:
        "<logs>/{cohort}/collect_radiomics/{settings}.{phase}.log",
    benchmark:
        "<benchmarks>/{cohort}/collect_radiomics/{settings}.{phase}.tsv"
    group:
        "collected"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=reckoned_memory("collect_radiomics"),
        runtime=minutes(10),
    params:
        code=code("collect_radiomics"),
    script:
        "../scripts/radiomics_features/collect_radiomics.py"


rule measure_reproducibility:
    """ICC of every feature between the readers, and how many survive by family."""
    input:
        radiomics=study_radiomics,
    output:
        **study_figure("reproducibility", "readers' agreement"),
        **study_table("reproducibility", "readers' agreement, table"),
    log:
        "<logs>/{cohort}/{paper}/measure_reproducibility.log",
    benchmark:
        "<benchmarks>/{cohort}/{paper}/measure_reproducibility.tsv"
    wildcard_constraints:
        paper=PAPER_NAME,
    group:
        "collected"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(3000),
        runtime=minutes(20),
    params:
        phases=lambda w: PLAN.phases(w.paper, w.cohort),
        reader=of_cohort("reader"),
        # Another patient is another table of features, which triggers.
        patients=untracked(lambda w: PLAN.patients(w.cohort)),
        threshold=lookup("papers/{paper}/settings/icc_threshold", within=FULL_CONFIG),
        title=of_cohort("title"),
        mark=mark_without_networks,
        figures=figure_settings,
        code=code("measure_reproducibility"),
    script:
        "../scripts/radiomics_features/measure_reproducibility.py"
