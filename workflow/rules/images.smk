# Images and masks: as acquired, then on named grids. Needs DICOM and mask files; makes images/ and masks/.


rule convert_series:
    """One DICOM series as NIfTI, and every reader's mask of it on exactly its grid."""
    input:
        simulated=branch(
            lambda wildcards: PLAN.is_simulated(wildcards.cohort),
            then="<results>/{cohort}/simulated/{patient}",
            otherwise=[],
        ),
    output:
        image="<results>/{cohort}/images/native/{patient}/{phase}.nii.gz",
        masks=directory("<results>/{cohort}/masks/native/{patient}/{phase}"),
    log:
        "<logs>/{cohort}/convert_series/{patient}.{phase}.log",
    benchmark:
        "<benchmarks>/{cohort}/convert_series/{patient}.{phase}.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=10,
    params:
        # Where the files are is not what they are: only the fingerprint triggers a rerun.
        series=untracked(lambda w: PLAN.series_source(w.cohort, w.patient, w.phase)),
        masks=untracked(lambda w: PLAN.mask_sources(w.cohort, w.patient, w.phase)),
        root=untracked(lambda w: PLAN.data_root(w.cohort)),
        fingerprint=lambda w: PLAN.fingerprint(w.cohort, w.patient, w.phase),
        code=code("convert_series"),
    script:
        "../scripts/convert_series.py"


rule resample_images:
    """Image and masks of one phase on a named grid, with that grid's bias correction and normalisation."""
    input:
        image="<results>/{cohort}/images/native/{patient}/{phase}.nii.gz",
        masks="<results>/{cohort}/masks/native/{patient}/{phase}",
    output:
        image="<results>/{cohort}/images/{grid}/{patient}/{phase}.nii.gz",
        masks=directory("<results>/{cohort}/masks/{grid}/{patient}/{phase}"),
    log:
        "<logs>/{cohort}/resample_images/{grid}/{patient}.{phase}.log",
    benchmark:
        "<benchmarks>/{cohort}/resample_images/{grid}/{patient}.{phase}.tsv"
    wildcard_constraints:
        grid="(?!native)[A-Za-z0-9_]+",
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(3000),
        runtime=20,
    params:
        grid=lookup("grids/{grid}", within=FULL_CONFIG),
        modality=lookup("cohorts/{cohort}/modality", within=FULL_CONFIG),
        code=code("resample_images"),
    script:
        "../scripts/resample_images.py"
