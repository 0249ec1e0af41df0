# What networks were trained on, and how far they move when they are trained again. Needs networks; makes machines/ and,
# by the target `numerics` alone, tables and figures of movement.


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
        mem_mb=reckoned_memory("gather_machines"),
        runtime=minutes(5),
    params:
        code=code("gather_machines"),
    script:
        "../scripts/evaluation/gather_machines.py"


# A network of one fit once more: by other kernels of the libraries, or from another seed.
use rule train_network as train_network_again with:
    output:
        network="<results>/{cohort}/{paper}/numerics/{network}/{fit}.{again}.pt",
        scores="<results>/{cohort}/{paper}/numerics/{network}/{fit}.{again}.scores.csv",
        history="<results>/{cohort}/{paper}/numerics/{network}/{fit}.{again}.history.csv",
        machine="<results>/{cohort}/{paper}/numerics/{network}/{fit}.{again}.machine.json",
    log:
        "<logs>/{cohort}/{paper}/train_network_again/{network}.{fit}.{again}.log",
    benchmark:
        "<benchmarks>/{cohort}/{paper}/train_network_again/{network}.{fit}.{again}.tsv"
    wildcard_constraints:
        cohort=COHORT_NAME,
        paper=PAPER_NAME,
        fit=Fit.PATTERN_OF_ONE_FOLD,
        again="|".join(AGAIN_TEXT),
    params:
        kernels=kernels_of_again,
        seed=seed_of_again,


rule measure_movement:
    """How far the probabilities, AUCs and risk groups of a study's networks move when these are trained again."""
    input:
        first=scores_of_fit,
        kernels=scores_of_again(KERNELS),
        seed=scores_of_again(SEED),
        labels="<results>/{cohort}/labels.csv",
    output:
        **study_figure("movement", "networks trained again", section="Checks"),
        **study_table("movement", "networks trained again, table", section="Checks"),
        patients="<results>/{cohort}/{paper}/tables/movement_patients.csv",
        sentence="<results>/{cohort}/{paper}/tables/movement.txt",
    log:
        "<logs>/{cohort}/{paper}/measure_movement.log",
    benchmark:
        "<benchmarks>/{cohort}/{paper}/measure_movement.tsv"
    wildcard_constraints:
        cohort=COHORT_NAME,
        paper=PAPER_NAME,
    group:
        "{paper}_results"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=reckoned_memory("measure_movement"),
        runtime=minutes(10),
    params:
        networks=lambda w: networks_trained_again(w.paper),
        fit=lambda w: str(fit_trained_again(w)),
        kernels=kernel_words(FULL_CONFIG["numerics"]),
        other_kernels=KERNEL_WORDS[OTHER],
        resamples=FULL_CONFIG["evaluation"]["resamples"],
        seed=FULL_CONFIG["seed"],
        title=of_cohort("title"),
        mark=study_mark,
        figures=figure_settings,
        endpoint=of_cohort("endpoint"),
        code=code("measure_movement"),
    script:
        "../scripts/evaluation/measure_movement.py"


rule compare_movement:
    """Differences between methods beside what another seed moves an AUC of their networks."""
    input:
        delong="<results>/{cohort}/comparison/{scheme}/tables/delong.csv",
        movements=movements_of_comparison,
    output:
        csv="<results>/{cohort}/comparison/{scheme}/tables/movement.csv",
        html=shown(
            "<results>/{cohort}/comparison/{scheme}/tables/movement.html",
            "../report/movement_comparison.rst",
            "differences between methods beside another seed",
            section="Checks",
        ),
    log:
        "<logs>/{cohort}/comparison/{scheme}/compare_movement.log",
    benchmark:
        "<benchmarks>/{cohort}/comparison/{scheme}/compare_movement.tsv"
    wildcard_constraints:
        cohort=COHORT_NAME,
    group:
        "comparison/{scheme}_results"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=reckoned_memory("compare_movement"),
        runtime=minutes(10),
    params:
        papers=papers_of_movement,
        main=lambda w: [
            f"{paper}:" for paper in PLAN.papers_with_scheme(w.cohort, w.scheme)
        ],
        without_network=models_of_tables,
        title=of_cohort("title"),
        mark=lambda w: PLAN.random_weights(
            PLAN.papers_with_scheme(w.cohort, w.scheme), w.cohort
        ),
        code=code("compare_movement"),
    script:
        "../scripts/evaluation/compare_movement.py"


rule numerics:
    input:
        movement_targets,
