# Functions of the rules of Cui 2022: which files its networks leave.

from hcc_recurrence.methods.cui2022.declare import crop_definition

CUI = FULL_CONFIG["papers"]["cui2022"]["settings"]
# Bytes that training keeps a voxel, measured by tests/unit/test_cui2022.py.
CUI_BYTES = 700
# z, y, x of the box that each network takes.
CUI_SHAPES = {
    network: FULL_CONFIG["crops"]
    .get(network_crop(CUI, network), {})
    .get("size_voxels", [])
    for network in CUI["networks"]
}
# How these boxes are made: the entry of `crops`, with its grid.
CUI_DEFINITIONS = {
    network: crop_definition(
        FULL_CONFIG["crops"][network_crop(CUI, network)],
        grid_of_crop(network_crop(CUI, network)),
    )
    for network in CUI["networks"]
    if network_crop(CUI, network) in FULL_CONFIG["crops"]
}


def cui2022_memory(network, batch, size):
    """MB to train a network: its weights four times (gradient and Adam's moments beside), seven versions of the boxes
    of 200 patients, and a batch. Of 60 patients 4248 MB were measured."""
    z, y, x = size
    return 4500 + (200 * 7 * 4 + batch * CUI_BYTES) * z * y * x / 1e6


def cui2022_networks(kind, fits):
    """Files of one kind that fits of both networks leave, SS then NSS; `fits`: a function of the cohort."""
    return lambda w: collect(
        "<results>/{cohort}/cui2022/networks/{network}/{fit}.{kind}",
        cohort=w.cohort,
        network=CUI["networks"],
        fit=fits(w.cohort),
        kind=kind,
    )


def cui2022_strict(cohort):
    """The fits that hold a fold out."""
    return network_fits("cui2022", cohort)


def cui2022_first(cohort):
    """Those of the first repeat, which are explained."""
    return fits_of_first_repeat("cui2022", cohort)


def cui2022_both(cohort):
    """The same, and those whose held-out fold decided when to stop, as published."""
    published = [
        Fit(AS_PUBLISHED, 1, fit.left_out, LEFT_OUT) for fit in cui2022_first(cohort)
    ]
    return cui2022_strict(cohort) + published


def cui2022_of_ensemble(wildcards):
    """Files of the networks of all folds that make up the model of a protocol, SS then NSS."""
    wanted = Fit.parse(wildcards.fit)

    def folds(cohort):
        own = (wanted.protocol, wanted.repeat)
        return [f for f in cui2022_both(cohort) if (f.protocol, f.repeat) == own]

    return cui2022_networks("pt", folds)(wildcards)


def cui2022_shares(cohort):
    """The fits of the learning curve: shares of the patients, first repeat, strict."""
    return [
        Fit(STRICT, 1, fit.left_out, share=share)
        for share in CUI["training_shares"]
        for fit in cui2022_first(cohort)
    ]


def cui2022_trained(wildcards):
    """Files beside all networks of a study that say what they were trained on."""

    def fits(cohort):
        return cui2022_both(cohort) + cui2022_shares(cohort)

    return cui2022_networks("machine.json", fits)(wildcards)


def cui2022_crops(wildcards):
    """The crops of SS and of NSS."""
    return [
        f"<results>/{base(wildcards.cohort)}/crops/{network_crop(CUI, network)}.npz"
        for network in CUI["networks"]
    ]


def cui2022_readers(cohort):
    """Other readers of the patients' masks, each with the patients outlined, where the study has any."""
    images = PLAN.image_cohort(base(cohort))
    phases = PLAN.phases("cui2022", base(cohort))
    return PLAN.other_readers(images, phases, PLAN.patients(base(cohort)))


def cui2022_read_again(kind):
    """Images or masks of the patients whom another reader outlined as well, on the grid of the crops."""
    grid = FULL_CONFIG["crops"].get(CUI["crops"], {}).get("grid", "")

    def folders(wildcards):
        images = PLAN.image_cohort(base(wildcards.cohort))
        patients = sorted({p for own in cui2022_readers(images).values() for p in own})
        return [f"<results>/{images}/{kind}/{grid}/{p}" for p in patients]

    return folders


def cui2022_predictions(cohort):
    """Parts of the predictions."""
    return [f"<results>/{cohort}/cui2022/fits/networks.predictions.csv"]


def cui2022_targets(cohort):
    """What the paper makes besides what every study has."""
    folder = f"<results>/{cohort}/cui2022"
    pages = page_count(PLAN.image_cohort(base(cohort)), CUI["crops"])
    return [
        *[f"{folder}/figures/{f}.png" for f in ("grad_cam", "relevance")],
        f"{folder}/figures/learning_curve.png",
        *[f"{folder}/models/{fit}" for fit in (Fit(), Fit(AS_PUBLISHED))],
        *[f"{folder}/tables/{t}.html" for t in ("networks", "ensemble", "curve")],
        f"{folder}/tables/relevance.html",
        *[f"{folder}/figures/boxes.page{n + 1}.png" for n in range(pages)],
        *([f"{folder}/figures/second_reader.png"] if cui2022_readers(cohort) else []),
    ]
