# Functions that the other files share.
import os
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

SCRIPTS = Path(workflow.basedir) / "workflow" / "scripts"
sys.path.insert(0, str(SCRIPTS))

from hcc_recurrence.configuration import load_configuration
from hcc_recurrence.plan import Plan
from hcc_recurrence.problems import InputError
from hcc_recurrence.provenance import code_version

# One thread a job for numerical libraries: the same bytes for any --cores. Rules that train set more themselves.
for variable in (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS",
):
    os.environ[variable] = "1"

try:
    FULL_CONFIG = load_configuration(
        config,
        Path(workflow.basedir, "config", "papers"),
        Path(workflow.basedir, "workflow", "schemas"),
    )
    PLAN = Plan(FULL_CONFIG, Path(), Path(".snakemake", "hcc_headers.json"))
except InputError as error:
    raise WorkflowError(str(error)) from None

PAPERS = sorted(FULL_CONFIG["papers"])
PROTOCOLS = ["strict", "as_published"]
# The file of each paper says what its predictions are gathered from, and what else it makes:
# paper -> function of the cohort that returns paths.
PREDICTION_PARTS = {}
OWN_TARGETS = {}


wildcard_constraints:
    cohort="[A-Za-z0-9][A-Za-z0-9_]*",
    patient="[A-Za-z0-9][A-Za-z0-9_-]*",
    phase="precontrast|arterial|portal|delayed|hepatobiliary",
    grid="[A-Za-z0-9_]+",
    crop="[A-Za-z0-9_]+",
    settings="[A-Za-z0-9_]+",
    scheme="[A-Za-z0-9_]+",
    paper="[a-z]+[0-9]{4}",
    protocol="strict|as_published",
    model="[A-Za-z0-9]+",


def code(script):
    """Hash of the meaning of a script and of the package modules it reaches."""
    return code_version(SCRIPTS / f"{script}.py", SCRIPTS)


def untracked(function):
    """A parameter that never triggers a rerun: Snakemake leaves out functions that take `input`."""
    return lambda wildcards, input: function(wildcards)


def memory(mb):
    """Memory that doubles with each attempt."""
    return lambda wildcards, attempt: mb * 2 ** (attempt - 1)


def split_file(paper):
    """Path of the split that a paper uses, with the cohort left open."""
    scheme = FULL_CONFIG["papers"][paper]["settings"]["split"]
    return f"<results>/{{cohort}}/splits/{scheme}.csv"


def on_grid_of(section, kind):
    """A patient's images or masks on the grid that a radiomics or crops entry names."""

    def path(wildcards):
        entry = wildcards.settings if section == "radiomics" else wildcards.crop
        grid = FULL_CONFIG[section][entry]["grid"]
        return f"<results>/{wildcards.cohort}/{kind}/{grid}/{wildcards.patient}"

    return path


def fits(paper, kind):
    """The files of one kind that the fits of both protocols of a paper leave, as a function of the cohort."""
    return lambda cohort: [
        f"<results>/{cohort}/{paper}/fits/{protocol}.{kind}.csv"
        for protocol in PROTOCOLS
    ]


def both_protocols(path, caption, category, what):
    """Outputs of one figure in both protocols: PNG for the report, SVG for a journal."""
    outputs = {}
    for protocol in PROTOCOLS:
        outputs[protocol] = report(
            f"{path}.{protocol}.png",
            caption=caption,
            category=category,
            labels={
                "cohort": "{cohort}",
                "protocol": protocol.replace("_", " "),
                "what": what,
            },
        )
        outputs[f"{protocol}_svg"] = f"{path}.{protocol}.svg"
    return outputs


def study_scheme(paper):
    """The named split that a paper uses."""
    return FULL_CONFIG["splits"][FULL_CONFIG["papers"][paper]["settings"]["split"]]


def study_split(wildcards):
    return split_file(wildcards.paper).format(cohort=wildcards.cohort)


def patients_sheet(wildcards):
    """Where the patients sheet is; what matters of its content is hashed by other parameters."""
    return FULL_CONFIG["cohorts"][wildcards.cohort]["patients"]


def study_clinical(paper):
    """Names of the clinical variables of a paper in one study."""
    return lambda wildcards: list(PLAN.settings(paper, wildcards.cohort)["clinical"])


def best_auc_file(wildcards):
    """The best reachable AUC where the cohort is simulated; nothing where it is real."""
    if FULL_CONFIG["cohorts"][wildcards.cohort]["simulation"]:
        return [f"<results>/{wildcards.cohort}/simulated/best_auc.csv"]
    return []


def study_targets(paper, cohort):
    """Everything that a study leaves for a reader."""
    folder = f"<results>/{cohort}/{paper}"
    figures = [
        f"{folder}/figures/{figure}.{protocol}.png"
        for figure in ("roc", "calibration", "decision_curve")
        for protocol in PROTOCOLS
    ]
    tables = [f"{folder}/tables/{table}.html" for table in ("metrics", "baseline")]
    labels = [f"<results>/{cohort}/labels.html"]
    return [
        f"{folder}/predictions.csv",
        *tables,
        *labels,
        *figures,
        *OWN_TARGETS[paper](cohort),
    ]


def run_targets(wildcards):
    return [t for paper, cohort in PLAN.studies for t in study_targets(paper, cohort)]


def paper_targets(paper):
    """Everything of one paper, on each cohort that the config names for it."""
    return lambda wildcards: [
        t for p, cohort in PLAN.studies if p == paper for t in study_targets(p, cohort)
    ]


onstart:
    for name in sorted(PLAN.cohorts):
        used = PLAN.patients(name)
        left_out = len(PLAN.cohorts[name].patients) - len(used)
        print(
            f"{name}: {len(used)} patients used, {left_out} left out",
            file=sys.stderr,
        )
        for patient, reason in sorted(PLAN.excluded[name].items()):
            print(f"  {patient} left out: {reason}", file=sys.stderr)
