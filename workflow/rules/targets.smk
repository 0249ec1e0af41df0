# What is asked for: everything of a study, of a paper, of a comparison, of the null control, of the run.


def crop_pages(paper, cohort):
    """Pictures of what the networks that a study trains see of every patient; once for cohorts that share images."""
    crop, images = FULL_CONFIG["papers"][paper]["settings"]["crops"], PLAN.image_cohort(
        cohort
    )
    shared = images != cohort and (paper, images) in PLAN.studies
    if shared or not trains_networks(paper, cohort):
        return []
    pages = range(1, page_count(cohort, crop) + 1)
    return [f"<results>/{cohort}/crops/{crop}.page{n}.png" for n in pages]


def study_unets(paper):
    """The segmentation networks that the studies of a paper need: for its features, or for masks."""
    masks = FULL_CONFIG["masks"]
    used = {FULL_CONFIG["papers"][paper]["settings"].get("unet", "")}
    used |= {masks["unet"]} if masks["source"] == "unet" else set()
    return sorted(used - {""})


def segmentation_targets(paper, cohort):
    """How well the networks find the tumour whose features or masks a study uses."""
    return [
        f"<results>/{PLAN.image_cohort(cohort)}/segmentation/{unet}/{name}"
        for unet in study_unets(paper)
        for name in ("dice.html", "outlines.png")
    ]


def registration_targets(paper, cohort):
    """How well the phases were registered that a study's networks read."""
    crop = FULL_CONFIG["papers"][paper]["settings"].get("crops")
    wanted = crop and PLAN.has_networks(paper, cohort)
    reference = (
        PLAN.reference_of_grid(FULL_CONFIG["crops"][crop]["grid"]) if wanted else ""
    )
    if not reference:
        return []
    return [f"<results>/{PLAN.image_cohort(cohort)}/registration/{reference}.html"]


def shared_targets(folder, cohort, figures):
    """What every predictions table is made into: tables, and the named figures in both protocols."""
    tables = ("metrics", "delong", "optimism", "calibration")
    tables += ("survival",) if has_times(cohort) else ()
    return [
        f"{folder}/predictions.csv",
        f"{folder}/tables/metrics_checked.csv",
        *[f"{folder}/tables/{table}.html" for table in tables],
        *[f"{folder}/figures/{f}.{p}.png" for f in figures for p in PROTOCOLS],
        f"{folder}/figures/optimism.png",
        f"{folder}/figures/seeds.png",
    ]


def study_targets(paper, cohort):
    """Everything that a study leaves for a reader; nothing of survival without times, nothing of clinical variables
    without any."""
    folder = f"<results>/{cohort}/{paper}"
    both = (
        *("roc", "calibration", "decision_curve"),
        *("confusion", "waterfall", "aucs"),
    )
    both += ("roc_variants",) if has_variants(paper, cohort) else ()
    both += ("delong", "agreement") if has_pairs(paper, cohort) else ()
    once, tables = ("flow_chart",), ("baseline_sets",)
    if has_times(cohort):
        both += ("survival_calibration", "survival_decision_curve")
        both += ("kaplan_meier", "time_auc")
    if has_variables(paper, cohort):
        once += ("forest", "nomogram_logistic")
        once += ("nomogram_cox",) if has_times(cohort) else ()
        tables += ("baseline", "risk_factors")
    null = FULL_CONFIG["null_control"]["in_all"]
    strata = [f"{folder}/tables/strata.html"]
    read = PLAN.readings(cohort, list(PLAN.settings(paper, cohort)["clinical"]))
    return [
        *shared_targets(folder, cohort, both),
        *[f"{folder}/figures/{figure}.png" for figure in once],
        *[f"{folder}/tables/{table}.html" for table in tables],
        *[f"{folder}/checklists/checklist_{name}.html" for name in CHECKLIST_NAMES],
        *(null_control_targets(paper, cohort) if null else []),
        *(strata if FULL_CONFIG["cohorts"][cohort]["strata"] else []),
        *([f"{folder}/tables/readings.html"] if read else []),
        *([f"{folder}/tables/readings_by_reader.html"] if read else []),
        f"<results>/{cohort}/labels.html",
        f"<results>/{cohort}/acquisition.html",
        f"<results>/{cohort}/changes/changes.html",
        f"<results>/{PLAN.image_cohort(cohort)}/quality/all_patients.html",
        *registration_targets(paper, cohort),
        *segmentation_targets(paper, cohort),
        *trained_targets(paper, cohort),
        *own_targets(paper, cohort),
    ]


def trained_targets(paper, cohort):
    """What a study leaves of the training of its networks, where it trains any."""
    wanted = declared(paper).networks == TRAINED_HERE and PLAN.has_networks(
        paper, cohort
    )
    return [f"<results>/{cohort}/{paper}/figures/training.png"] if wanted else []


def comparison_targets(cohort, scheme):
    """Everything of the comparison of the papers that share a split."""
    figures = ("roc", "decision_curve", "aucs", "delong", "agreement")
    folder = f"<results>/{cohort}/comparison/{scheme}"
    return shared_targets(folder, cohort, figures)


def null_control_targets(paper, cohort):
    """The null control of a study; none where the outcome is chance already."""
    if FULL_CONFIG["cohorts"][cohort]["null_outcome"]:
        return []
    # A method of networks alone has nothing to learn anew where these are left out.
    if declared(paper).networks_alone and not FULL_CONFIG["null_control"]["networks"]:
        return []
    folder = f"<results>/{cohort}/{paper}"
    return [f"{folder}/tables/null_control.html", f"{folder}/figures/null_control.png"]


def run_targets(wildcards):
    return [
        *machine_targets(),
        *[t for study in PLAN.studies for t in study_targets(*study)],
        *[t for pair in PLAN.comparisons() for t in comparison_targets(*pair)],
        "<results>/published/tables.html",
        "<results>/preflight/problems.html",
    ]


def all_null_controls(wildcards):
    return [t for study in PLAN.studies for t in null_control_targets(*study)]


def paper_targets(paper):
    """Everything of one paper, on each cohort that the config names for it."""
    return lambda wildcards: [
        t for p, cohort in PLAN.studies if p == paper for t in study_targets(p, cohort)
    ]
