# Figures and tables of any study for the report, in words of captions.smk: each under the caption of its name.


def study_figures(figure, what, name="", caption="", **more):
    """Outputs of one figure of a study, under the caption of the figure's name where no other is named, in both protocols."""
    path = f"<results>/{{cohort}}/{{paper}}/figures/{figure}"
    return both_protocols(
        path, f"../report/{caption or figure}.rst", what, name, **more
    )


def study_figure(figure, what, name="figure", caption="", **more):
    """One that is the same in both."""
    path = f"<results>/{{cohort}}/{{paper}}/figures/{figure}"
    return one_figure(path, f"../report/{caption or figure}.rst", what, name, **more)


def study_table(table, what, caption="", name="", **more):
    """A table of a study, and its page: outputs `csv` and `html`, or `<name>` and `<name>_html`."""
    path = f"<results>/{{cohort}}/{{paper}}/tables/{table}"
    page = shown(f"{path}.html", f"../report/{caption or table}.rst", what, **more)
    return {name or "csv": f"{path}.csv", f"{name}_html".strip("_"): page}


def checklist_page(name):
    """The page of a reporting checklist of a study."""
    path = f"<results>/{{cohort}}/{{paper}}/checklists/checklist_{name}.html"
    return shown(path, "../report/checklist.rst", f"checklist {name}")
