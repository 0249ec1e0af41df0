# Zhao 2024: radiomics, clinical-radiological, deep and fused models. Needs radiomics, crops, labels and a split; makes
# predictions, coefficients, the number of features after each selection step, networks, the ablation and Score-CAM.


include: "zhao2024_common.smk"


METHODS["zhao2024"] = {
    # As published the validation patients choose the classifier.
    "fits": fits_of_study("zhao2024", VALIDATION),
    "inputs": lambda w: {"radiomics": radiomics_files("zhao2024")(w)},
    "settings": zhao2024_learning,
    "clinical": study_clinical("zhao2024"),
    "about": lambda w: {
        "phases": PLAN.phases("zhao2024", base(w.cohort)),
        "reader": of_cohort("reader")(w),
    },
}
EXPORTS["zhao2024"] = {
    "models": zhao2024_exported,
    "features": radiomics_files("zhao2024"),
}
PREDICTION_PARTS["zhao2024"] = zhao2024_predictions
TRAINING_MEMORY["zhao2024"] = zhao2024_memory
TRAINED["zhao2024"] = zhao2024_trained
OWN_NETWORKS["zhao2024"] = ["DLRCR"]
OWN_TARGETS["zhao2024"] = lambda cohort: [
    f"<results>/{cohort}/zhao2024/tables/selection.html",
    *(
        [f"<results>/{cohort}/zhao2024/figures/reproducibility.png"]
        if PLAN.has_second_reader(base(cohort))
        else []
    ),
    *[
        f"<results>/{cohort}/zhao2024/figures/coefficients.{model}.{protocol}.png"
        for model in (
            ("CR", "RCR") if has_variables("zhao2024", cohort) else ("Radiomics",)
        )
        for protocol in PROTOCOLS
    ],
    *[
        f"<results>/{cohort}/zhao2024/{kind}"
        for kind in (
            "tables/networks.html",
            "tables/ablation.html",
            "figures/score_cam.png",
            # The weights of the other fits stay where they were trained: they are large.
            *[f"models/networks/{fit}" for fit in (Fit(), Fit(AS_PUBLISHED))],
        )
        if PLAN.has_networks("zhao2024", cohort)
    ],
]


rule summarise_selection:
    """The number of features that each selection step left, over all fits."""
    input:
        "<results>/{cohort}/zhao2024/tables/selection.csv",
    output:
        shown(
            "<results>/{cohort}/zhao2024/tables/selection.html",
            "../../report/zhao2024_selection.rst",
            "feature selection",
            section="Zhao 2024",
        ),
    log:
        "<logs>/{cohort}/zhao2024/summarise_selection.log",
    benchmark:
        "<benchmarks>/{cohort}/zhao2024/summarise_selection.tsv"
    group:
        "zhao2024_results"
    conda:
        "../../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=reckoned_memory("summarise_selection"),
        runtime=minutes(10),
    params:
        title=of_cohort("title"),
        mark=zhao2024_mark_without_networks,
        code=code("summarise_selection"),
    script:
        "../../scripts/methods/summarise_selection.py"


rule plot_coefficients:
    """Which variables a logistic model of the paper uses, and how often the folds chose them."""
    input:
        "<results>/{cohort}/zhao2024/tables/coefficients.csv",
    output:
        **both_protocols(
            "<results>/{cohort}/zhao2024/figures/coefficients.{model}",
            caption="../../report/coefficients.rst",
            what="coefficients of {model}",
            section="Zhao 2024",
        ),
    log:
        "<logs>/{cohort}/zhao2024/plot_coefficients.{model}.log",
    benchmark:
        "<benchmarks>/{cohort}/zhao2024/plot_coefficients.{model}.tsv"
    group:
        "zhao2024_results"
    conda:
        "../../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=reckoned_memory("plot_coefficients"),
        runtime=minutes(10),
    params:
        mark=zhao2024_mark_without_networks,
        figures=figure_settings,
        endpoint=of_cohort("endpoint"),
        code=code("plot_coefficients"),
    script:
        "../../scripts/methods/plot_coefficients.py"


rule train_zhao2024_fusion:
    """DLRCR of one fold, whole and without each of its inputs; goes on where a killed job was."""
    input:
        crops=study_crops("zhao2024"),
        labels="<results>/{cohort}/labels.csv",
        split=split_file("zhao2024"),
        inputs=zhao2024_inputs,
        networks=zhao2024_networks_of_fit("pt", FUSION_NETWORKS),
        network_scores=zhao2024_networks_of_fit("scores.csv", FUSION_NETWORKS),
        histories=zhao2024_networks_of_fit("history.csv", FUSION_NETWORKS),
    output:
        network="<results>/{cohort}/zhao2024/networks/DLRCR/{fit}.pt",
        scores="<results>/{cohort}/zhao2024/networks/DLRCR/{fit}.scores.csv",
        history="<results>/{cohort}/zhao2024/networks/DLRCR/{fit}.history.csv",
        machine="<results>/{cohort}/zhao2024/networks/DLRCR/{fit}.machine.json",
    log:
        "<logs>/{cohort}/zhao2024/train_zhao2024_fusion/{fit}.log",
    benchmark:
        "<benchmarks>/{cohort}/zhao2024/train_zhao2024_fusion/{fit}.tsv"
    conda:
        "../../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=training_memory(lambda wildcards: "zhao2024"),
        runtime=reckoned_minutes("train_zhao2024_fusion"),
        gpu=GPUS,
        slurm_partition=training_partition,
    params:
        phases=lambda w: PLAN.phases("zhao2024", base(w.cohort)),
        networks=FUSION_NETWORKS,
        has_clinical=lambda w: has_variables("zhao2024", w.cohort),
        layer_norm=lookup(
            "papers/zhao2024/settings/fusion_layer_norm", within=FULL_CONFIG
        ),
        training=training_settings("zhao2024"),
        device=untracked(lambda w: FULL_CONFIG["device"]),
        numerics=FULL_CONFIG["numerics"],
        seed=FULL_CONFIG["seed"],
        code=code("train_zhao2024_fusion"),
    script:
        "../../scripts/methods/train_zhao2024_fusion.py"


# Once more, from networks that were trained again (numerics.smk).
use rule train_zhao2024_fusion as train_zhao2024_fusion_again with:
    input:
        crops=study_crops("zhao2024"),
        labels="<results>/{cohort}/labels.csv",
        split=split_file("zhao2024"),
        inputs=zhao2024_inputs,
        networks=zhao2024_networks_again("pt"),
        network_scores=zhao2024_networks_again("scores.csv"),
        histories=zhao2024_networks_again("history.csv"),
    output:
        network="<results>/{cohort}/zhao2024/numerics/DLRCR/{fit}.{again}.pt",
        scores="<results>/{cohort}/zhao2024/numerics/DLRCR/{fit}.{again}.scores.csv",
        history="<results>/{cohort}/zhao2024/numerics/DLRCR/{fit}.{again}.history.csv",
        machine="<results>/{cohort}/zhao2024/numerics/DLRCR/{fit}.{again}.machine.json",
    log:
        "<logs>/{cohort}/zhao2024/train_zhao2024_fusion_again/{fit}.{again}.log",
    benchmark:
        "<benchmarks>/{cohort}/zhao2024/train_zhao2024_fusion_again/{fit}.{again}.tsv"
    wildcard_constraints:
        cohort=COHORT_NAME,
        again="|".join(AGAIN_TEXT),
    params:
        kernels=kernels_of_again,
        seed=seed_of_again,


rule keep_zhao2024_networks:
    """DL, the networks that it is chosen from, and DLRCR of one fit as one model that can be applied to other patients."""
    input:
        networks=zhao2024_networks_of_fit("pt"),
        scores=zhao2024_networks_of_fit("scores.csv"),
        histories=zhao2024_networks_of_fit("history.csv"),
        fusion="<results>/{cohort}/zhao2024/networks/DLRCR/{fit}.pt",
        model=zhao2024_model_of_fit,
        labels="<results>/{cohort}/labels.csv",
        split=split_file("zhao2024"),
    output:
        directory("<results>/{cohort}/zhao2024/models/networks/{fit}"),
    log:
        "<logs>/{cohort}/zhao2024/keep_zhao2024_networks/{fit}.log",
    benchmark:
        "<benchmarks>/{cohort}/zhao2024/keep_zhao2024_networks/{fit}.tsv"
    group:
        "zhao2024_results"
    conda:
        "../../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(10),
    params:
        phases=lambda w: PLAN.phases("zhao2024", base(w.cohort)),
        networks=ZHAO_NETWORKS,
        layer_norm=lookup(
            "papers/zhao2024/settings/fusion_layer_norm", within=FULL_CONFIG
        ),
        slices=lambda w: FULL_CONFIG["crops"][
            FULL_CONFIG["papers"]["zhao2024"]["settings"]["crops"]
        ]["size_voxels"][0],
        code=code("keep_zhao2024_networks"),
    script:
        "../../scripts/methods/keep_zhao2024_networks.py"


rule gather_zhao2024_networks:
    """Predictions of all networks in both protocols, and which depth was chosen."""
    input:
        scores=zhao2024_networks("scores.csv"),
        histories=zhao2024_networks("history.csv"),
        fusions=zhao2024_fusions("scores.csv"),
        labels="<results>/{cohort}/labels.csv",
        split=split_file("zhao2024"),
    output:
        predictions="<results>/{cohort}/zhao2024/fits/networks.predictions.csv",
        csv="<results>/{cohort}/zhao2024/tables/networks.csv",
        html=shown(
            "<results>/{cohort}/zhao2024/tables/networks.html",
            "../../report/networks.rst",
            "networks",
            section="Zhao 2024",
        ),
    log:
        "<logs>/{cohort}/zhao2024/gather_zhao2024_networks.log",
    benchmark:
        "<benchmarks>/{cohort}/zhao2024/gather_zhao2024_networks.tsv"
    group:
        "zhao2024_results"
    conda:
        "../../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=reckoned_memory("gather_zhao2024_networks"),
        runtime=minutes(10),
    params:
        networks=ZHAO_NETWORKS,
        title=of_cohort("title"),
        phases=lambda w: PLAN.phases("zhao2024", base(w.cohort)),
        seed=FULL_CONFIG["seed"],
        mark=mark_of("zhao2024"),
        code=code("gather_zhao2024_networks"),
    script:
        "../../scripts/methods/gather_zhao2024_networks.py"


rule write_ablation:
    """The fusion with all its inputs and without each."""
    input:
        metrics="<results>/{cohort}/zhao2024/tables/metrics.csv",
        pairs="<results>/{cohort}/zhao2024/tables/delong.csv",
    output:
        csv="<results>/{cohort}/zhao2024/tables/ablation.csv",
        html=shown(
            "<results>/{cohort}/zhao2024/tables/ablation.html",
            "../../report/ablation.rst",
            "ablation of DLRCR",
            section="Zhao 2024",
        ),
    log:
        "<logs>/{cohort}/zhao2024/write_ablation.log",
    benchmark:
        "<benchmarks>/{cohort}/zhao2024/write_ablation.tsv"
    group:
        "zhao2024_results"
    conda:
        "../../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=reckoned_memory("write_ablation"),
        runtime=minutes(10),
    params:
        title=of_cohort("title"),
        mark=mark_of("zhao2024"),
        code=code("write_ablation"),
    script:
        "../../scripts/methods/write_ablation.py"


rule plot_score_cam:
    """Score-CAM of the patients that the network was most certain of, right and wrong, by networks that never saw them."""
    input:
        crops=study_crops("zhao2024"),
        labels="<results>/{cohort}/labels.csv",
        split=split_file("zhao2024"),
        networks=zhao2024_explained("pt"),
        scores=zhao2024_explained("scores.csv"),
        histories=zhao2024_explained("history.csv"),
    output:
        **one_figure(
            "<results>/{cohort}/zhao2024/figures/score_cam",
            "../../report/score_cam.rst",
            "Score-CAM",
            "figure",
            section="Zhao 2024",
            pictures=True,
        ),
        csv="<results>/{cohort}/zhao2024/tables/score_cam.csv",
    log:
        "<logs>/{cohort}/zhao2024/plot_score_cam.log",
    benchmark:
        "<benchmarks>/{cohort}/zhao2024/plot_score_cam.tsv"
    group:
        "zhao2024_results"
    conda:
        "../../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=minutes(60),
    params:
        phases=lambda w: PLAN.phases("zhao2024", base(w.cohort)),
        networks=FUSION_NETWORKS,
        name=", ".join(FUSION_NETWORKS),
        title=of_cohort("title"),
        mark=mark_of("zhao2024"),
        figures=figure_settings,
        endpoint=of_cohort("endpoint"),
        code=code("plot_score_cam"),
    script:
        "../../scripts/methods/plot_score_cam.py"
