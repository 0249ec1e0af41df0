# What the file of a method says of its exported model, for the rules of export.smk:
#
# EXPORTS[paper] = {
#     "models": function of the cohort: part of the model -> folder of the fit that is exported,
#     "features": function of the wildcards: files of features of the training patients (none: the models read no table),
#     "weights": function of the cohort: file of a network beside the models, by its name in the bundle (none),
#     "trained": function of the strict fits of its networks: name and fit of each that is in the exported model (none),
# }
from hcc_recurrence.networks.architectures import crops_of

EXPORTS = {}


def exported_fit(paper, **of_networks):
    """The folder of the fit that is exported, as a function of the cohort: strict, on all training patients. Where the
    study trains networks also those of `of_networks`: part -> folder of all fits."""

    def folders(cohort):
        trained = of_networks if PLAN.has_networks(paper, cohort) else {}
        return {
            part: f"<results>/{cohort}/{paper}/{folder}/{Fit()}"
            for part, folder in {"models": "models", **trained}.items()
        }

    return folders


def exported_weights(wildcards):
    """Networks beside the models by their name in the bundle: segmentation networks, one a phase, and the method's own."""
    paper, cohort = wildcards.paper, wildcards.cohort
    found = {
        f"{unet}.{phase}": f"<results>/{PLAN.image_cohort(cohort)}/segmentation/{unet}/{phase}.pt"
        for unet in study_unets(paper)
        for phase in PLAN.phases(paper, cohort)
    }
    own = EXPORTS[paper].get("weights")
    return {**found, **(own(cohort) if own else {})}


def exported_machines(wildcards):
    """What the networks of a bundle were trained on: file of each by its name in the bundle."""
    paper, cohort = wildcards.paper, wildcards.cohort
    trained = (
        EXPORTS[paper].get("trained") if PLAN.has_networks(paper, cohort) else None
    )
    images = PLAN.image_cohort(cohort)
    found = {
        f"{unet}.{phase}": f"<results>/{images}/segmentation/{unet}/{phase}.machine.json"
        for unet in study_unets(paper)
        for phase in PLAN.phases(paper, cohort)
    }
    for network, fit in trained(network_fits(paper, cohort)) if trained else []:
        own = f"<results>/{cohort}/{paper}/networks/{network}/{fit}.machine.json"
        found[f"{network}.{fit}"] = own
    return {name: workflow.pathvars.apply(file) for name, file in found.items()}


def exported_inputs(wildcards):
    """What the export reads of a study."""
    paper, cohort = wildcards.paper, wildcards.cohort
    images = PLAN.image_cohort(cohort)
    features = EXPORTS[paper].get("features")
    return {
        "models": list(EXPORTS[paper]["models"](cohort).values()),
        "weights": list(exported_weights(wildcards).values()),
        "features": features(wildcards) if features else [],
        "images": [
            f"<results>/{images}/images/native/{p}" for p in PLAN.patients(cohort)
        ],
        "labels": f"<results>/{cohort}/labels.csv",
        "split": study_split(wildcards),
        "metrics": f"<results>/{cohort}/{paper}/tables/metrics.csv",
        "tumours": f"<results>/{cohort}/tumours.csv",
    }


def exported_settings(wildcards):
    """A study's settings; without networks where it trains none."""
    paper, cohort = wildcards.paper, wildcards.cohort
    settings = PLAN.settings(paper, cohort)
    if "networks" in settings and not PLAN.has_networks(paper, cohort):
        settings["networks"] = {}
    return settings


def exported_clinical(wildcards):
    """Names of the clinical variables of a study."""
    return list(PLAN.settings(wildcards.paper, wildcards.cohort).get("clinical", {}))


def exported_config(wildcards):
    """The part of the configuration that the road from DICOM to the models' inputs needs, each entry as it is."""
    paper, cohort = wildcards.paper, wildcards.cohort
    settings, own = exported_settings(wildcards), FULL_CONFIG["cohorts"][cohort]
    crops = crops_of(settings) if "crops" in settings and settings["networks"] else []
    radiomics = [settings["radiomics"]] if settings.get("radiomics") else []
    entries = {
        "crops": {name: FULL_CONFIG["crops"][name] for name in crops},
        "radiomics": {name: FULL_CONFIG["radiomics"][name] for name in radiomics},
    }
    grids = {entry["grid"] for named in entries.values() for entry in named.values()}
    known = FULL_CONFIG["papers"][paper]
    return {
        **entries,
        "grids": {name: FULL_CONFIG["grids"][name] for name in sorted(grids)},
        "unets": {name: FULL_CONFIG["unets"][name] for name in study_unets(paper)},
        "masks": FULL_CONFIG["masks"],
        "settings": settings,
        "phases": PLAN.phases(paper, cohort),
        "clinical": PLAN.clinical_meaning(cohort, exported_clinical(wildcards)),
        "cohort": {
            **{
                key: own[key]
                for key in ("modality", "lesions", "er_days", "er_inclusive", "reader")
            },
            "horizon_months": PLAN.horizon_months(cohort),
        },
        "paper": {
            key: known[key]
            for key in (
                "title",
                "citation",
                "notices",
                "network_notices",
                "published_names",
            )
        },
        "mark": PLAN.random_weights([paper], cohort),
    }


def exported_marks(wildcards):
    """What a reader of the model must know: of whom it was made, with which weights and settings."""
    own = FULL_CONFIG["cohorts"][wildcards.cohort]
    return [
        *(
            ["Trained on simulated patients: of no use on real ones"]
            if PLAN.is_simulated(wildcards.cohort)
            else []
        ),
        *(["The outcome was drawn by chance"] if own["null_outcome"] else []),
        *(
            ["Settings of the demo preset, not the method's"]
            if FULL_CONFIG["preset"] == "demo"
            else []
        ),
        *filter(None, [PLAN.random_weights([wildcards.paper], wildcards.cohort)]),
    ]


def exported_about(wildcards):
    """What else model.json says."""
    paper, cohort = wildcards.paper, wildcards.cohort
    return {
        "method": paper,
        "cohort": cohort,
        "title": FULL_CONFIG["cohorts"][cohort]["title"],
        "endpoint": FULL_CONFIG["cohorts"][cohort]["endpoint"],
        "modality": FULL_CONFIG["cohorts"][cohort]["modality"],
        "phases": PLAN.phases(paper, cohort),
        "horizon_months": PLAN.horizon_months(cohort),
        "horizon": PLAN.horizon_words(cohort),
        "seed": FULL_CONFIG["seed"],
        "marks": exported_marks(wildcards),
        "config": exported_config(wildcards),
        "declared": {
            name: vars(model) for name, model in declared_models(paper, cohort).items()
        },
    }


def exported_studies():
    """Method and cohort of what is exported: the study that `study` names, or all."""
    if not FULL_CONFIG["study"]:
        return list(PLAN.studies)
    return [tuple(FULL_CONFIG["study"].split(":"))]


def exported_targets(wildcards):
    """The zips of what is exported."""
    return [
        f"<results>/{cohort}/{paper}/export/{paper}.{cohort}.zip"
        for paper, cohort in exported_studies()
    ]
