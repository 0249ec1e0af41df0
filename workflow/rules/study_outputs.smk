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


def study_table(table, what, caption="", **more):
    """The page of a table of a study."""
    path = f"<results>/{{cohort}}/{{paper}}/tables/{table}.html"
    return shown(path, f"../report/{caption or table}.rst", what, **more)
