# What networks were trained on. Needs networks; makes machines/.


rule gather_machines:
    """What all networks of the run were trained on, and whether that was more than one kind of machine."""
    input:
        machines_of_run,
    output:
        csv="<results>/machines/networks.csv",
        html=report(
            "<results>/machines/networks.html",
            caption="../report/machines.rst",
            category="Checks",
            labels={"cohort": "all", "what": "what the networks were trained on"},
        ),
    log:
        "<logs>/gather_machines.log",
    benchmark:
        "<benchmarks>/gather_machines.tsv"
    localrule: True
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(5),
    params:
        code=code("gather_machines"),
    script:
        "../scripts/gather_machines.py"
