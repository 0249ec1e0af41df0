# What jobs ask a machine for: memory, GPUs, and which jobs a cluster takes together.
from hcc_recurrence.cost.memory import unet_training_mb

# One submission to a cluster takes a patient's steps together, and many patients (profiles/slurm); masks that a network
# draws come between a patient's first steps and those on a grid.
GRID_GROUP = "grids" if FULL_CONFIG["masks"]["source"] == "unet" else "patients"
# GPUs of a job that trains.
GPUS = int(FULL_CONFIG["device"] == "cuda")
# Bytes that training a U-Net keeps a pixel and channel of its first level, measured by tests/unit/test_unet.py.
UNET_BYTES = 100


def stack_of_crops(wildcards):
    """MB of the crops of all patients, images as float32 and masks, and what is made of them on the way."""
    cohort, entry = wildcards.cohort, FULL_CONFIG["crops"][wildcards.crop]
    phases = entry["phases"] or PLAN.image_phases(PLAN.image_cohort(cohort))
    z, y, x = entry["size_voxels"]
    return 1.3 * len(PLAN.patients(cohort)) * len(phases) * z * y * x * 5 / 1e6


# Memory that formulas decide and not the table of costs: training goes with the batch and the size of its images, and the
# demo's networks are too small to tell; images go with their voxels, which are a hospital's and not the demo's.
def training_memory(paper, network=lambda wildcards: ""):
    """Memory to train a network as its paper says it (`training_mb` of its declaration), in MB; doubles with each attempt."""

    def needed(wildcards, attempt):
        name, method = network(wildcards), paper(wildcards)
        settings = FULL_CONFIG["papers"][method]["settings"]
        size = FULL_CONFIG["crops"][network_crop(settings, name)]["size_voxels"]
        batch = training_settings(method, name)["batch"]
        needed_mb = declared(method).training_mb(settings, name, batch, size)
        return round(needed_mb) * 2 ** (attempt - 1)

    return needed


def training_partition(wildcards):
    """The partition of a cluster that the profile names for jobs that train; none where it names none."""
    return default_resource(workflow, "gpu_partition" if GPUS else "slurm_partition")


def unet_memory(wildcards, attempt):
    """Memory for the slices of the patients drawn for a U-Net and what is learned or judged at once, in MB; doubles with
    each attempt."""
    entry = FULL_CONFIG["unets"][wildcards.unet]
    drawn = len(PLAN.unet_parts(wildcards.cohort, wildcards.unet))
    return round(unet_training_mb(entry, drawn, UNET_BYTES)) * 2 ** (attempt - 1)
