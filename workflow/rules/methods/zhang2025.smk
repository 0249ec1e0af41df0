# Zhang 2025: slice-level networks on 2.5D images, fusion of a patient's images, clinical and combined models, networks of
# volumes. Needs crops, radiomics, labels and a split; makes predictions, tables, nomograms and Grad-CAM.


include: "zhang2025_common.smk"


METHODS["zhang2025"] = {
    "fits": zhang2025_fits,
    "inputs": zhang2025_inputs,
    "settings": zhang2025_settings,
    "clinical": study_clinical("zhang2025"),
    "about": zhang2025_about,
    # The weights of a VGG19, 560 MB, are read and written once more.
    "memory_mb": 6000,
    "minutes": 480,
}
EXPORTS["zhang2025"] = {
    "models": exported_fit("zhang2025"),
    "features": lambda w: (
        radiomics_files("zhang2025")(w)
        if PLAN.has_networks("zhang2025", w.cohort)
        else []
    ),
}
PREDICTION_PARTS["zhang2025"] = zhang2025_predictions
OWN_TARGETS["zhang2025"] = zhang2025_targets
TRAINING_MEMORY["zhang2025"] = zhang2025_memory
TRAINED["zhang2025"] = zhang2025_trained


rule gather_zhang2025_fusion:
    """What all fits of DL_2.5D chose, and the grid search of the fits on all training patients (Figure 6)."""
    input:
        zhang2025_folders,
    output:
        **one_figure(
            "<results>/{cohort}/zhang2025/figures/grid_search",
            "../../report/zhang2025_grid_search.rst",
            "grid search of the learners",
            "grid_search",
            section="Zhang 2025",
        ),
        choices="<results>/{cohort}/zhang2025/fits/choices.csv",
        grid="<results>/{cohort}/zhang2025/tables/grid_search.csv",
        learners="<results>/{cohort}/zhang2025/tables/learners.csv",
        learners_html=shown(
            "<results>/{cohort}/zhang2025/tables/learners.html",
            "../../report/zhang2025_learners.rst",
            "learners and networks chosen",
            section="Zhang 2025",
        ),
        selection="<results>/{cohort}/zhang2025/tables/selection.csv",
        selection_html=shown(
            "<results>/{cohort}/zhang2025/tables/selection.html",
            "../../report/zhang2025_selection.rst",
            "feature selection",
            section="Zhang 2025",
        ),
    log:
        "<logs>/{cohort}/zhang2025/gather_zhang2025_fusion.log",
    benchmark:
        "<benchmarks>/{cohort}/zhang2025/gather_zhang2025_fusion.tsv"
    group:
        "zhang2025_results"
    conda:
        "../../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=reckoned_memory("gather_zhang2025_fusion"),
        runtime=minutes(10),
    params:
        title=of_cohort("title"),
        mark=mark_of("zhang2025"),
        figures=figure_settings,
        code=code("gather_zhang2025_fusion"),
    script:
        "../../scripts/methods/gather_zhang2025_fusion.py"


rule gather_zhang2025_networks:
    """The slice-level table, the models of the networks of volumes, and what all networks are."""
    input:
        scores=zhang2025_files(ZHANG_SLICES, "scores.csv"),
        volumes=zhang2025_files(ZHANG_VOLUMES, "scores.csv"),
        histories=zhang2025_files(
            [*ZHANG_SLICES, *ZHANG_VOLUMES], "history.csv", validation=False
        ),
        labels="<results>/{cohort}/labels.csv",
        split=split_file("zhang2025"),
    output:
        **both_protocols(
            "<results>/{cohort}/zhang2025/figures/roc_images",
            caption="../../report/zhang2025_slices.rst",
            what="ROC of single images",
            name="roc",
            section="Zhang 2025",
        ),
        predictions="<results>/{cohort}/zhang2025/fits/volumes.predictions.csv",
        slices="<results>/{cohort}/zhang2025/tables/slices.csv",
        slices_html=shown(
            "<results>/{cohort}/zhang2025/tables/slices.html",
            "../../report/zhang2025_slices.rst",
            "single images",
            section="Zhang 2025",
        ),
        csv="<results>/{cohort}/zhang2025/tables/networks.csv",
        html=shown(
            "<results>/{cohort}/zhang2025/tables/networks.html",
            "../../report/networks.rst",
            "networks",
            section="Zhang 2025",
        ),
    log:
        "<logs>/{cohort}/zhang2025/gather_zhang2025_networks.log",
    benchmark:
        "<benchmarks>/{cohort}/zhang2025/gather_zhang2025_networks.tsv"
    group:
        "zhang2025_results"
    conda:
        "../../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=minutes(20),
    params:
        networks=ZHANG["networks"],
        phases=lambda w: PLAN.phases("zhang2025", base(w.cohort)),
        seed=FULL_CONFIG["seed"],
        title=of_cohort("title"),
        mark=mark_of("zhang2025"),
        figures=figure_settings,
        code=code("gather_zhang2025_networks"),
    script:
        "../../scripts/methods/gather_zhang2025_networks.py"


rule gather_zhang2025_models:
    """The regressions of clinical and combined models of all fits, and what the nomograms draw."""
    input:
        zhang2025_folders,
    output:
        csv="<results>/{cohort}/zhang2025/tables/regressions.csv",
        html=shown(
            "<results>/{cohort}/zhang2025/tables/regressions.html",
            "../../report/zhang2025_regressions.rst",
            "clinical regressions",
            section="Zhang 2025",
        ),
        drawn="<results>/{cohort}/zhang2025/fits/nomograms.json",
        curves="<results>/{cohort}/zhang2025/fits/nomograms.calibration.csv",
    log:
        "<logs>/{cohort}/zhang2025/gather_zhang2025_models.log",
    benchmark:
        "<benchmarks>/{cohort}/zhang2025/gather_zhang2025_models.tsv"
    group:
        "zhang2025_results"
    conda:
        "../../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=reckoned_memory("gather_zhang2025_models"),
        runtime=minutes(10),
    params:
        rule_of_choice=lambda w: {
            key: PLAN.settings("zhang2025", base(w.cohort))[key]
            for key in ("clinical_p", "none_significant")
        },
        definitions=zhang2025_definitions,
        title=of_cohort("title"),
        mark=mark_of("zhang2025"),
        code=code("gather_zhang2025_models"),
    script:
        "../../scripts/methods/gather_zhang2025_models.py"


rule plot_zhang2025_nomograms:
    """The combined nomograms with a worked patient, and their calibration corrected for optimism."""
    input:
        drawn="<results>/{cohort}/zhang2025/fits/nomograms.json",
        curves="<results>/{cohort}/zhang2025/fits/nomograms.calibration.csv",
    output:
        **both_protocols(
            "<results>/{cohort}/zhang2025/figures/nomogram_combined",
            caption="../../report/zhang2025_nomogram.rst",
            what="combined nomogram",
            name="combined",
            section="Zhang 2025",
        ),
        **both_protocols(
            "<results>/{cohort}/zhang2025/figures/nomogram_preoperative",
            caption="../../report/zhang2025_nomogram.rst",
            what="combined nomogram, preoperative",
            name="preoperative",
            section="Zhang 2025",
        ),
        **both_protocols(
            "<results>/{cohort}/zhang2025/figures/nomograms_calibration",
            caption="../../report/nomograms_calibration.rst",
            what="calibration of the nomograms, corrected for optimism",
            name="calibration",
            section="Zhang 2025",
        ),
    log:
        "<logs>/{cohort}/zhang2025/plot_zhang2025_nomograms.log",
    benchmark:
        "<benchmarks>/{cohort}/zhang2025/plot_zhang2025_nomograms.tsv"
    group:
        "zhang2025_results"
    conda:
        "../../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=reckoned_memory("plot_zhang2025_nomograms"),
        runtime=minutes(10),
    params:
        paper="zhang2025",
        nomograms={
            **{f"combined_{p}": ("Combined", p) for p in PROTOCOLS},
            **{f"preoperative_{p}": ("Combined preoperative", p) for p in PROTOCOLS},
        },
        title=of_cohort("title"),
        mark=mark_of("zhang2025"),
        figures=figure_settings,
        endpoint=of_cohort("endpoint"),
        code=code("plot_nomograms"),
    script:
        "../../scripts/methods/plot_nomograms.py"


rule write_zhang2025_inflation:
    """How much feeding apparent scores of images to the learners inflates what they say of themselves."""
    input:
        choices="<results>/{cohort}/zhang2025/fits/choices.csv",
        metrics="<results>/{cohort}/zhang2025/tables/metrics.csv",
        best_auc=best_auc_file,
    output:
        **one_figure(
            "<results>/{cohort}/zhang2025/figures/inflation",
            "../../report/zhang2025_inflation.rst",
            "what apparent scores inflate, figure",
            "figure",
            section="Zhang 2025",
        ),
        csv="<results>/{cohort}/zhang2025/tables/inflation.csv",
        html=shown(
            "<results>/{cohort}/zhang2025/tables/inflation.html",
            "../../report/zhang2025_inflation.rst",
            "what apparent scores inflate",
            section="Zhang 2025",
        ),
    log:
        "<logs>/{cohort}/zhang2025/write_zhang2025_inflation.log",
    benchmark:
        "<benchmarks>/{cohort}/zhang2025/write_zhang2025_inflation.tsv"
    group:
        "zhang2025_results"
    conda:
        "../../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=reckoned_memory("write_zhang2025_inflation"),
        runtime=minutes(10),
    params:
        title=of_cohort("title"),
        mark=mark_of("zhang2025"),
        figures=figure_settings,
        code=code("write_zhang2025_inflation"),
    script:
        "../../scripts/methods/write_zhang2025_inflation.py"


rule plot_grad_cam:
    """Grad-CAM of two patients called right and of all confident wrong calls, by networks that never saw them."""
    input:
        crops=study_crops("zhang2025"),
        predictions=zhang2025_explained_predictions,
        choices="<results>/{cohort}/zhang2025/fits/choices.csv",
        networks=lambda w: [
            f"<results>/{w.cohort}/zhang2025/networks/{network}/{fit}.pt"
            for network, fit in zhang2025_explained(w.cohort)
        ],
    output:
        **one_figure(
            "<results>/{cohort}/zhang2025/figures/grad_cam",
            "../../report/grad_cam.rst",
            "Grad-CAM",
            "figure",
            section="Zhang 2025",
            pictures=True,
        ),
        csv="<results>/{cohort}/zhang2025/tables/grad_cam.csv",
    log:
        "<logs>/{cohort}/zhang2025/plot_grad_cam.log",
    benchmark:
        "<benchmarks>/{cohort}/zhang2025/plot_grad_cam.tsv"
    group:
        "zhang2025_results"
    conda:
        "../../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(6000),
        runtime=minutes(60),
    params:
        phases=lambda w: PLAN.phases("zhang2025", base(w.cohort)),
        networks=ZHANG["networks"],
        files=lambda w: [f"{n}.{fit.fold}" for n, fit in zhang2025_explained(w.cohort)],
        views=FULL_CONFIG["crops"].get(ZHANG["crops"], {}).get("views", []),
        shown=[-4, 0, 4, "sagittal", "coronal"],
        confident=ZHANG["confident"],
        title=of_cohort("title"),
        mark=mark_of("zhang2025"),
        figures=figure_settings,
        endpoint=of_cohort("endpoint"),
        code=code("plot_grad_cam"),
    script:
        "../../scripts/methods/plot_grad_cam.py"
