# Images and masks of a patient: as acquired, then on named grids. Needs DICOM and mask files; makes images/ and
# masks/. A job is a patient with all phases of the series sheet: starting a job costs more than one series.


rule convert_patient:
    """Every DICOM series of a patient as NIfTI, and every reader's mask on exactly its image's grid."""
    input:
        simulated=branch(
            lambda wildcards: PLAN.is_simulated(wildcards.cohort),
            then="<results>/{cohort}/simulated/{patient}",
            otherwise=[],
        ),
    output:
        images=directory("<results>/{cohort}/images/native/{patient}"),
        masks=directory("<results>/{cohort}/masks/native/{patient}"),
    log:
        "<logs>/{cohort}/convert_patient/{patient}.log",
    benchmark:
        "<benchmarks>/{cohort}/convert_patient/{patient}.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=20,
    params:
        # Where the files are is not what they are: only the fingerprint triggers a rerun.
        series=untracked(lambda w: PLAN.series_sources(w.cohort, w.patient)),
        masks=untracked(lambda w: PLAN.mask_sources(w.cohort, w.patient)),
        root=untracked(lambda w: PLAN.data_root(w.cohort)),
        fingerprint=lambda w: PLAN.fingerprint(w.cohort, w.patient),
        code=code("convert_patient"),
    script:
        "../scripts/convert_patient.py"


rule resample_patient:
    """A patient's images and masks on a named grid, with that grid's bias correction and normalisation."""
    input:
        images="<results>/{cohort}/images/native/{patient}",
        masks="<results>/{cohort}/masks/native/{patient}",
    output:
        images=directory("<results>/{cohort}/images/{grid}/{patient}"),
        masks=directory("<results>/{cohort}/masks/{grid}/{patient}"),
    log:
        "<logs>/{cohort}/resample_patient/{grid}/{patient}.log",
    benchmark:
        "<benchmarks>/{cohort}/resample_patient/{grid}/{patient}.tsv"
    wildcard_constraints:
        grid="(?!native)[A-Za-z0-9_]+",
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(3000),
        runtime=60,
    params:
        grid=lookup("grids/{grid}", within=FULL_CONFIG),
        modality=of_cohort("modality"),
        code=code("resample_patient"),
    script:
        "../scripts/resample_patient.py"
