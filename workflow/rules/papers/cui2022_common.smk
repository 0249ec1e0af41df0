# Functions of the rules of Cui 2022: which files its networks leave.

CUI = FULL_CONFIG["papers"]["cui2022"]["settings"]


def cui2022_deep(cohort):
    """Whether a study, or its copy with permuted outcomes, has networks; without them the method is nothing."""
    return cohort == base(cohort) or FULL_CONFIG["null_control"]["networks"]


def cui2022_files(kind, held=True):
    """Files of one kind of all fits; `held`: also those whose held-out fold decided when to stop."""

    def files(wildcards):
        fits = network_fits("cui2022", wildcards.cohort)
        names = [f"{r}.{f}" for r, f in fits]
        if held:
            names += [f"1.held{f}" for r, f in fits if r == 1]
        return collect(
            "<results>/{cohort}/cui2022/networks/{network}/{fit}.{kind}",
            cohort=wildcards.cohort,
            network=CUI["networks"],
            fit=names,
            kind=kind,
        )

    return files


def cui2022_curve(wildcards):
    """Scores of the fits of the learning curve: shares of the patients, first repeat, strict."""
    return collect(
        "<results>/{cohort}/cui2022/curve/{network}/{percent}.1.{fold}.scores.csv",
        cohort=wildcards.cohort,
        network=CUI["networks"],
        percent=[round(100 * share) for share in CUI["training_shares"]],
        fold=[f for r, f in network_fits("cui2022", wildcards.cohort) if r == 1],
    )


def cui2022_explained(kind):
    """Files of one kind of the networks that hold a fold out, first repeat, SS then NSS."""
    return lambda w: collect(
        "<results>/{cohort}/cui2022/networks/{network}/1.{fold}.{kind}",
        cohort=w.cohort,
        network=CUI["networks"],
        fold=[f for r, f in network_fits("cui2022", w.cohort) if r == 1],
        kind=kind,
    )


def cui2022_crops(wildcards):
    """The crops of SS and of NSS."""
    return [
        f"<results>/{base(wildcards.cohort)}/crops/{network_crop(CUI, network)}.npz"
        for network in CUI["networks"]
    ]


def cui2022_predictions(cohort):
    """Parts of the predictions."""
    return [f"<results>/{cohort}/cui2022/fits/networks.predictions.csv"]


def cui2022_targets(cohort):
    """What the paper makes besides what every study has."""
    folder = f"<results>/{cohort}/cui2022"
    pages = page_count(PLAN.image_cohort(base(cohort)), CUI["crops"])
    return [
        *[f"{folder}/figures/{f}.png" for f in ("training", "grad_cam", "relevance")],
        f"{folder}/figures/learning_curve.png",
        *[f"{folder}/tables/{t}.html" for t in ("networks", "ensemble", "curve")],
        f"{folder}/tables/relevance.html",
        *[f"{folder}/figures/boxes.page{n + 1}.png" for n in range(pages)],
    ]
