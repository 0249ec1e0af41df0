# Draft sheets from a folder of DICOM. Needs `--config dicom_root=...`; makes discovered/. Not part of any other target.


from hcc_recurrence.cohort.dicom_folders import check_root, listing_of
from hcc_recurrence.cohort.draft_files import missing_sheets
from hcc_recurrence.problems import Refused

# Said before Snakemake removes what a rule made earlier.
if workflow.is_main_process and any(
    a == "discover" or a.startswith("public/") for a in WORDS
):
    try:
        check_root(FULL_CONFIG["dicom_root"], Path())
    except Refused as error:
        raise WorkflowError(f"{error} Nothing was changed.") from None


rule discover:
    """What a folder of DICOM holds by its headers, as draft sheets and a summary; nothing is guessed silently."""

    # Sheets, key and summary are no outputs: Snakemake removes those before a rule runs again.
    output:
        "discovered/last_run.txt",
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
        listing=lambda w: listing_of(FULL_CONFIG["dicom_root"]),
        # A draft that was deleted is made again.
        missing=lambda w: missing_sheets(Path("discovered")),
        cache=untracked(lambda w: ".snakemake/hcc_discovery.json"),
        code=code("discover"),
    script:
        "../scripts/input/discover.py"


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
        collection="colorectal_liver_metastases|hcc_tace_seg|soft_tissue_sarcoma|waw_tace",
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
        listing=lambda w: listing_of(FULL_CONFIG["dicom_root"]),
        # Of its own: public numbers of patients are kept as they are.
        cache=untracked(lambda w: ".snakemake/hcc_public.json"),
        code=code("build_public_sheets"),
    script:
        "../scripts/input/build_public_sheets.py"
