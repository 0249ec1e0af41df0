# Wang 2022: models of a segmentation network's features, with clinical variables, and of visual findings; Cox nomogram.
# Needs segmentation/<unet>/, labels and a split without the patients that trained the network; makes predictions,
# tables, nomograms and maps of features.


include: "wang2022_common.smk"


METHODS["wang2022"] = {
    "fits": fits_of_study("wang2022", cross_validated=True),
    "inputs": lambda w: {"features": wang2022_features(w)},
    "settings": wang2022_learning,
    "clinical": study_clinical("wang2022"),
    "about": lambda w: {
        "phases": PLAN.phases("wang2022", base(w.cohort)),
        "definitions": clinical_meaning(study_clinical("wang2022"))(w),
        "horizon": horizon_months(w),
    },
    "minutes": 120,
}
EXPORTS["wang2022"] = {
    "models": exported_fit("wang2022"),
    "features": lambda w: wang2022_features(w),
}
PREDICTION_PARTS["wang2022"] = files_of_fits("wang2022", ".predictions.csv")
OWN_TARGETS["wang2022"] = wang2022_targets


rule wang2022:
    input:
        paper_targets("wang2022"),


rule gather_wang2022:
    """What all fits chose, and the nomograms and hazard ratios of those on all training patients."""
    input:
        fits=lambda w: files_of_fits("wang2022", "")(w.cohort),
        choices="<results>/{cohort}/wang2022/tables/choices.csv",
        weights="<results>/{cohort}/wang2022/tables/weights.csv",
        correlations="<results>/{cohort}/wang2022/tables/correlations.csv",
        strict="<results>/{cohort}/wang2022/models/strict.1.0",
        as_published="<results>/{cohort}/wang2022/models/as_published.1.0",
    output:
        **both_protocols(
            "<results>/{cohort}/wang2022/figures/nomogram",
            caption="../../report/wang2022_nomogram.rst",
            what="nomogram of recurrence-free survival",
            name="nomogram",
            section="Wang 2022",
        ),
        **both_protocols(
            "<results>/{cohort}/wang2022/figures/hazards",
            caption="../../report/wang2022_hazards.rst",
            what="hazard ratios with the signature",
            name="hazards",
            section="Wang 2022",
        ),
        choices_html=shown(
            "<results>/{cohort}/wang2022/tables/choices.html",
            "../../report/wang2022_choices.rst",
            "phases, features and settings chosen",
            section="Wang 2022",
        ),
        weights_html=shown(
            "<results>/{cohort}/wang2022/tables/weights.html",
            "../../report/wang2022_weights.rst",
            "weights of the features",
            section="Wang 2022",
        ),
        correlations_html=shown(
            "<results>/{cohort}/wang2022/tables/correlations.html",
            "../../report/wang2022_correlations.rst",
            "features of the phases against one another",
            section="Wang 2022",
        ),
        hazards="<results>/{cohort}/wang2022/tables/hazards.csv",
        hazards_html=shown(
            "<results>/{cohort}/wang2022/tables/hazards.html",
            "../../report/wang2022_hazards.rst",
            "hazard ratios with the signature, table",
            section="Wang 2022",
        ),
    log:
        "<logs>/{cohort}/wang2022/gather_wang2022.log",
    benchmark:
        "<benchmarks>/{cohort}/wang2022/gather_wang2022.tsv"
    group:
        "wang2022_results"
    conda:
        "../../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(20),
    params:
        horizon=horizon_months,
        limit=WANG["cox_p"],
        title=of_cohort("title"),
        mark=mark_of("wang2022"),
        figures=FULL_CONFIG["figures"],
        endpoint=of_cohort("endpoint"),
        code=code("gather_wang2022"),
    script:
        "../../scripts/methods/gather_wang2022.py"


rule write_wang2022_development:
    """AUC of the development patients three ways: apparent, cross-validated as published, nested."""
    input:
        metrics="<results>/{cohort}/wang2022/tables/metrics.csv",
    output:
        csv="<results>/{cohort}/wang2022/tables/development.csv",
        html=shown(
            "<results>/{cohort}/wang2022/tables/development.html",
            "../../report/wang2022_development.rst",
            "development AUC three ways",
            section="Wang 2022",
        ),
    log:
        "<logs>/{cohort}/wang2022/write_wang2022_development.log",
    benchmark:
        "<benchmarks>/{cohort}/wang2022/write_wang2022_development.tsv"
    group:
        "wang2022_results"
    conda:
        "../../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        published=untracked(lambda w: str(PUBLISHED)),
        names=FULL_CONFIG["papers"]["wang2022"]["published_names"],
        title=of_cohort("title"),
        mark=mark_of("wang2022"),
        code=code("write_wang2022_development"),
    script:
        "../../scripts/methods/write_wang2022_development.py"


rule plot_wang2022_features:
    """Maps of the deep features with the largest weights, on patients of both outcomes."""
    input:
        features=wang2022_features,
        networks=wang2022_networks,
        weights="<results>/{cohort}/wang2022/tables/weights.csv",
        predictions="<results>/{cohort}/wang2022/predictions.csv",
    output:
        **one_figure(
            "<results>/{cohort}/wang2022/figures/feature_maps",
            "../../report/wang2022_features.rst",
            "maps of the features with the largest weights",
            "figure",
            section="Wang 2022",
            pictures=True,
        ),
    log:
        "<logs>/{cohort}/wang2022/plot_wang2022_features.log",
    benchmark:
        "<benchmarks>/{cohort}/wang2022/plot_wang2022_features.tsv"
    group:
        "wang2022_results"
    conda:
        "../../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=minutes(20),
    params:
        phases=lambda w: PLAN.phases("wang2022", base(w.cohort)),
        channels=FULL_CONFIG["unets"].get(WANG["unet"], {}).get("channels", []),
        number=WANG["explained_features"],
        title=of_cohort("title"),
        mark=mark_of("wang2022"),
        figures=FULL_CONFIG["figures"],
        endpoint=of_cohort("endpoint"),
        code=code("plot_wang2022_features"),
    script:
        "../../scripts/methods/plot_wang2022_features.py"
