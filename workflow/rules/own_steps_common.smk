# What the file of a method says of the steps that it alone has, from which own_steps.smk makes rules:
#
# OWN_STEPS[paper] = {
#     name of the step, its job and its script: {
#         "says": what it does,
#         "input": name -> files, or files alone, as in a rule; a path without `<results>` is in the study's folder,
#         "makes": list of `table`, `figure` and `files`; an output is called as its file is,
#         "params": what the script reads besides title, mark, settings of figures and the hash of its code (none),
#         "each": what follows its name in paths of logs where one study has several such jobs (none),
#         "only": constraints of wildcards (none),
#         "asked": function of the cohort: wildcards of each job whose tables, figures and models `all` asks for (one job),
#         "memory_mb": 1000, "minutes": 10 (or "reckoned"), "group": "results", "script": where it is not called as the rule,
#     },
# }
import types

from hcc_recurrence.snakemake_inside import describe_rule

OWN_STEPS = {}
STEP_KEYS = {
    *("says", "input", "makes", "params", "each", "only", "asked", "memory_mb"),
    *("minutes", "group", "script"),
}


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
        return {**({name: f"{path}.csv"} if written else {}), f"{name}_html": page}

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


def kept_model(path):
    """The folder of a model that is kept."""
    return lambda paper: {"model": directory(in_study(paper, path))}


def outcomes(paper):
    """Labels and split of a study, as inputs."""
    return {"labels": "<results>/{cohort}/labels.csv", "split": split_file(paper)}


def made_by(paper, said):
    """The outputs of a step by name."""
    return {k: path for outputs in said["makes"] for k, path in outputs(paper).items()}


def own_step(paper, name, said):
    """All that own_steps.smk writes into the rule of a step."""
    if unknown := set(said) - STEP_KEYS:
        raise WorkflowError(f"step {name}: no step has {', '.join(sorted(unknown))}")
    made, read, script = made_by(paper, said), said["input"], said.get("script", name)
    named = read if isinstance(read, dict) else {}
    params, own = {"script": script}, said.get("params", {})
    drawn = any(isinstance(kept, list) for kept in made.values())
    if drawn or any(key.endswith("_html") for key in made):
        params.update(title=of_cohort("title"), mark=mark_of(paper))
    if drawn:
        params.update(figures=figure_settings)
    limit = said.get("minutes", 10)
    return types.SimpleNamespace(
        name=name,
        says=said["says"],
        script=script,
        unnamed=[] if named else [in_study(paper, read)],
        named={key: in_study(paper, path) for key, path in named.items()},
        output=made,
        logs=f"{{cohort}}/{paper}/{name}{said.get('each', '')}",
        only=said.get("only", {}),
        group=f"{paper}_{said.get('group', 'results')}",
        memory=memory(said.get("memory_mb", 1000)),
        minutes=reckoned_minutes(name) if limit == "reckoned" else minutes(limit),
        params={**params, **own, "code": code(script)},
    )


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
