# What the steps that one method alone has read and make (own_steps_common.smk), in words of their file: tables and figures
# for the report, and files that other steps read.


def in_study(paper, path):
    """A path of a study's folder with its beginning; others, and functions of the wildcards, as they are."""
    if not isinstance(path, str) or path.startswith("<"):
        return path
    return f"<results>/{{cohort}}/{paper}/{path}"


def table(name, what, caption="", written=True):
    """A table with its page for the report, under the caption of its name where no other is named; of a table that
    another rule has `written`, the page alone."""

    def outputs(paper):
        path = in_study(paper, f"tables/{name}")
        words = own_caption(paper, name, caption), what
        page = shown(f"{path}.html", *words, section=own_category(paper))
        return {
            **({f"{name}_csv": f"{path}.csv"} if written else {}),
            f"{name}_html": page,
        }

    return outputs


def figure(name, what, caption="", protocols=False, pictures=False):
    """The same of a figure, one or one a protocol; `pictures` of patients."""

    def outputs(paper):
        path, key = in_study(paper, f"figures/{name}"), name.split(".")[0]
        words = own_caption(paper, key, caption), what, key, own_category(paper)
        return (
            both_protocols(path, *words)
            if protocols
            else one_figure(path, *words, pictures)
        )

    return outputs


def own_caption(paper, name, caption):
    """The file of a caption."""
    return f"../report/{caption or f'{paper}_{name}'}.rst"


def own_category(paper):
    """Where the report shows what a method alone has."""
    return FULL_CONFIG["papers"][paper]["title"]


def files(**paths):
    """Files that other steps read, by the name of the output."""
    return lambda paper: {name: in_study(paper, path) for name, path in paths.items()}


def files_under(beginning, *endings):
    """The same of files whose names begin alike; each output is called as its ending is without the kind of file."""
    return files(**{e.split(".")[0]: f"{beginning}.{e}" for e in endings})


def trained_files(beginning):
    """What the training of a network leaves."""
    kinds = {"network": "pt", "scores": "scores.csv", "history": "history.csv"}
    kinds["machine"] = "machine.json"
    return files(**{name: f"{beginning}.{kind}" for name, kind in kinds.items()})


def kept_model(path):
    """The folder of a model that is kept."""
    return lambda paper: {"model": directory(in_study(paper, path))}


def outcomes(paper):
    """Labels and split of a study, as inputs."""
    return {"labels": "<results>/{cohort}/labels.csv", "split": split_file(paper)}


def patients_on_page(paper):
    """The patients on a page of the pictures of a paper's crops, as a function of the wildcards."""
    crop = FULL_CONFIG["papers"][paper]["settings"]["crops"]
    return lambda wildcards: page_of_patients(
        PLAN.image_cohort(base(wildcards.cohort)), crop, int(wildcards.page)
    )


def asked_pages(paper):
    """All these pages of a study, as `asked` has them."""
    crop = FULL_CONFIG["papers"][paper]["settings"]["crops"]
    return lambda cohort: [
        {"page": n + 1}
        for n in range(page_count(PLAN.image_cohort(base(cohort)), crop))
    ]


def other_readers(paper, cohort):
    """Other readers of the masks of a study's patients, each with the patients outlined, where it has any."""
    patients, phases = PLAN.patients(base(cohort)), PLAN.phases(paper, base(cohort))
    return PLAN.other_readers(PLAN.image_cohort(base(cohort)), phases, patients)


def outlined_again(paper):
    """The patients of whom another reader drew a mask, as a function of the wildcards."""
    return lambda wildcards: sorted(
        {p for own in other_readers(paper, wildcards.cohort).values() for p in own}
    )


def files_of_outlined_again(paper, kind):
    """Their images or masks on the grid of the paper's crops."""
    crop = FULL_CONFIG["papers"][paper]["settings"]["crops"]
    grid = FULL_CONFIG["crops"].get(crop, {}).get("grid", "")
    return lambda wildcards: [
        f"<results>/{PLAN.image_cohort(base(wildcards.cohort))}/{kind}/{grid}/{patient}"
        for patient in outlined_again(paper)(wildcards)
    ]
