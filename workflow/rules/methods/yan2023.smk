# Yan 2023: VGG19 features of each phase, a grid of rankings and classifiers, mp-MR, nomograms. Needs crops, labels, a split
# and clinical variables; makes a job a ranking of the grid, the choice in both protocols, predictions, nomograms.


include: "yan2023_common.smk"


METHODS["yan2023"] = {
    "fits": yan2023_fits,
    "inputs": lambda w: {
        "features": yan2023_phase_features(w),
        "ranks": yan2023_grid("ranks.parquet")(w),
        "chosen": "<results>/{cohort}/yan2023/tables/chosen.csv",
        "fused": "<results>/{cohort}/yan2023/fits/signatures.csv",
    },
    "settings": yan2023_fit_settings,
    "clinical": study_clinical("yan2023"),
    "about": yan2023_about,
    "memory_mb": 2000,
    "minutes": 30,
}
EXPORTS["yan2023"] = {
    "models": exported_fit("yan2023"),
    "features": yan2023_phase_features,
    "weights": yan2023_weights,
}
PREDICTION_PARTS["yan2023"] = files_of_fits("yan2023", ".predictions.csv")
OWN_TARGETS["yan2023"] = yan2023_targets
SMALLER_COPIES["yan2023"] = yan2023_smaller()


rule rank_yan2023_features:
    """Features of one phase in the order of one selector, in every fit and every inner split."""
    input:
        features=yan2023_features,
        labels="<results>/{cohort}/labels.csv",
        split=split_file("yan2023"),
    output:
        ranks="<results>/{cohort}/yan2023/grid/{phase}.{selector}.ranks.parquet",
        steps="<results>/{cohort}/yan2023/grid/{phase}.{selector}.steps.csv",
    log:
        "<logs>/{cohort}/yan2023/rank_yan2023_features/{phase}.{selector}.log",
    benchmark:
        "<benchmarks>/{cohort}/yan2023/rank_yan2023_features/{phase}.{selector}.tsv"
    group:
        "yan2023_grid"
    conda:
        "../../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=reckoned_minutes("rank_yan2023_features"),
    params:
        settings=lambda w: {
            **yan2023_grid_settings(*YAN_INNER, "spearman_p", "redundancy_r")(w),
            "selectors": {w.selector: YAN["selectors"][w.selector]},
        },
        repeats=yan2023_repeats,
        seed=FULL_CONFIG["seed"],
        code=code("rank_yan2023_features"),
    script:
        "../../scripts/methods/rank_yan2023_features.py"


rule fit_yan2023_cells:
    """All classifiers on the best features of one selector in one phase: the cells of a ranking, in every fit."""
    input:
        features=yan2023_features,
        ranks="<results>/{cohort}/yan2023/grid/{phase}.{selector}.ranks.parquet",
        labels="<results>/{cohort}/labels.csv",
        split=split_file("yan2023"),
    output:
        scores="<results>/{cohort}/yan2023/grid/{phase}.{selector}.scores.csv",
        choices="<results>/{cohort}/yan2023/grid/{phase}.{selector}.choices.csv",
    log:
        "<logs>/{cohort}/yan2023/fit_yan2023_cells/{phase}.{selector}.log",
    benchmark:
        "<benchmarks>/{cohort}/yan2023/fit_yan2023_cells/{phase}.{selector}.tsv"
    group:
        "yan2023_grid"
    conda:
        "../../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=reckoned_minutes("fit_yan2023_cells"),
    params:
        settings=yan2023_grid_settings(*YAN_INNER, "classifiers", "inner_classifiers"),
        repeats=yan2023_repeats,
        seed=FULL_CONFIG["seed"],
        code=code("fit_yan2023_cells"),
    script:
        "../../scripts/methods/fit_yan2023_cells.py"


rule choose_yan2023_signatures:
    """The cell of each phase in both protocols, mp-MR, and the tables of the grid."""
    input:
        scores=yan2023_grid("scores.csv"),
        choices=yan2023_grid("choices.csv"),
        steps=yan2023_grid("steps.csv"),
        labels="<results>/{cohort}/labels.csv",
        split=split_file("yan2023"),
    output:
        fused="<results>/{cohort}/yan2023/fits/signatures.csv",
        chosen="<results>/{cohort}/yan2023/tables/chosen.csv",
        grid="<results>/{cohort}/yan2023/tables/grid.csv",
        grid_html=shown(
            "<results>/{cohort}/yan2023/tables/grid.html",
            "../../report/yan2023_grid.rst",
            "grid of signatures, table",
            section="Yan 2023",
        ),
        choices="<results>/{cohort}/yan2023/tables/choices.csv",
        choices_html=shown(
            "<results>/{cohort}/yan2023/tables/choices.html",
            "../../report/yan2023_choices.rst",
            "chosen cells",
            section="Yan 2023",
        ),
        signatures="<results>/{cohort}/yan2023/tables/signatures.csv",
        signatures_html=shown(
            "<results>/{cohort}/yan2023/tables/signatures.html",
            "../../report/yan2023_signatures.rst",
            "signatures by outcome",
            section="Yan 2023",
        ),
    log:
        "<logs>/{cohort}/yan2023/choose_yan2023_signatures.log",
    benchmark:
        "<benchmarks>/{cohort}/yan2023/choose_yan2023_signatures.tsv"
    group:
        "yan2023_choice"
    conda:
        "../../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(3000),
        runtime=minutes(20),
    params:
        settings=yan2023_grid_settings("selectors", "classifiers", "fusion"),
        title=of_cohort("title"),
        mark=mark_of("yan2023"),
        code=code("choose_yan2023_signatures"),
    script:
        "../../scripts/methods/choose_yan2023_signatures.py"


rule plot_yan2023_grid:
    """Heat maps of all cells with intervals, and what choosing on the validation patients does to their AUC."""
    input:
        grid="<results>/{cohort}/yan2023/tables/grid.csv",
        metrics="<results>/{cohort}/yan2023/tables/metrics.csv",
        best_auc=best_auc_file,
    output:
        **both_protocols(
            "<results>/{cohort}/yan2023/figures/grid",
            caption="../../report/yan2023_grid.rst",
            what="grid of signatures",
            name="grid",
            section="Yan 2023",
        ),
        **one_figure(
            "<results>/{cohort}/yan2023/figures/choice",
            "../../report/yan2023_choice.rst",
            "choosing on the validation patients",
            "choice",
            section="Yan 2023",
        ),
    log:
        "<logs>/{cohort}/yan2023/plot_yan2023_grid.log",
    benchmark:
        "<benchmarks>/{cohort}/yan2023/plot_yan2023_grid.tsv"
    group:
        "yan2023_results"
    conda:
        "../../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=reckoned_memory("plot_yan2023_grid"),
        runtime=minutes(10),
    params:
        title=of_cohort("title"),
        mark=mark_of("yan2023"),
        figures=figure_settings,
        code=code("plot_yan2023_grid"),
    script:
        "../../scripts/methods/plot_yan2023_grid.py"


rule write_yan2023_nomograms:
    """Regressions of the nomograms in every fit, and what the figures of those of all training patients draw."""
    input:
        tables=lambda w: files_of_fits("yan2023", "")(w.cohort),
        strict=f"<results>/{{cohort}}/yan2023/models/{Fit()}",
        as_published=f"<results>/{{cohort}}/yan2023/models/{YAN_PUBLISHED}",
        fused="<results>/{cohort}/yan2023/fits/signatures.csv",
        labels="<results>/{cohort}/labels.csv",
    output:
        csv="<results>/{cohort}/yan2023/tables/nomograms.csv",
        html=shown(
            "<results>/{cohort}/yan2023/tables/nomograms.html",
            "../../report/yan2023_nomograms.rst",
            "regressions of the nomograms",
            section="Yan 2023",
        ),
        drawn="<results>/{cohort}/yan2023/fits/nomograms.json",
        curves="<results>/{cohort}/yan2023/fits/nomograms.calibration.csv",
    log:
        "<logs>/{cohort}/yan2023/write_yan2023_nomograms.log",
    benchmark:
        "<benchmarks>/{cohort}/yan2023/write_yan2023_nomograms.tsv"
    group:
        "yan2023_results"
    conda:
        "../../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=reckoned_memory("write_yan2023_nomograms"),
        runtime=minutes(30),
    params:
        settings=lambda w: yan2023_settings(w, ("clinical_p", "entry_p", "removal_p")),
        resamples=calibration_resamples("yan2023"),
        sheet=untracked(patients_sheet),
        clinical=clinical_hash(study_clinical("yan2023")),
        definitions=untracked(clinical_definitions(study_clinical("yan2023"))),
        meaning=clinical_meaning(study_clinical("yan2023")),
        missing_codes=of_cohort("missing_codes"),
        seed=FULL_CONFIG["seed"],
        title=of_cohort("title"),
        mark=mark_of("yan2023"),
        endpoint=of_cohort("endpoint"),
        code=code("write_yan2023_nomograms"),
    script:
        "../../scripts/methods/write_yan2023_nomograms.py"


rule plot_yan2023_nomograms:
    """The nomograms with a worked patient, and their calibration corrected for optimism."""
    input:
        drawn="<results>/{cohort}/yan2023/fits/nomograms.json",
        curves="<results>/{cohort}/yan2023/fits/nomograms.calibration.csv",
    output:
        **one_figure(
            "<results>/{cohort}/yan2023/figures/nomogram_clinical",
            "../../report/yan2023_nomogram.rst",
            "clinical nomogram",
            "clinical",
            section="Yan 2023",
        ),
        **both_protocols(
            "<results>/{cohort}/yan2023/figures/nomogram_deep",
            caption="../../report/yan2023_nomogram.rst",
            what="DL nomogram",
            name="deep",
            section="Yan 2023",
        ),
        **both_protocols(
            "<results>/{cohort}/yan2023/figures/nomogram_preoperative",
            caption="../../report/yan2023_nomogram.rst",
            what="DL nomogram, preoperative",
            name="preoperative",
            section="Yan 2023",
        ),
        **both_protocols(
            "<results>/{cohort}/yan2023/figures/nomograms_calibration",
            caption="../../report/nomograms_calibration.rst",
            what="calibration of the nomograms, corrected for optimism",
            name="calibration",
            section="Yan 2023",
        ),
    log:
        "<logs>/{cohort}/yan2023/plot_yan2023_nomograms.log",
    benchmark:
        "<benchmarks>/{cohort}/yan2023/plot_yan2023_nomograms.tsv"
    group:
        "yan2023_results"
    conda:
        "../../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=reckoned_memory("plot_yan2023_nomograms"),
        runtime=minutes(10),
    params:
        paper="yan2023",
        nomograms={
            "clinical": ("Clinical-nomogram", "strict"),
            **{f"deep_{p}": ("DL-nomogram", p) for p in PROTOCOLS},
            **{
                f"preoperative_{p}": ("DL-nomogram preoperative", p) for p in PROTOCOLS
            },
        },
        title=of_cohort("title"),
        mark=mark_of("yan2023"),
        figures=figure_settings,
        endpoint=of_cohort("endpoint"),
        code=code("plot_nomograms"),
    script:
        "../../scripts/methods/plot_nomograms.py"
