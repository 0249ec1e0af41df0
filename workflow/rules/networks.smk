# Networks. Needs crops, labels and a split; makes networks/<network>/<fit>.pt, with the scores of all patients and the
# losses of all epochs. What a network is, and which it is compared with, the papers say.


rule train_network:
    """One network on the training patients of one fit; goes on where a killed job was."""
    input:
        crops=network_crops,
        labels="<results>/{cohort}/labels.csv",
        split=study_split,
    output:
        network="<results>/{cohort}/{paper}/networks/{network}/{fit}.pt",
        scores="<results>/{cohort}/{paper}/networks/{network}/{fit}.scores.csv",
        history="<results>/{cohort}/{paper}/networks/{network}/{fit}.history.csv",
        machine="<results>/{cohort}/{paper}/networks/{network}/{fit}.machine.json",
    log:
        "<logs>/{cohort}/{paper}/train_network/{network}.{fit}.log",
    benchmark:
        "<benchmarks>/{cohort}/{paper}/train_network/{network}.{fit}.tsv"
    wildcard_constraints:
        paper=PAPER_NAME,
        fit=Fit.PATTERN_OF_ONE_FOLD,
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=training_memory(lambda w: w.paper, lambda w: w.network),
        runtime=reckoned_minutes("train_network"),
        gpu=GPUS,
        slurm_partition=training_partition,
    params:
        **training_params(lambda w: w.paper, lambda w: w.network),
        network=lambda w: FULL_CONFIG["papers"][w.paper]["settings"]["networks"][
            w.network
        ],
        code=code("train_network"),
    script:
        "../scripts/networks/train_network.py"


# Of networks that only score, the weights are not kept: without two folds, or with a part of the patients.
use rule train_network as train_scoring_network with:
    output:
        scores="<results>/{cohort}/{paper}/networks/{network}/{fit}.scores.csv",
        history="<results>/{cohort}/{paper}/networks/{network}/{fit}.history.csv",
        machine="<results>/{cohort}/{paper}/networks/{network}/{fit}.machine.json",
    wildcard_constraints:
        paper=PAPER_NAME,
        fit=Fit.PATTERN_OF_PARTS,


rule plot_training:
    """Losses of all fits of a study's networks by epoch."""
    input:
        lambda wildcards: collect(
            "<results>/{cohort}/{paper}/networks/{network}/{fit}.history.csv",
            cohort=wildcards.cohort,
            paper=wildcards.paper,
            network=FULL_CONFIG["papers"][wildcards.paper]["settings"]["networks"],
            fit=network_fits(wildcards.paper, wildcards.cohort),
        ),
    output:
        **study_figure("training", "training of the networks"),
    log:
        "<logs>/{cohort}/{paper}/plot_training.log",
    benchmark:
        "<benchmarks>/{cohort}/{paper}/plot_training.tsv"
    wildcard_constraints:
        paper=PAPER_NAME,
    group:
        "{paper}_results"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=reckoned_memory("plot_training"),
        runtime=minutes(10),
    params:
        title=of_cohort("title"),
        mark=study_mark,
        figures=figure_settings,
        code=code("plot_training"),
    script:
        "../scripts/networks/plot_training.py"


rule extract_deep_features:
    """Features of the crops of one phase by a network that is not trained here."""
    input:
        crops=lambda wildcards: study_crops(wildcards.paper)(wildcards),
    output:
        "<results>/{cohort}/{paper}/features/{network}.{phase}.parquet",
    log:
        "<logs>/{cohort}/{paper}/extract_deep_features/{network}.{phase}.log",
    benchmark:
        "<benchmarks>/{cohort}/{paper}/extract_deep_features/{network}.{phase}.tsv"
    wildcard_constraints:
        cohort=COHORT_NAME,
        paper=PAPER_NAME,
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(6000),
        runtime=minutes(60),
    params:
        network=lambda w: FULL_CONFIG["papers"][w.paper]["settings"]["networks"][
            w.network
        ],
        pool=lookup("papers/{paper}/settings/pool", within=FULL_CONFIG),
        tap=lookup("papers/{paper}/settings/tap", within=FULL_CONFIG),
        highest=crop_highest,
        numerics=FULL_CONFIG["numerics"],
        seed=FULL_CONFIG["seed"],
        code=code("extract_deep_features"),
    script:
        "../scripts/networks/extract_deep_features.py"


rule weights:
    """Files of ImageNet weights for the run's networks, fetched and checked; or which file to put where."""
    output:
        # Not the files themselves: those that were put there by hand must stay.
        "weights/weights.yaml",
    log:
        "<logs>/weights.log",
    benchmark:
        "<benchmarks>/weights.tsv"
    localrule: True
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(60),
    params:
        files=run_weights,
        code=code("weights"),
    script:
        "../scripts/networks/weights.py"
