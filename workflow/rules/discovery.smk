# Draft sheets from a folder of DICOM. Needs `--config dicom_root=...`; makes discovered/. Not part of any other target.


rule discover:
    """What a folder of DICOM holds by its headers, as draft sheets and a summary; nothing is guessed silently."""
    output:
        patients="discovered/patients.csv",
        series="discovered/series.csv",
        masks="discovered/masks.csv",
        key="discovered/key_private.csv",
        summary="discovered/summary.html",
    log:
        "<logs>/discover.log",
    benchmark:
        "<benchmarks>/discover.tsv"
    localrule: True
    conda:
        "../../envs/environment.yaml"
    # Fewer where there are fewer cores.
    threads: 16
    resources:
        mem_mb=memory(4000),
        runtime=minutes(120),
    params:
        root=FULL_CONFIG["dicom_root"],
        # Which files there are, and their times: another delivery is looked at again.
        listing=listing_of(FULL_CONFIG["dicom_root"]),
        cache=untracked(lambda w: ".snakemake/hcc_discovery.json"),
        code=code("discover"),
    script:
        "../scripts/discover.py"


rule build_public_sheets:
    """The sheets of a public collection, from a folder with its DICOM and its clinical table."""
    input:
        clinical=lambda w: FULL_CONFIG["clinical_table"]
        or "clinical_table_is_not_named",
    output:
        patients="public/{collection}/patients.csv",
        series="public/{collection}/series.csv",
        masks="public/{collection}/masks.csv",
        left_out="public/{collection}/left_out.html",
    log:
        "<logs>/build_public_sheets.{collection}.log",
    benchmark:
        "<benchmarks>/build_public_sheets.{collection}.tsv"
    wildcard_constraints:
        collection="colorectal_liver_metastases|hcc_tace_seg",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    # Fewer where there are fewer cores.
    threads: 16
    resources:
        mem_mb=memory(4000),
        runtime=minutes(240),
    params:
        root=FULL_CONFIG["dicom_root"],
        # Which files there are, and their times: more of the collection are looked at again.
        listing=listing_of(FULL_CONFIG["dicom_root"]),
        cache=untracked(lambda w: ".snakemake/hcc_discovery.json"),
        code=code("build_public_sheets"),
    script:
        "../scripts/build_public_sheets.py"
