# Functions that the other files share.
import atexit
import csv
import re

from snakemake.logging import logger

from hcc_recurrence.cohort.fit import (
    LEFT_OUT,
    PROTOCOLS,
    PUBLISHED as AS_PUBLISHED,
    STRICT,
    VALIDATION,
    Fit,
)
from hcc_recurrence.configuration import (
    highest_value,
    network_crop,
    slice_networks,
    volume_networks,
)
from hcc_recurrence.left_jobs import claim_folder
from hcc_recurrence.provenance import combine_hashes, content_hash
from hcc_recurrence.submissions import SubmissionCount

# What the papers print, for the checks and for orientation.
PUBLISHED = Path(workflow.basedir) / "workflow" / "published"
CHECKLISTS = Path(workflow.basedir) / "workflow" / "checklists"
PAPERS = sorted(FULL_CONFIG["papers"])
# Patterns of a cohort of the config and of a paper, for rules that take neither copies nor comparisons. A paper is
# called as its file of settings is.
COHORT_NAME = "[A-Za-z0-9][A-Za-z0-9_]*"
PAPER_NAME = "|".join(map(re.escape, PAPERS))
# The file of each paper says what its predictions are gathered from, and what else it makes:
# paper -> function of the cohort that returns paths.
PREDICTION_PARTS = {}
OWN_TARGETS = {}
# The settings of a paper that decide how its networks are trained.
TRAINING_KEYS = (
    *("optimiser", "learning_rate", "momentum", "weight_decay", "epochs", "batch"),
    *("patience", "inner_fraction", "class_weights", "augmentation"),
    *("schedule", "choose", "standardise"),
)
NETWORKS = sorted(
    {
        name
        for paper in FULL_CONFIG["papers"].values()
        for name in paper["settings"].get("networks", {})
    }
)
# Where torchvision's ImageNet weights are, and how their SHA-256 begins.
with open(Path(workflow.basedir) / "workflow" / "weights.csv", newline="") as _table:
    KNOWN_WEIGHTS = [dict(row) for row in csv.DictReader(_table)]
# Patients on a page of the pictures of crops; of those with several views.
PAGE_PATIENTS, PAGE_PATIENTS_VIEWS = 30, 10
# Patients that one job segments, or makes pictures of.
SEGMENTED_PATIENTS = 20
# One submission to a cluster takes a patient's steps together, and many patients (profiles/slurm); masks that a network
# draws come between a patient's first steps and those on a grid.
GRID_GROUP = "grids" if FULL_CONFIG["masks"]["source"] == "unet" else "patients"
# GPUs of a job that trains.
GPUS = int(FULL_CONFIG["device"] == "cuda")
# Bytes that training keeps a pixel and phase (ResNet-34, the largest of its kind), a pixel of three phases (DenseNet121)
# and a voxel of all phases (ResNet-18 in 3D). The first two are measured by tests/unit/test_training.py and
# test_slice_networks.py, the last one was measured once, 972.
TRAINING_BYTES = 800
SLICE_BYTES = 2800
VOLUME_BYTES = 1100
# The same a voxel of the network of Cui 2022, measured by tests/unit/test_cui2022.py.
CUI_BYTES = 700
# Bytes that training a U-Net keeps a pixel and channel of its first level, measured by tests/unit/test_unet.py.
UNET_BYTES = 100


wildcard_constraints:
    # A cohort, or one of its copies with permuted outcomes.
    cohort=f"{COHORT_NAME}(/null/[0-9]+)?",
    permutation="[0-9]+",
    patient="[A-Za-z0-9][A-Za-z0-9_-]*",
    phase="precontrast|arterial|portal|delayed|hepatobiliary",
    grid="[A-Za-z0-9_]+",
    # The phase that others are registered to, and what registers where that is not SimpleITK.
    reference="(precontrast|arterial|portal|delayed|hepatobiliary)(_ants)?",
    crop="[A-Za-z0-9_]+",
    settings="[A-Za-z0-9_]+",
    scheme="[A-Za-z0-9_]+",
    # What has a predictions table: a paper, or the comparison of all papers that share a split.
    paper=f"{PAPER_NAME}|comparison/[A-Za-z0-9_]+",
    protocol="strict|as_published",
    model="[A-Za-z0-9]+",
    # Those of the papers' settings: what else lies beside them, such as a fusion, has rules of its own.
    network="|".join(map(re.escape, NETWORKS)),
    # A cell of a grid of signatures.
    selector="[A-Za-z]+",
    classifier="[A-Za-z]+",
    # An entry of unets, and a batch of patients that it segments.
    unet="[A-Za-z0-9_]+",
    batch="[0-9]+",
    fit=Fit.PATTERN,


def base(cohort):
    """The cohort of the config behind a copy with permuted outcomes."""
    return cohort.split("/")[0]


def entry(section, wildcard):
    """The entry of a section of the config that a wildcard names. `lookup` walks all of the config for each of
    thousands of jobs."""
    return lambda wildcards: FULL_CONFIG[section][wildcards[wildcard]]


def of_cohort(key):
    """A setting of the cohort, as a function of the wildcards."""
    return lambda wildcards: FULL_CONFIG["cohorts"][base(wildcards.cohort)][key]


def split_file(paper):
    """Path of the split that a study uses, as a function of the wildcards."""
    return (
        lambda w: f"<results>/{w.cohort}/splits/{PLAN.scheme(paper, base(w.cohort))}.csv"
    )


def study_repeats(paper):
    """How often a study repeats its folds; once where the outcomes are permuted."""

    def repeats(wildcards):
        if wildcards.cohort != base(wildcards.cohort):
            return 1
        scheme = PLAN.scheme(paper, wildcards.cohort)
        return FULL_CONFIG["splits"][scheme]["repeats"]

    return repeats


def horizon_months(wildcards):
    """The horizon of early recurrence in months, as the cohort's outcome is compared with it."""
    return PLAN.horizon_months(base(wildcards.cohort))


def on_grid_of(section, kind):
    """A patient's images or masks on the grid that a radiomics or crops entry names."""

    def path(wildcards):
        entry = wildcards.settings if section == "radiomics" else wildcards.crop
        grid = FULL_CONFIG[section][entry]["grid"]
        return f"<results>/{wildcards.cohort}/{kind}/{grid}/{wildcards.patient}"

    return path


def grid_of_crop(crop):
    """The grid that an entry of crops names."""
    return FULL_CONFIG["grids"][FULL_CONFIG["crops"][crop]["grid"]]


def study_crops(paper):
    """The crops that a study's networks read, as a function of the wildcards."""
    crop = FULL_CONFIG["papers"][paper]["settings"].get("crops")
    return lambda wildcards: f"<results>/{base(wildcards.cohort)}/crops/{crop}.npz"


def stack_memory(wildcards, attempt):
    """Memory to hold the crops of all patients, images as float32 and masks, in MB; doubles with each attempt."""
    cohort, entry = wildcards.cohort, FULL_CONFIG["crops"][wildcards.crop]
    phases = entry["phases"] or PLAN.image_phases(PLAN.image_cohort(cohort))
    z, y, x = entry["size_voxels"]
    held = len(PLAN.patients(cohort)) * len(phases) * z * y * x * 5 / 1e6
    return round(500 + 1.3 * held) * 2 ** (attempt - 1)


def crop_highest(wildcards):
    """The largest value of the crops that a paper's networks read."""
    crop = FULL_CONFIG["crops"][
        FULL_CONFIG["papers"][wildcards.paper]["settings"]["crops"]
    ]
    return highest_value(crop, FULL_CONFIG["grids"][crop["grid"]])


def patients_of_page(crop):
    """How many patients stand on a page of the pictures of crops."""
    views = FULL_CONFIG["crops"][crop]["fit"] == "views"
    return PAGE_PATIENTS_VIEWS if views else PAGE_PATIENTS


def page_count(cohort, crop):
    """How many pages of pictures of crops a cohort has."""
    return -(-len(PLAN.patients(cohort)) // patients_of_page(crop))


def page_of_patients(cohort, crop, page):
    """The patients on one page of the pictures of crops, from 1."""
    size = patients_of_page(crop)
    return PLAN.patients(cohort)[(page - 1) * size : page * size]


def crop_pages(paper, cohort):
    """Pictures of what a study's networks see of every patient; once for cohorts that share images."""
    crop = FULL_CONFIG["papers"][paper]["settings"]["crops"]
    if (
        PLAN.image_cohort(cohort) != cohort
        and (paper, PLAN.image_cohort(cohort)) in PLAN.studies
    ):
        return []
    pages = range(1, page_count(cohort, crop) + 1)
    return [f"<results>/{cohort}/crops/{crop}.page{n}.png" for n in pages]


def run_weights(wildcards):
    """About the files of ImageNet weights that the networks of the run's papers could start from."""
    wanted = {
        network["architecture"]
        for paper, _ in PLAN.studies
        for network in FULL_CONFIG["papers"][paper]["settings"]
        .get("networks", {})
        .values()
    }
    return [row for row in KNOWN_WEIGHTS if row["architecture"] in wanted]


def network_fits(paper, cohort):
    """Every strict fit of a study's networks that leaves out one fold or none."""
    split = FULL_CONFIG["splits"][PLAN.scheme(paper, base(cohort))]
    wanted = (
        1 if cohort != base(cohort) else PLAN.settings(paper, cohort)["network_repeats"]
    )
    repeats = range(1, min(wanted, split["repeats"]) + 1)
    # Where the mean of the folds' networks stands for all training patients, none is trained on all.
    first = int(FULL_CONFIG["papers"][paper]["settings"].get("ensemble", False))
    return [
        Fit.without(STRICT, repeat, fold)
        for repeat in repeats
        for fold in range(first, split["folds"] + 1)
    ]


def fits_of_first_repeat(paper, cohort):
    """Those of the first repeat."""
    return [fit for fit in network_fits(paper, cohort) if fit.repeat == 1]


def training_settings(paper, network=""):
    """What decides how a paper's networks are trained, and nothing else of its settings; a network may have its own."""
    settings = FULL_CONFIG["papers"][paper]["settings"]
    own = settings["networks"].get(network, {})
    merged = {**settings, **own}
    return {key: merged[key] for key in TRAINING_KEYS if key in merged}


def training_memory(paper, network=lambda wildcards: ""):
    """Memory for one batch through the largest network of its kind, in MB; doubles with each attempt."""

    def needed(wildcards, attempt):
        settings = FULL_CONFIG["papers"][paper(wildcards)]["settings"]
        name = network(wildcards)
        batch = training_settings(paper(wildcards), name)["batch"]
        z, y, x = FULL_CONFIG["crops"][network_crop(settings, name)]["size_voxels"]
        kept = batch * len(settings["phases"]) * y * x * TRAINING_BYTES
        fixed = 2000
        if "ensemble" in settings:
            # The weights four times (gradient and Adam's moments beside), and seven versions of 200 patients. Of 60
            # patients 4248 MB were measured.
            kept, fixed = (
                batch * z * y * x * CUI_BYTES,
                4500 + 200 * 7 * z * y * x * 4 / 1e6,
            )
        elif "learners" in settings:
            if name in slice_networks(settings):
                # Weights, momentum and the best weights of a VGG19, and the images of 300 patients, twice. Of 60
                # patients 5897 MB were measured (ResNet101).
                kept, fixed = (
                    batch * y * x * SLICE_BYTES,
                    4500 + 300 * z * 24 * y * x / 1e6,
                )
            else:
                kept, fixed = (
                    batch * z * y * x * VOLUME_BYTES,
                    3000 + 300 * z * 12 * y * x / 1e6,
                )
        return round(fixed + kept / 1e6) * 2 ** (attempt - 1)

    return needed


def training_partition(wildcards):
    """The partition of a cluster that the profile names for jobs that train; none where it names none."""
    named = workflow.resource_settings.default_resources or {}
    found = named.get("gpu_partition" if GPUS else "slurm_partition")
    return getattr(found, "raw", found)


def unet_training(kind):
    """Images or masks, as converted, of the patients that train a network that finds the tumour."""
    return lambda wildcards: collect(
        "<results>/{cohort}/{kind}/native/{patient}",
        cohort=wildcards.cohort,
        kind=kind,
        patient=PLAN.unet_parts(wildcards.cohort, wildcards.unet),
    )


def unet_memory(wildcards, attempt):
    """Memory for the slices of 60 patients and a batch through the network, in MB; doubles with each attempt."""
    entry = FULL_CONFIG["unets"][wildcards.unet]
    pixels = entry["side_pixels"] ** 2
    slices = 60 * 150 * pixels * 8
    kept = entry["batch"] * pixels * entry["channels"][0] * UNET_BYTES
    return round(2000 + (slices + kept) / 1e6) * 2 ** (attempt - 1)


def split_left_out(cohort, scheme):
    """The patients that a split leaves out, because they train a network that finds the tumour."""
    unet = FULL_CONFIG["splits"][scheme]["without_unet"]
    return list(PLAN.unet_parts(PLAN.image_cohort(cohort), unet)) if unet else []


def patients_of_batch(cohort, batch):
    """The patients that one job segments, batches counted from 1."""
    return PLAN.imaged(cohort)[
        (batch - 1) * SEGMENTED_PATIENTS : batch * SEGMENTED_PATIENTS
    ]


def needed_masks(cohort, unet, batch):
    """Phases, by patient of a batch, whose only mask is the network's."""
    masks = FULL_CONFIG["masks"]
    if masks["source"] != "unet" or masks["unet"] != unet:
        return {}
    used = {
        p: [
            phase
            for phase, reader in sorted(PLAN.mask_readers(cohort, p).items())
            if reader == "unet" and phase in PLAN.image_phases(cohort)
        ]
        for p in patients_of_batch(cohort, batch)
    }
    return {p: phases for p, phases in used.items() if phases}


def batch_folders(folder, cohort):
    """What all batches of a cohort's patients leave in a folder."""
    number = -(-len(PLAN.imaged(cohort)) // SEGMENTED_PATIENTS)
    return [f"{folder}/batch{n + 1}" for n in range(number)]


def unet_batches(cohort, unet):
    """The folders of masks and features of all patients of a cohort."""
    return batch_folders(f"<results>/{cohort}/segmentation/{unet}", cohort)


def quality_batches(wildcards):
    """The folders with pictures of all patients of a cohort."""
    return batch_folders(f"<results>/{wildcards.cohort}/quality", wildcards.cohort)


def predicted_masks(wildcards):
    """The folder with a patient's masks by the network; none where they are not used."""
    if not PLAN.has_predicted_masks(wildcards.cohort, wildcards.patient):
        return []
    place = PLAN.imaged(wildcards.cohort).index(wildcards.patient)
    batches = unet_batches(wildcards.cohort, FULL_CONFIG["masks"]["unet"])
    return batches[place // SEGMENTED_PATIENTS]


def all_predicted_masks(wildcards):
    """The folders of masks by the network that a cohort's methods take or are compared with."""
    if FULL_CONFIG["masks"]["source"] != "unet":
        return []
    return unet_batches(
        PLAN.image_cohort(base(wildcards.cohort)), FULL_CONFIG["masks"]["unet"]
    )


def segmentation_targets(paper, cohort):
    """How well the networks find the tumour whose features or masks a study uses."""
    images, masks = PLAN.image_cohort(cohort), FULL_CONFIG["masks"]
    used = {FULL_CONFIG["papers"][paper]["settings"].get("unet", "")}
    used |= {masks["unet"]} if masks["source"] == "unet" else set()
    return [
        f"<results>/{images}/segmentation/{unet}/{name}"
        for unet in sorted(used - {""})
        for name in ("dice.html", "outlines.png")
    ]


def network_crops(wildcards):
    """The crops that one network of a study reads."""
    settings = FULL_CONFIG["papers"][wildcards.paper]["settings"]
    crop = network_crop(settings, wildcards.network)
    return f"<results>/{base(wildcards.cohort)}/crops/{crop}.npz"


def fits(paper, kind):
    """The files of one kind that the fits of both protocols of a paper leave, as a function of the cohort."""
    return lambda cohort: [
        f"<results>/{cohort}/{paper}/fits/{protocol}.{kind}.csv"
        for protocol in PROTOCOLS
    ]


def category(wildcards):
    """Where the report shows a file: under its paper, or under the comparison."""
    if wildcards.paper.startswith("comparison"):
        return "Comparison of methods"
    return FULL_CONFIG["papers"][wildcards.paper]["title"]


def shown(path, caption, what, protocol="both", section=category):
    """A table or figure of a study in the report; `section` where the path has no wildcard `paper`."""
    return report(
        path,
        caption=caption,
        category=section,
        labels={"cohort": "{cohort}", "protocol": protocol, "what": what},
    )


def both_protocols(path, caption, what, name="", section=category):
    """Outputs of one figure in both protocols: PNG for the report, SVG for a journal."""
    outputs = {}
    for protocol in PROTOCOLS:
        key = f"{name}_{protocol}" if name else protocol
        words = protocol.replace("_", " ")
        outputs[key] = shown(f"{path}.{protocol}.png", caption, what, words, section)
        outputs[f"{key}_svg"] = f"{path}.{protocol}.svg"
    return outputs


def one_figure(path, caption, what, name, section=category):
    """Outputs of a figure that is the same in both protocols."""
    png = shown(f"{path}.png", caption, what, section=section)
    return {name: png, f"{name}_svg": f"{path}.svg"}


def study_split(wildcards):
    return split_file(wildcards.paper)(wildcards)


def patients_sheet(wildcards):
    """How the patients sheet is read; what matters of its content is hashed by other parameters."""
    return PLAN.patients_sheet(base(wildcards.cohort))


def study_clinical(paper):
    """Names of the clinical variables of a paper in one study."""
    return lambda w: list(PLAN.settings(paper, base(w.cohort))["clinical"])


def clinical_hash(variables):
    """Changes with any value of the clinical variables that a function of the wildcards names."""
    return lambda w: PLAN.clinical_hash(base(w.cohort), variables(w))


def clinical_definitions(variables):
    """The config's definitions of the clinical variables that a function of the wildcards names."""
    return lambda w: PLAN.clinical_definitions(base(w.cohort), variables(w))


def clinical_meaning(variables):
    """The same without the names of the sheet's columns: what a value means does not change with them."""
    return lambda w: PLAN.clinical_meaning(base(w.cohort), variables(w))


def study_setting(key):
    """A setting of the study that the wildcards name, with the thresholds of its cohort."""
    return lambda w: PLAN.settings(w.paper, base(w.cohort))[key]


def own_risk_factors(wildcards):
    """What a study's own regression of its clinical variables reads: coding, rule and limits."""
    limits = ("clinical_p", "none_significant", "entry_p", "removal_p", "cox_p")
    settings = PLAN.settings(wildcards.paper, base(wildcards.cohort))
    return {
        key: settings[key]
        for key in ("clinical", "risk_factor_model", *limits)
        if key in settings
    }


def of_study(wildcards):
    """The clinical variables of the study that the wildcards name."""
    return study_clinical(wildcards.paper)(wildcards)


def read_variables(wildcards):
    """The clinical variables of a study that were read more than once."""
    return list(PLAN.readings(wildcards.cohort, of_study(wildcards)))


def comparator_variables(wildcards):
    """The cohort's clinical variables that scores and stages are computed from."""
    return PLAN.comparator_variables(base(wildcards.cohort))


def compared_papers(wildcards):
    """The papers that use one split on a cohort."""
    return PLAN.papers_with_scheme(wildcards.cohort, wildcards.scheme)


def radiomics_files(paper):
    """The feature tables of the phases that a study uses, as a function of the wildcards."""
    return lambda wildcards: collect(
        "<results>/{cohort}/radiomics/{settings}/{phase}.parquet",
        cohort=base(wildcards.cohort),
        settings=FULL_CONFIG["papers"][paper]["settings"]["radiomics"],
        phase=PLAN.phases(paper, base(wildcards.cohort)),
    )


def study_radiomics(wildcards):
    return radiomics_files(wildcards.paper)(wildcards)


def study_comparators(wildcards):
    """Predictions of clinical scores and confounders on a study's split, without those of other papers."""
    scheme = PLAN.scheme(wildcards.paper, wildcards.cohort)
    return f"<results>/{wildcards.cohort}/comparison/{scheme}/comparators.csv"


def tumour_table(wildcards):
    return f"<results>/{wildcards.cohort}/tumours.csv"


def mark_of(paper):
    """What tables and figures of a study must say of its networks' weights, as a function of the wildcards."""
    return lambda wildcards: PLAN.random_weights([paper], base(wildcards.cohort))


def study_mark(wildcards):
    """The same for the study, or for all studies of the comparison, that the wildcards name."""
    return PLAN.random_weights(papers_of(wildcards), base(wildcards.cohort))


def papers_of(wildcards):
    """The paper of a study, or the papers of a comparison."""
    if not wildcards.paper.startswith("comparison"):
        return [wildcards.paper]
    return PLAN.papers_with_scheme(
        base(wildcards.cohort), wildcards.paper.split("/")[1]
    )


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


def about_run(wildcards):
    """What the start page says of the run."""
    papers = {paper: FULL_CONFIG["papers"][paper] for paper, _ in sorted(PLAN.studies)}
    return {
        "random_weights": sorted(
            {name for study in PLAN.studies for name in PLAN.random_networks(*study)}
        ),
        "preset": FULL_CONFIG["preset"],
        "titles": {name: paper["title"] for name, paper in papers.items()},
        "citations": {name: paper["citation"] for name, paper in papers.items()},
    }


def about_comparisons(wildcards):
    """What the start page says of each cohort and split."""
    found = []
    for name, scheme in PLAN.comparisons():
        cohort = FULL_CONFIG["cohorts"][name]
        simulated = bool(cohort["simulation"])
        about = {"cohort": name, "split": scheme, "simulated": simulated}
        found.append({**about, "title": cohort["title"]})
    return found


def published_names(wildcards):
    """The papers of a study or comparison: our model name to the paper's own, for the printed AUCs."""
    papers = papers_of(wildcards)
    return {p: FULL_CONFIG["papers"][p]["published_names"] for p in papers}


def best_auc_file(wildcards):
    """The best reachable AUC where the cohort's patients are simulated and it is known; else nothing."""
    if PLAN.knows_best_auc(base(wildcards.cohort)):
        return [f"<results>/{wildcards.cohort}/simulated/best_auc.csv"]
    return []


def shared_targets(folder, figures):
    """What every predictions table is made into: tables, and the named figures in both protocols."""
    tables = ("metrics", "delong", "optimism", "calibration", "survival")
    return [
        f"{folder}/predictions.csv",
        f"{folder}/tables/metrics_checked.csv",
        *[f"{folder}/tables/{table}.html" for table in tables],
        *[f"{folder}/figures/{f}.{p}.png" for f in figures for p in PROTOCOLS],
        f"{folder}/figures/optimism.png",
        f"{folder}/figures/seeds.png",
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


def study_targets(paper, cohort):
    """Everything that a study leaves for a reader."""
    folder = f"<results>/{cohort}/{paper}"
    both = (
        *(
            "roc",
            "roc_variants",
            "calibration",
            "survival_calibration",
            "decision_curve",
            "survival_decision_curve",
            "kaplan_meier",
            "confusion",
        ),
        *("waterfall", "aucs", "delong", "agreement"),
    )
    once = ("forest", "nomogram_logistic", "nomogram_cox", "flow_chart")
    checklists = ("METRICS", "CLEAR", "TRIPOD_AI", "RQS")
    null = FULL_CONFIG["null_control"]["in_all"]
    strata = [f"{folder}/tables/strata.html"]
    read = PLAN.readings(cohort, list(PLAN.settings(paper, cohort)["clinical"]))
    return [
        *shared_targets(folder, both),
        *[f"{folder}/figures/{figure}.png" for figure in once],
        *[
            f"{folder}/tables/{t}.html"
            for t in ("baseline", "baseline_sets", "risk_factors")
        ],
        *[f"{folder}/checklists/checklist_{name}.html" for name in checklists],
        *(null_control_targets(paper, cohort) if null else []),
        *(strata if FULL_CONFIG["cohorts"][cohort]["strata"] else []),
        *([f"{folder}/tables/readings.html"] if read else []),
        f"<results>/{cohort}/labels.html",
        f"<results>/{cohort}/acquisition.html",
        f"<results>/{cohort}/changes/changes.html",
        f"<results>/{PLAN.image_cohort(cohort)}/quality/all_patients.html",
        *registration_targets(paper, cohort),
        *segmentation_targets(paper, cohort),
        *OWN_TARGETS[paper](cohort),
    ]


def comparison_targets(cohort, scheme):
    """Everything of the comparison of the papers that share a split."""
    figures = ("decision_curve", "aucs", "delong", "agreement")
    return shared_targets(f"<results>/{cohort}/comparison/{scheme}", figures)


def null_control_targets(paper, cohort):
    """The null control of a study; none where the outcome is chance already."""
    if FULL_CONFIG["cohorts"][cohort]["null_outcome"]:
        return []
    # A method of networks alone has nothing to learn anew where these are left out.
    alone = FULL_CONFIG["papers"][paper]["settings"].get("ensemble", False)
    if alone and not FULL_CONFIG["null_control"]["networks"]:
        return []
    folder = f"<results>/{cohort}/{paper}"
    return [f"{folder}/tables/null_control.html", f"{folder}/figures/null_control.png"]


def run_targets(wildcards):
    return [
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


# What a run for a cluster submits, or a dry run would, it says in the end.
if workflow.is_main_process:
    # Of a dry run Snakemake calls every job local.
    SUBMISSIONS = SubmissionCount(
        lambda rule: workflow.get_rule(rule).norun or rule in workflow._localrules
    )
    logger.addHandler(SUBMISSIONS)
    # Which steps go together, the profile of a cluster says.
    atexit.register(
        lambda: workflow.group_settings.group_components
        and print(SUBMISSIONS, file=sys.stderr)
    )


onstart:
    if not are_kept_with_results(workflow):
        raise WorkflowError(
            "The records of what made each result lie with the results. Start Snakemake without --persistence-backend."
        )
    # Held as long as this process lives.
    workflow.claim, ended = claim_folder(
        Path(".snakemake", "hcc_claim"), Path.cwd()
    )
    if ended:
        print(
            f"Cancelled jobs that an interrupted run had left on the cluster: {', '.join(ended)}",
            file=sys.stderr,
        )
    for name in sorted(PLAN.cohorts):
        used = PLAN.patients(name)
        left_out = len(PLAN.cohorts[name].patients) - len(used)
        print(
            f"{name}: {len(used)} patients used, {left_out} left out",
            file=sys.stderr,
        )
        for patient, reason in sorted(PLAN.excluded[name].items()):
            print(f"  {patient} left out: {reason}", file=sys.stderr)
