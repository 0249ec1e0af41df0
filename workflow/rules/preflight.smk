# What is wrong with the input, as a table. Needs nothing; makes preflight/.


rule list_problems:
    """Every problem of config, sheets, images and masks: patient, file, what is wrong, what to do."""
    output:
        csv="<results>/preflight/problems.csv",
        html=report(
            "<results>/preflight/problems.html",
            caption="../report/problems.rst",
            category="Cohorts",
            labels={"cohort": "all", "what": "problems of the input"},
        ),
        notices="<results>/preflight/notices.csv",
        notices_html=report(
            "<results>/preflight/notices.html",
            caption="../report/notices.rst",
            category="Cohorts",
            labels={"cohort": "all", "what": "what to look at in the input"},
        ),
    log:
        "<logs>/list_problems.log",
    benchmark:
        "<benchmarks>/list_problems.tsv"
    localrule: True
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(5),
    params:
        problems=[list(astuple(problem)) for problem in RUN.problems],
        notices=[list(astuple(notice)) for notice in RUN.notices],
        keep_going=RUN.keep_going,
        code=code("list_problems"),
    script:
        "../scripts/input/list_problems.py"


rule preflight:
    """Check config, sheets, images and masks of all patients; fails unless patients with a problem are left out."""
    input:
        "<results>/preflight/problems.csv",
    log:
        "<logs>/preflight.log",
    benchmark:
        "<benchmarks>/preflight.tsv"
    localrule: True
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(5),
    params:
        keep_going=RUN.keep_going,
        code=code("check_problems"),
    script:
        "../scripts/input/check_problems.py"
