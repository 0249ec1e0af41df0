# Cui 2022: a 3D network on the segmented tumour (SS) and on the box about it (NSS). Needs crops, labels and a split;
# makes predictions, models, the learning curve of both, Grad-CAM side by side and the share of it inside the tumour.


include: "cui2022_common.smk"


EXPORTS["cui2022"] = {"models": exported_fit("cui2022")}
PREDICTION_PARTS["cui2022"] = cui2022_predictions
OWN_TARGETS["cui2022"] = cui2022_targets
TRAINING_MEMORY["cui2022"] = cui2022_memory
TRAINED["cui2022"] = cui2022_trained
NETWORKS_ALONE.add("cui2022")
if CUI["ensemble"]:
    FOLDS_ALONE.add("cui2022")


rule keep_cui2022_networks:
    """SS and NSS of all folds of the first repeat as one model that can be applied to other patients."""
    input:
        networks=cui2022_of_ensemble,
    output:
        directory("<results>/{cohort}/cui2022/models/{fit}"),
    log:
        "<logs>/{cohort}/cui2022/keep_cui2022_networks/{fit}.log",
    benchmark:
        "<benchmarks>/{cohort}/cui2022/keep_cui2022_networks/{fit}.tsv"
    wildcard_constraints:
        # No network is trained on all patients: these are the means of all folds.
        fit="|".join(re.escape(str(fit)) for fit in (Fit(), Fit(AS_PUBLISHED))),
    group:
        "cui2022_results"
    conda:
        "../../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=minutes(10),
    params:
        phases=lambda w: PLAN.phases("cui2022", base(w.cohort)),
        definitions=CUI_DEFINITIONS,
        code=code("keep_cui2022_networks"),
    script:
        "../../scripts/methods/keep_cui2022_networks.py"


rule gather_cui2022:
    """Predictions of both networks, their training AUC three ways, and the learning curve."""
    input:
        scores=cui2022_networks("scores.csv", cui2022_both),
        histories=cui2022_networks("history.csv", cui2022_strict),
        labels="<results>/{cohort}/labels.csv",
        split=split_file("cui2022"),
    output:
        predictions="<results>/{cohort}/cui2022/fits/networks.predictions.csv",
        csv="<results>/{cohort}/cui2022/tables/networks.csv",
        html=shown(
            "<results>/{cohort}/cui2022/tables/networks.html",
            "../../report/networks.rst",
            "networks",
            section="Cui 2022",
        ),
    log:
        "<logs>/{cohort}/cui2022/gather_cui2022.log",
    benchmark:
        "<benchmarks>/{cohort}/cui2022/gather_cui2022.tsv"
    group:
        "cui2022_results"
    conda:
        "../../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(3000),
        runtime=minutes(20),
    params:
        networks=CUI["networks"],
        shapes=CUI_SHAPES,
        seed=FULL_CONFIG["seed"],
        title=of_cohort("title"),
        mark=mark_of("cui2022"),
        code=code("gather_cui2022"),
    script:
        "../../scripts/methods/gather_cui2022.py"


rule compare_cui2022:
    """Training AUC three ways, and SS against NSS by the number of patients that train."""
    input:
        scores=cui2022_networks("scores.csv", cui2022_both),
        curve=cui2022_networks("scores.csv", cui2022_shares),
        metrics="<results>/{cohort}/cui2022/tables/metrics.csv",
        labels="<results>/{cohort}/labels.csv",
        split=split_file("cui2022"),
        best_auc=best_auc_file,
    output:
        **one_figure(
            "<results>/{cohort}/cui2022/figures/learning_curve",
            "../../report/cui2022_curve.rst",
            "SS against NSS by training size",
            "figure",
            section="Cui 2022",
        ),
        ensemble="<results>/{cohort}/cui2022/tables/ensemble.csv",
        ensemble_html=shown(
            "<results>/{cohort}/cui2022/tables/ensemble.html",
            "../../report/cui2022_ensemble.rst",
            "training AUC three ways",
            section="Cui 2022",
        ),
        curve="<results>/{cohort}/cui2022/tables/curve.csv",
        curve_html=shown(
            "<results>/{cohort}/cui2022/tables/curve.html",
            "../../report/cui2022_curve.rst",
            "SS against NSS by training size, table",
            section="Cui 2022",
        ),
    log:
        "<logs>/{cohort}/cui2022/compare_cui2022.log",
    benchmark:
        "<benchmarks>/{cohort}/cui2022/compare_cui2022.tsv"
    group:
        "cui2022_results"
    conda:
        "../../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=reckoned_memory("compare_cui2022"),
        runtime=minutes(20),
    params:
        shares=[*CUI["training_shares"], 1.0],
        title=of_cohort("title"),
        mark=mark_of("cui2022"),
        figures=figure_settings,
        code=code("compare_cui2022"),
    script:
        "../../scripts/methods/compare_cui2022.py"


rule plot_cui2022_boxes:
    """The box with and without segmentation of some patients, side by side."""
    input:
        cui2022_crops,
    output:
        **one_figure(
            "<results>/{cohort}/cui2022/figures/boxes.page{page}",
            "../../report/cui2022_boxes.rst",
            "SS beside NSS, page {page}",
            "figure",
            section="Cui 2022",
            pictures=True,
        ),
    log:
        "<logs>/{cohort}/cui2022/plot_cui2022_boxes.page{page}.log",
    benchmark:
        "<benchmarks>/{cohort}/cui2022/plot_cui2022_boxes.page{page}.tsv"
    wildcard_constraints:
        page="[0-9]+",
    group:
        "cui2022_results"
    conda:
        "../../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=minutes(10),
    params:
        phases=lambda w: PLAN.phases("cui2022", base(w.cohort)),
        networks=list(CUI["networks"]),
        patients=lambda w: page_of_patients(
            PLAN.image_cohort(base(w.cohort)), CUI["crops"], int(w.page)
        ),
        title=of_cohort("title"),
        figures=figure_settings,
        code=code("plot_cui2022_boxes"),
    script:
        "../../scripts/methods/plot_cui2022_boxes.py"


rule plot_cui2022_grad_cam:
    """Grad-CAM of SS beside NSS for the same patients, and how much of it lies inside the tumour."""
    input:
        crops=cui2022_crops,
        networks=cui2022_networks("pt", cui2022_first),
        predictions="<results>/{cohort}/cui2022/predictions.csv",
        split=split_file("cui2022"),
    output:
        **one_figure(
            "<results>/{cohort}/cui2022/figures/grad_cam",
            "../../report/cui2022_grad_cam.rst",
            "Grad-CAM, SS beside NSS",
            "figure",
            section="Cui 2022",
            pictures=True,
        ),
        **one_figure(
            "<results>/{cohort}/cui2022/figures/relevance",
            "../../report/cui2022_relevance.rst",
            "relevance inside the tumour",
            "relevance",
            section="Cui 2022",
        ),
        csv="<results>/{cohort}/cui2022/tables/relevance.csv",
        html=shown(
            "<results>/{cohort}/cui2022/tables/relevance.html",
            "../../report/cui2022_relevance.rst",
            "relevance inside the tumour, table",
            section="Cui 2022",
        ),
    log:
        "<logs>/{cohort}/cui2022/plot_cui2022_grad_cam.log",
    benchmark:
        "<benchmarks>/{cohort}/cui2022/plot_cui2022_grad_cam.tsv"
    group:
        "cui2022_results"
    conda:
        "../../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(6000),
        runtime=minutes(60),
    params:
        phases=lambda w: PLAN.phases("cui2022", base(w.cohort)),
        networks=list(CUI["networks"]),
        folds=lambda w: [fit.fold for fit in cui2022_first(w.cohort)],
        title=of_cohort("title"),
        mark=mark_of("cui2022"),
        figures=figure_settings,
        endpoint=of_cohort("endpoint"),
        code=code("plot_cui2022_grad_cam"),
    script:
        "../../scripts/methods/plot_cui2022_grad_cam.py"


rule compare_cui2022_readers:
    """The networks on the masks of other readers, against those of the study's own."""
    input:
        models=[
            f"<results>/{{cohort}}/cui2022/models/{fit}"
            for fit in (Fit(), Fit(AS_PUBLISHED))
        ],
        images=cui2022_read_again("images"),
        masks=cui2022_read_again("masks"),
        predictions="<results>/{cohort}/cui2022/predictions.csv",
        split=split_file("cui2022"),
    output:
        **one_figure(
            "<results>/{cohort}/cui2022/figures/second_reader",
            "../../report/cui2022_second_reader.rst",
            "masks of a second reader",
            "figure",
            section="Cui 2022",
        ),
        csv="<results>/{cohort}/cui2022/tables/second_reader.csv",
        html=shown(
            "<results>/{cohort}/cui2022/tables/second_reader.html",
            "../../report/cui2022_second_reader.rst",
            "masks of a second reader, table",
            section="Cui 2022",
        ),
    log:
        "<logs>/{cohort}/cui2022/compare_cui2022_readers.log",
    benchmark:
        "<benchmarks>/{cohort}/cui2022/compare_cui2022_readers.tsv"
    group:
        "cui2022_results"
    conda:
        "../../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=minutes(60),
    params:
        readers=lambda w: cui2022_readers(w.cohort),
        patients=lambda w: sorted(
            {p for own in cui2022_readers(w.cohort).values() for p in own}
        ),
        phases=lambda w: PLAN.phases("cui2022", base(w.cohort)),
        crops=CUI_DEFINITIONS,
        title=of_cohort("title"),
        mark=mark_of("cui2022"),
        figures=figure_settings,
        code=code("compare_cui2022_readers"),
    script:
        "../../scripts/methods/compare_cui2022_readers.py"
