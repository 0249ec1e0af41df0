# How the report shows tables and figures, and what its first page and the checklists quote.
from hcc_recurrence.report.provenance import environment, inputs_of, without_folders
from hcc_recurrence.version import workflow_version

# What lies beside the PNG of a figure.
FIGURE_KINDS = ("pdf", "svg", "numbers.csv")


def category(wildcards):
    """Where the report shows a file: under its paper, or under the comparison."""
    if wildcards.paper.startswith("comparison"):
        return "Comparison of methods"
    return FULL_CONFIG["papers"][wildcards.paper]["title"]


def shown(path, caption, what, protocol="both", section=category):
    """A table or figure of a study in the report; `section` where the path has no wildcard `paper`.

    `what` is words, or a function of the wildcards where they are those of the cohort's outcome.
    """

    def labels(words):
        return {"cohort": "{cohort}", "protocol": protocol, "what": words}

    return report(
        path,
        caption=caption,
        category=section,
        labels=(
            (lambda wildcards: labels(what(wildcards)))
            if callable(what)
            else labels(what)
        ),
    )


def of_survival(words):
    """Words that end in what being free of the cohort's outcome is called: `calibration of overall survival`."""
    return (
        lambda wildcards: f"{words} of {of_cohort('endpoint')(wildcards)['survival']}"
    )


def figure_files(
    path, caption, what, protocol="both", section=category, pictures=False
):
    """One figure: PNG for the report; PDF, SVG and its numbers for a journal. Pictures of patients are PNG alone."""
    beside = [] if pictures else [f"{path}.{kind}" for kind in FIGURE_KINDS]
    return [shown(f"{path}.png", caption, what, protocol, section), *beside]


def both_protocols(path, caption, what, name="", section=category):
    """Outputs of one figure in both protocols."""
    return {
        f"{name}_{protocol}" if name else protocol: figure_files(
            f"{path}.{protocol}", caption, what, protocol.replace("_", " "), section
        )
        for protocol in PROTOCOLS
    }


def one_figure(path, caption, what, name, section=category, pictures=False):
    """Outputs of a figure that is the same in both protocols."""
    return {name: figure_files(path, caption, what, section=section, pictures=pictures)}


def about_study(wildcards):
    """Settings of a study that its checklists quote."""
    paper, cohort = wildcards.paper, wildcards.cohort
    settings = PLAN.settings(paper, cohort)
    if not PLAN.has_networks(paper, cohort):
        settings.pop("networks", None)
    radiomics = FULL_CONFIG["radiomics"].get(settings.get("radiomics", ""), {})
    crop = FULL_CONFIG["crops"].get(settings.get("crops", ""), {})
    keys = ("title", "er_inclusive", "reader")
    return {
        "cohort": {
            **{key: FULL_CONFIG["cohorts"][cohort][key] for key in keys},
            "horizon": PLAN.horizon_words(cohort),
        },
        "settings": settings,
        "scheme": FULL_CONFIG["splits"][settings["split"]],
        "radiomics": radiomics,
        "crop": crop,
        "grid": FULL_CONFIG["grids"].get((radiomics or crop).get("grid", ""), {}),
        "phases": PLAN.phases(paper, cohort),
        "definitions": clinical_meaning(of_study)(wildcards),
    }


def networks_of_study(wildcards):
    """What the method does with the networks of a study (`Method.networks`); empty where the study has none."""
    paper, cohort = wildcards.paper, wildcards.cohort
    return declared(paper).networks if PLAN.has_networks(paper, cohort) else ""


def about_run(wildcards):
    """What the report says of the run."""
    papers = {paper: FULL_CONFIG["papers"][paper] for paper, _ in sorted(PLAN.studies)}
    return {
        "random_weights": sorted(
            {name for study in PLAN.studies for name in PLAN.random_networks(*study)}
        ),
        "preset": FULL_CONFIG["preset"],
        "titles": {name: paper["title"] for name, paper in papers.items()},
        "citations": {name: paper["citation"] for name, paper in papers.items()},
        "cohorts": {
            name: FULL_CONFIG["cohorts"][name]["title"] for name in sorted(PLAN.cohorts)
        },
    }


def about_comparisons(wildcards):
    """What the report says of each cohort and split."""
    return [
        {
            "cohort": name,
            "split": scheme,
            "title": FULL_CONFIG["cohorts"][name]["title"],
            "simulated": bool(FULL_CONFIG["cohorts"][name]["simulation"]),
            "endpoint": FULL_CONFIG["cohorts"][name]["endpoint"],
            "horizon": PLAN.horizon_words(name),
            "papers": sorted(PLAN.papers_with_scheme(name, scheme)),
        }
        for name, scheme in PLAN.comparisons()
    ]


def facts_of_provenance(wildcards):
    """What of a run stands in provenance.json."""
    codes = {str(rule.params.get("code", "")) for rule in workflow.rules}
    return {
        "version": workflow_version(HOME),
        "code": combine_hashes(codes),
        "environment": environment(HOME / "envs" / "requirements.lock"),
        "config": without_folders(FULL_CONFIG),
        "inputs": {
            name: inputs_of(
                PLAN.is_simulated(name), PLAN.sheet_files(name), fingerprints_of(name)
            )
            for name in sorted(PLAN.cohorts)
        },
        "numerics": FULL_CONFIG["numerics"],
        "seed": FULL_CONFIG["seed"],
        "studies": sorted([paper, cohort] for paper, cohort in PLAN.studies),
    }


def fingerprints_of(cohort):
    """What the series and masks of each patient are, by the digests that their conversion goes by."""
    images = PLAN.image_cohort(cohort)
    return {p: PLAN.fingerprint(images, p) for p in PLAN.patients(cohort)}


def report_inputs():
    """What the page reads itself; all other files of the report are inputs of its list."""
    pairs = PLAN.comparisons()
    folders = [f"<results>/{cohort}/comparison/{scheme}" for cohort, scheme in pairs]
    return {
        "contents": "<results>/report_contents.json",
        "costs": "<results>/costs.csv",
        "metrics": [f"{folder}/tables/metrics.csv" for folder in folders],
        "predictions": [f"{folder}/predictions.csv" for folder in folders],
        "labels": [f"<results>/{cohort}/labels.csv" for cohort, _ in pairs],
        "changes": [f"<results>/{cohort}/changes/changes.csv" for cohort, _ in pairs],
        "provenance": "<results>/provenance.json",
        "problems": "<results>/preflight/problems.csv",
        "notices": "<results>/preflight/notices.csv",
        "machines": machine_tables,
        "best_auc": [
            f"<results>/{cohort}/simulated/best_auc.csv"
            for cohort in sorted(PLAN.cohorts)
            if PLAN.knows_best_auc(cohort)
        ],
    }


def is_simulated(wildcards):
    """Whether the patients of a cohort are simulated, and its pages, figures and pictures must say so."""
    return bool(FULL_CONFIG["cohorts"][base(wildcards.cohort)]["simulation"])


def figure_settings(wildcards):
    """How figures are written, and whether their patients are simulated."""
    return {**FULL_CONFIG["figures"], "simulated": is_simulated(wildcards)}
