# Volume 2026, an example (docs/adding_a_method.md). Needs radiomics, labels and a split; makes predictions, and the
# coefficients of its models. All else is made of the predictions by the rules that all methods share.


METHODS["volume2026"] = {
    "fits": fits_of_study("volume2026"),
    "inputs": lambda w: {"radiomics": radiomics_files("volume2026")(w)},
    "settings": lambda w: {
        key: PLAN.settings("volume2026", base(w.cohort))[key]
        for key in ("strength", "clinical")
    },
    "clinical": study_clinical("volume2026"),
    "about": lambda w: {
        "phases": PLAN.phases("volume2026", base(w.cohort)),
        "reader": of_cohort("reader")(w),
    },
}
PREDICTION_PARTS["volume2026"] = files_of_fits("volume2026", ".predictions.csv")
OWN_TARGETS["volume2026"] = lambda cohort: [
    f"<results>/{cohort}/volume2026/tables/coefficients.csv"
]
