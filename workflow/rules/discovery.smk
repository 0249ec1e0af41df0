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
        runtime=120,
    params:
        root=FULL_CONFIG["dicom_root"],
        # Which files there are, and their times: another delivery is looked at again.
        listing=listing_of(FULL_CONFIG["dicom_root"]),
        cache=untracked(lambda w: ".snakemake/hcc_discovery.json"),
        code=code("discover"),
    script:
        "../scripts/discover.py"
