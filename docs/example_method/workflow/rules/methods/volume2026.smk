# Volume 2026, an example (docs/adding_a_method.md). Needs radiomics, labels and a split; makes predictions, and the
# coefficients of its models. All else is made of the predictions by the rules that all methods share.


METHODS["volume2026"] = {
    "fits": fits_of_study("volume2026"),
    "inputs": lambda w: {"radiomics": radiomics_files("volume2026")(w)},
    "settings": study_settings("volume2026", "strength", "clinical"),
    "clinical": study_clinical("volume2026"),
    "about": lambda w: {
        "phases": study_phases("volume2026")(w),
        "reader": of_cohort("reader")(w),
    },
}
OWN_TARGETS["volume2026"] = lambda cohort: [
    f"<results>/{cohort}/volume2026/tables/coefficients.csv"
]
