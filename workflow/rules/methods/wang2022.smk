# Wang 2022: models of a segmentation network's features, with clinical variables, and of visual findings; Cox nomogram.
# Needs segmentation/<unet>/, labels and a split without the patients that trained the network; makes predictions,
# tables, nomograms and maps of features.


include: "wang2022_common.smk"


PREDICTION_PARTS["wang2022"] = wang2022_predictions
OWN_TARGETS["wang2022"] = wang2022_targets


rule wang2022:
    input:
        paper_targets("wang2022"),


rule fit_wang2022:
    """All models of one protocol and repeat: selection, settings and threshold inside each fit."""
    input:
        features=wang2022_features,
        labels="<results>/{cohort}/labels.csv",
        split=split_file("wang2022"),
    output:
        predictions="<results>/{cohort}/wang2022/fits/{protocol}.{repeat}.predictions.csv",
        out_of_fold="<results>/{cohort}/wang2022/fits/{protocol}.{repeat}.out_of_fold.csv",
        choices="<results>/{cohort}/wang2022/fits/{protocol}.{repeat}.choices.csv",
        weights="<results>/{cohort}/wang2022/fits/{protocol}.{repeat}.weights.csv",
        hazards="<results>/{cohort}/wang2022/fits/{protocol}.{repeat}.hazards.csv",
        drawn="<results>/{cohort}/wang2022/fits/{protocol}.{repeat}.nomograms.json",
    log:
        "<logs>/{cohort}/wang2022/fit_wang2022/{protocol}.{repeat}.log",
    benchmark:
        "<benchmarks>/{cohort}/wang2022/fit_wang2022/{protocol}.{repeat}.tsv"
    wildcard_constraints:
        # A job takes all fits of one repeat.
        repeat="[1-9][0-9]*",
    group:
        "wang2022_fits"
    conda:
        "../../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=minutes(480),
    params:
        phases=lambda w: PLAN.phases("wang2022", base(w.cohort)),
        settings=lambda w: {
            **{k: WANG[k] for k in WANG_MODELS},
            "clinical": PLAN.settings("wang2022", base(w.cohort))["clinical"],
        },
        horizon=horizon_months,
        sheet=untracked(patients_sheet),
        clinical=clinical_hash(study_clinical("wang2022")),
        definitions=untracked(clinical_definitions(study_clinical("wang2022"))),
        meaning=clinical_meaning(study_clinical("wang2022")),
        missing_codes=of_cohort("missing_codes"),
        seed=FULL_CONFIG["seed"],
        code=code("fit_wang2022"),
    script:
        "../../scripts/fit_wang2022.py"


rule gather_wang2022:
    """What all fits chose, and the nomograms and hazard ratios of those on all training patients."""
    input:
        choices=wang2022_files("choices.csv"),
        weights=wang2022_files("weights.csv"),
        hazards=wang2022_files("hazards.csv"),
        drawn=wang2022_files("nomograms.json"),
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
        choices="<results>/{cohort}/wang2022/tables/choices.csv",
        choices_html=shown(
            "<results>/{cohort}/wang2022/tables/choices.html",
            "../../report/wang2022_choices.rst",
            "phases, features and settings chosen",
            section="Wang 2022",
        ),
        weights="<results>/{cohort}/wang2022/tables/weights.csv",
        weights_html=shown(
            "<results>/{cohort}/wang2022/tables/weights.html",
            "../../report/wang2022_weights.rst",
            "weights of the features",
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
        code=code("gather_wang2022"),
    script:
        "../../scripts/gather_wang2022.py"


rule write_wang2022_development:
    """AUC of the development patients three ways: apparent, cross-validated as published, nested."""
    input:
        out_of_fold="<results>/{cohort}/wang2022/fits/as_published.1.out_of_fold.csv",
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
        "../../scripts/write_wang2022_development.py"


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
        code=code("plot_wang2022_features"),
    script:
        "../../scripts/plot_wang2022_features.py"
