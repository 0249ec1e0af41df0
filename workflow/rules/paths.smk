# Paths that more than one rule names.
import csv

from hcc_recurrence.networks.architectures import network_crop

# What the papers print, for the checks and for orientation.
PUBLISHED = HOME / "workflow" / "published"
# The report's page, and the plugin that has Snakemake list what the page shows.
REPORT_TEMPLATES = HOME / "workflow" / "report" / "page"
REPORT_PLUGIN = HOME / "workflow" / "scripts" / "report_plugin"
CHECKLISTS = HOME / "workflow" / "checklists"
CHECKLIST_NAMES = ("METRICS", "CLEAR", "TRIPOD_AI", "RQS")
# Where torchvision's ImageNet weights are, and how their SHA-256 begins.
with open(HOME / "workflow" / "weights.csv", newline="") as _table:
    KNOWN_WEIGHTS = [dict(row) for row in csv.DictReader(_table)]
# Patients on a page of the pictures of crops; of those with several views.
PAGE_PATIENTS, PAGE_PATIENTS_VIEWS = 30, 10
# Patients that one job segments, or makes pictures of.
SEGMENTED_PATIENTS = 20


def split_file(paper):
    """Path of the split that a study uses, as a function of the wildcards."""
    return (
        lambda w: f"<results>/{w.cohort}/splits/{PLAN.scheme(paper, base(w.cohort))}.csv"
    )


def study_split(wildcards):
    return split_file(wildcards.paper)(wildcards)


def on_grid_of(section, kind):
    """A patient's images or masks on the grid that a radiomics or crops entry names."""

    def path(wildcards):
        entry = wildcards.settings if section == "radiomics" else wildcards.crop
        grid = FULL_CONFIG[section][entry]["grid"]
        return f"<results>/{wildcards.cohort}/{kind}/{grid}/{wildcards.patient}"

    return path


def study_crops(paper):
    """The crops that a study's networks read, as a function of the wildcards."""
    crop = FULL_CONFIG["papers"][paper]["settings"].get("crops")
    return lambda wildcards: f"<results>/{base(wildcards.cohort)}/crops/{crop}.npz"


def deep_features(paper, phase=""):
    """The features that a paper's only network extracts of a phase, or of each phase of a study, as a function of the
    wildcards; those of the cohort itself where outcomes are permuted."""
    (network,) = FULL_CONFIG["papers"][paper]["settings"]["networks"]
    return lambda wildcards: [
        f"<results>/{base(wildcards.cohort)}/{paper}/features/{network}.{one}.parquet"
        for one in ([phase] if phase else study_phases(paper)(wildcards))
    ]


def all_crops(paper):
    """The crops that each of a paper's networks reads, as a function of the wildcards."""
    settings = FULL_CONFIG["papers"][paper]["settings"]
    return lambda wildcards: [
        f"<results>/{base(wildcards.cohort)}/crops/{network_crop(settings, name)}.npz"
        for name in settings["networks"]
    ]


def network_crops(wildcards):
    """The crops that one network of a study reads."""
    settings = FULL_CONFIG["papers"][wildcards.paper]["settings"]
    crop = network_crop(settings, wildcards.network)
    return f"<results>/{base(wildcards.cohort)}/crops/{crop}.npz"


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


def best_auc_file(wildcards):
    """The oracle AUC where the cohort's patients are simulated and it is known; else nothing."""
    if PLAN.knows_best_auc(base(wildcards.cohort)):
        return [f"<results>/{wildcards.cohort}/simulated/best_auc.csv"]
    return []


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


def unet_training(kind):
    """Images or masks, as converted, of the patients that train a network that finds the tumour."""
    return lambda wildcards: collect(
        "<results>/{cohort}/{kind}/native/{patient}",
        cohort=wildcards.cohort,
        kind=kind,
        patient=PLAN.unet_parts(wildcards.cohort, wildcards.unet),
    )


def patients_of_batch(cohort, batch):
    """The patients that one job segments, batches counted from 1."""
    return PLAN.imaged(cohort)[
        (batch - 1) * SEGMENTED_PATIENTS : batch * SEGMENTED_PATIENTS
    ]


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
