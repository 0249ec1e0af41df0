"""Which variables the models use."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd

from hcc_recurrence.cohort.variable_labels import LABELS, label_of
from hcc_recurrence.endpoint import endpoint
from hcc_recurrence.figures.style import PAGE_INCHES, use_style

# Of the radiomics features.
FAMILIES = ("shape", "firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm")


def readable_feature(name: str) -> str:
    """`arterial__log-sigma-3-0-mm-3D_glcm_Contrast` as `arterial: LoG 3.0 mm, glcm Contrast`."""
    phase, _, rest = name.rpartition("__")
    parts = rest.split("_")
    if len(parts) != 3 or parts[1] not in FAMILIES:
        # A clinical variable by the name that tables have, or a signature.
        return label_of(name) if name.split("=")[0] in LABELS else name.replace("__", ": ").replace("_", " ")
    image, family, feature = parts
    if image.startswith("log-sigma-"):
        whole, tenth = image.removeprefix("log-sigma-").split("-")[:2]
        image = f"LoG {whole}.{tenth} mm"
    image = image.replace("wavelet-", "wavelet ")
    return f"{phase}: {image}, {family} {feature}" if phase else f"{image}, {family} {feature}"


def plot_coefficients(coefficients: pd.DataFrame, protocol: str, model: str, most: int = 20) -> plt.Figure:
    """Coefficients of the model fitted on all training patients, largest first.

    A classifier without one weight a variable, such as k nearest neighbours, has no bars. Where the method was
    repeated (the choice of the penalty depends on the seed), the mean over the repeats that chose the variable, and
    beside each bar the share of fits (folds and repeats) that chose it.
    """
    use_style()
    own = coefficients[
        (coefficients["protocol"] == protocol) & (coefficients["model"] == model) & (coefficients["step"] == "final")
    ]
    full = own[own["fold"] == 0].groupby("variable")["coefficient"].mean().dropna()
    order = full.abs().sort_values(ascending=False, kind="stable").index[:most]
    fits = coefficients.loc[coefficients["protocol"] == protocol, ["fold", "repeat"]].drop_duplicates()
    share = own.groupby("variable").size() / len(fits)
    figure, axis = plt.subplots(figsize=(PAGE_INCHES, 0.9 + 0.22 * max(len(order), 3)))
    values = full.loc[order][::-1]
    if values.empty:
        axis.text(0.5, 0.5, _why_empty(own), ha="center", transform=axis.transAxes)
        axis.set(xticks=[], yticks=[], title=f"{model}, {protocol.replace('_', ' ')}")
        return figure
    colours = ["#0173b2" if v < 0 else "#de8f05" for v in values]
    axis.barh([readable_feature(v) for v in values.index], values, color=colours, height=0.7)
    axis.axvline(0, color="0.3", linewidth=0.8)
    if len(fits) > 1:
        for row, variable in enumerate(values.index):
            axis.annotate(
                f"{100 * share[variable]:.0f}%",
                (1.01, row),
                xycoords=("axes fraction", "data"),
                va="center",
                fontsize=6.5,
            )
        axis.annotate(f"chosen in\n{len(fits)} fits", (1.01, 1.01), xycoords="axes fraction", fontsize=6.5)
    # Two lines: the axis is narrow beside the names of features.
    axis.set_xlabel(f"Coefficient per standard deviation\n(right: higher risk of {endpoint().name})")
    repeats = own.loc[own["fold"] == 0, "repeat"].nunique()
    source = f" in {repeats} repeats" if repeats > 1 else ""
    left_out = len(full) - len(order)
    note = f", {left_out} smaller ones not shown" if left_out else ""
    axis.set_title(f"{model}, {protocol.replace('_', ' ')}: {len(full)} variables{source}{note}")
    return figure


def _why_empty(own: pd.DataFrame) -> str:
    """Why there is no bar: nothing was selected, or the classifier has no weights."""
    whole = own[own["fold"] == 0]
    if whole.empty:
        return "No variable was selected"
    return (
        f"{' and '.join(sorted(set(whole['classifier'])))} has no coefficients; {whole['variable'].nunique()} variables"
    )
