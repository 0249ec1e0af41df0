"""The nomogram of an applied model with one patient's points, where the method has one."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hcc_recurrence.endpoint import use_endpoint
from hcc_recurrence.exported.pages import AppliedModel, Picture

if TYPE_CHECKING:
    import pandas as pd

# A risk that the drawn nomogram gives may differ so much from the model's: tables have ten digits.
TOLERANCE = 1e-6


def axis_values(
    inputs: Mapping[str, Mapping[str, Any]], clinical: Mapping[str, Any], probabilities: Mapping[str, float]
) -> dict[str, float]:
    """The patient's value on each axis; NaN where it is missing.

    Args:
        inputs: `axis_inputs` of a model: variable with cut (a number, or at_least) or code (a category), or the model
            whose probability is the axis. clinical: the patient's numbers by variable. probabilities: by model.
    """
    found = {}
    for axis, own in inputs.items():
        if "model" in own:
            found[axis] = float(probabilities.get(own["model"], float("nan")))
            continue
        value = clinical.get(own["variable"])
        value = float("nan") if value is None else float(value)
        if not math.isnan(value) and own.get("code") is not None:
            value = float(value == own["code"])
        elif not math.isnan(value) and own.get("cut") is not None:
            cut = own["cut"]
            value = float(value >= cut["at_least"] if isinstance(cut, Mapping) else value > cut)
        found[axis] = value
    return found


def drawn_nomograms(
    model: AppliedModel, patient: str, clinical: pd.DataFrame, simulated: bool = False
) -> list[Picture]:
    """A picture of each nomogram with the patient's points.

    None is drawn where a value is missing (the model put another in its place), or where the nomogram gives another
    risk than the model did: a reader would trust the drawing.

    Args: clinical: numbers that the models read, index patient_id. simulated: whether the patient is.
    """
    import matplotlib.pyplot as plt

    from hcc_recurrence.figures.marks import SIMULATED
    from hcc_recurrence.figures.nomogram import plot_nomogram
    from hcc_recurrence.figures.style import write_below
    from hcc_recurrence.statistics.nomogram import NomogramModel

    use_endpoint(model.about["endpoint"]["words"])
    own = model.predictions[model.predictions["patient_id"] == patient]
    probabilities = dict(zip(own["model"], own["probability"], strict=True))
    row = clinical.loc[patient].to_dict() if patient in clinical.index else {}
    found = []
    for name, about in model.about["models"].items():
        if not about.get("nomogram") or name not in probabilities:
            continue
        nomogram = NomogramModel.from_dict(about["nomogram"])
        values = axis_values(about["axis_inputs"], row, probabilities)
        if lacking := [axis for axis, value in values.items() if math.isnan(value)]:
            print(f"{patient}, {name}: no nomogram, for {', '.join(lacking)} is missing")
            continue
        if abs(nomogram.risk(values) - probabilities[name]) > TOLERANCE:
            risks = f"the nomogram gives {nomogram.risk(values):.6f}, the model {probabilities[name]:.6f}"
            print(f"{patient}, {name}: {risks}: not drawn")
            continue
        figure, stream = plot_nomogram(nomogram, name, values, patient), io.BytesIO()
        if simulated:
            write_below(figure, [SIMULATED])
        figure.savefig(stream, format="png", dpi=150, metadata={"Software": None})
        plt.close(figure)
        beyond = [a.name for a in nomogram.axes if not a.low <= values[a.name] <= a.high]
        words = f"{', '.join(beyond)}: beyond the axis, drawn at its end" if beyond else ""
        found.append(Picture(f"Nomogram, {name}", stream.getvalue(), words, "png"))
    return found
