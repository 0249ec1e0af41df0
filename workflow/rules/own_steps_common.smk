# What the file of a method says of the steps that it alone has, from which own_steps.smk makes rules:
#
# OWN_STEPS[paper] = {
#     name of the step, its job and its script: {
#         "says": what it does,
#         "input": name -> files, or files alone, as in a rule; a path without `<results>` is in the study's folder,
#         "makes": list of `table`, `figure` and `files`; an output is called as its file is, of a table with its kind,
#         "params": what the script reads besides title, mark, settings of figures and the hash of its code, which is also
#             that of a `module` named here (none),
#         "each": what follows in names of logs where a study has several such jobs, or `.` and what ends them (none),
#         "only": constraints of wildcards (none),
#         "asked": function of the cohort: wildcards of each job whose tables, figures and models `all` asks for (one job),
#         "trains": whether it trains a network, and so asks for what that takes (false),
#         "memory_mb": that of the table of costs, "minutes": 10 (or "reckoned"), "group": "results", "script": where it is not called as the rule,
#     },
# }
from hcc_recurrence.snakemake_inside import describe_rule

OWN_STEPS = {}
STEP_KEYS = {
    *("says", "input", "makes", "params", "each", "only", "asked", "memory_mb"),
    *("minutes", "group", "script", "trains"),
}


def trained_again(said):
    """The step of a network once more, by other kernels of the libraries or from another seed (numerics.smk)."""
    params = {"kernels": kernels_of_again, "seed": seed_of_again}
    only = {"cohort": COHORT_NAME, "again": "|".join(AGAIN_TEXT)}
    return {**said, "params": {**said["params"], **params}, "only": only}


def if_trained(paper, *jobs):
    """Jobs that `all` asks for where a study trains networks (one), as a function of the cohort; elsewhere none."""
    return lambda cohort: list(jobs or [{}]) if trains_networks(paper, cohort) else []


def if_variables(paper):
    """The same where a study has clinical variables."""
    return lambda cohort: [{}] if has_variables(paper, cohort) else []


def made_by(paper, said):
    """The outputs of a step by name."""
    return {k: path for outputs in said["makes"] for k, path in outputs(paper).items()}


def own_step(paper, name, said):
    """All that own_steps.smk writes into the rule of a step."""
    if unknown := set(said) - STEP_KEYS:
        raise WorkflowError(f"step {name}: no step has {', '.join(sorted(unknown))}")
    made, read, script = made_by(paper, said), said["input"], said.get("script", name)
    named = read if isinstance(read, dict) else {}
    folder, each = f"{{cohort}}/{paper}/{name}", said.get("each", "")
    params, own = {"script": script}, said.get("params", {})
    drawn = any(isinstance(kept, list) for kept in made.values())
    if drawn or any(key.endswith("_html") for key in made):
        params.update(title=of_cohort("title"), mark=mark_of(paper))
    if drawn:
        params.update(figures=figure_settings)
    limit, group = said.get("minutes", 10), f"{paper}_{said.get('group', 'results')}"
    resources = {
        "mem_mb": (
            memory(said["memory_mb"]) if "memory_mb" in said else reckoned_memory(name)
        ),
        "runtime": reckoned_minutes(script) if limit == "reckoned" else minutes(limit),
    }
    if said.get("trains"):
        # On its own, where a job that trains runs, and for as long as it is reckoned to take.
        group = None
        resources = {
            "mem_mb": training_memory(lambda wildcards: paper),
            "runtime": reckoned_minutes(script),
            "gpu": GPUS,
            "slurm_partition": training_partition,
        }
    return types.SimpleNamespace(
        name=name,
        says=said["says"],
        script=script,
        unnamed=[] if named else [in_study(paper, read)],
        named={key: in_study(paper, path) for key, path in named.items()},
        output=made,
        logs=f"{folder}{each}" if each[:1] in ("", ".") else f"{folder}/{each}",
        only=said.get("only", {}),
        group=group,
        resources=resources,
        params={
            **params,
            **own,
            "code": code(script, *filter(None, [own.get("module")])),
        },
    )


def prediction_parts(paper, cohort):
    """What the predictions of a study are gathered from: of its fits, and of its own steps where it trains networks,
    unless its file says it.
    """
    if paper in PREDICTION_PARTS:
        return PREDICTION_PARTS[paper](cohort)
    found = files_of_fits(paper, ".predictions.csv")(cohort) if paper in METHODS else []
    own = [made_by(paper, said) for said in OWN_STEPS.get(paper, {}).values()]
    if trains_networks(paper, cohort):
        found += [
            m["predictions"].format(cohort=cohort) for m in own if "predictions" in m
        ]
    return found


def own_targets(paper, cohort):
    """What of a study only its method has: tables, figures and kept models of its own steps, and what its file names."""
    found = list(OWN_TARGETS[paper](cohort)) if paper in OWN_TARGETS else []
    for said in OWN_STEPS.get(paper, {}).values():
        wanted = [
            kept[0] if isinstance(kept, list) else kept
            for key, kept in made_by(paper, said).items()
            if isinstance(kept, list) or key.endswith("_html") or key == "model"
        ]
        for wildcards in said["asked"](cohort) if "asked" in said else [{}]:
            found += [str(path).format(cohort=cohort, **wildcards) for path in wanted]
    return found


def networks_step(paper, says, inputs, **more):
    """The step that makes the predictions of a method's networks and says what these are, by its module `gather`.

    `inputs`: scores and histories of the networks; `more`: other keys of the step.
    """
    settings = FULL_CONFIG["papers"][paper]["settings"]
    crops = {n: network_crop(settings, n) for n in settings["networks"]}
    shapes = {
        n: FULL_CONFIG["crops"].get(c, {}).get("size_voxels") for n, c in crops.items()
    }
    return {
        "says": says,
        "input": {**inputs, **outcomes(paper)},
        "makes": [
            files(predictions="fits/networks.predictions.csv"),
            table("networks", "networks", "networks"),
        ],
        "params": {
            **about_networks(paper),
            "shapes": shapes,
            "module": f"hcc_recurrence.methods.{paper}.gather",
            "seed": FULL_CONFIG["seed"],
        },
        "script": "gather_networks",
        "asked": if_trained(paper),
        **more,
    }


# What is drawn of a method's nomograms, and their calibration.
NOMOGRAM_FILES = {
    "drawn": "fits/nomograms.json",
    "curves": "fits/nomograms.calibration.csv",
}


def nomograms_step(paper, models, asked):
    """The step that draws a method's nomograms with a worked patient, and their calibration corrected for optimism.

    `models`: ending of the figure's name -> the model, words for the report, and whether the protocols differ.
    """
    drawn, makes = {}, []
    for ending, (model, what, differ) in models.items():
        name = f"nomogram_{ending}"
        own = {f"{name}_{p}": (model, p) for p in PROTOCOLS}
        drawn.update(own if differ else {name: (model, STRICT)})
        makes.append(figure(name, what, f"{paper}_nomogram", protocols=differ))
    name, what = "nomograms_calibration", "calibration of the nomograms"
    makes.append(figure(name, f"{what}, corrected for optimism", name, protocols=True))
    return {
        "says": f"The nomograms with a worked patient, and the {what}, corrected for optimism.",
        "input": NOMOGRAM_FILES,
        "makes": makes,
        "params": {
            "paper": paper,
            "nomograms": drawn,
            "endpoint": of_cohort("endpoint"),
        },
        "script": "plot_nomograms",
        "asked": asked,
    }
