"""Volume 2026, an example (docs/adding_a_method.md): tumour volume, alone and with clinical variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

from hcc_recurrence.cohort.fit import Fit
from hcc_recurrence.methods.contract import FittedMethod, Method, ModelInfo

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

ALONE, TOGETHER = "Volume", "Volume-clinical"
# In mm3, from the reference reader's mask.
VOLUME = "original_shape_MeshVolume"

# What the method has. Every job reads this file, so that numpy, pandas and scikit-learn are imported inside functions.
METHOD = Method(
    "volume2026",
    models=lambda settings: {ALONE: ModelInfo("main", "radiomics"), TOGETHER: ModelInfo("main", "combined")},
    tables=("coefficients",),
    shown=("coefficients",),
    file="declare",
)


@dataclass(frozen=True)
class Data:
    """What the models take, a row a patient. volume: log10 of mm3. clinical: numbers, NaN where missing."""

    volume: pd.Series
    clinical: pd.DataFrame
    labels: pd.DataFrame
    split: pd.DataFrame


def read_data(
    files: Mapping[str, Sequence[str]],
    about: Mapping[str, Any],
    clinical: pd.DataFrame,
    labels: pd.DataFrame,
    split: pd.DataFrame,
) -> Data:
    """What the method takes, from the files that its rules file names under `inputs`.

    Args:
        files: radiomics: a table a phase. about: phases, and reader, whose masks the models use.
    """
    import numpy as np
    import pandas as pd

    from hcc_recurrence.radiomics.tables import join_phases

    tables = [pd.read_parquet(file) for file in files["radiomics"]]
    phases = dict(zip(about["phases"], tables, strict=True))
    table = join_phases(phases, list(split["patient_id"]), about["reader"])
    return Data(np.log10(table.values[f"{about['phases'][0]}__{VOLUME}"]), clinical, labels, split)


@dataclass(frozen=True)
class FittedVolume(FittedMethod):
    """Both models of one fit: what fills gaps, how columns are scaled, and the regressions."""

    method: ClassVar[str] = METHOD.name
    learned: tuple[str, ...]
    names: tuple[str, ...]
    fill: Any
    scale: Any
    models: Mapping[str, Any]

    def inputs(self, data: Data, patients: Sequence[str], model: str) -> np.ndarray:
        """(patients, columns): volume, and the clinical variables where the model has them."""
        import pandas as pd

        rows = list(patients)
        table = pd.concat([data.volume.loc[rows], data.clinical.loc[rows, list(self.names[1:])]], axis=1)
        x = self.scale(self.fill(table.to_numpy(float)))
        return x if model == TOGETHER else x[:, :1]

    def predict(self, data: Data, patients: Sequence[str]) -> pd.DataFrame:
        """Probability of early recurrence by each model; no outcome is read."""
        import pandas as pd

        from hcc_recurrence.learning.estimators import predicted

        found = {name: predicted(model, self.inputs(data, patients, name)) for name, model in self.models.items()}
        return pd.DataFrame(found, index=pd.Index(list(patients), name="patient_id"))

    def state(self) -> dict[str, Any]:
        """What a model file holds of it."""
        return {
            "learned": list(self.learned),
            "names": list(self.names),
            "fill": self.fill.state(),
            "scale": self.scale.state(),
            "models": [{"name": name, "model": model} for name, model in self.models.items()],
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """From what `state` gave.

        Raises: ModelFileError for other keys.
        """
        from hcc_recurrence.learning.model_files import expect_keys
        from hcc_recurrence.learning.scaling import Imputer, Standardiser

        expect_keys(state, {"learned", "names", "fill", "scale", "models"}, cls.method)
        return cls(
            tuple(state["learned"]),
            tuple(state["names"]),
            Imputer.from_state(state["fill"]),
            Standardiser.from_state(state["scale"]),
            {row["name"]: row["model"] for row in state["models"]},
        )


def fit(data: Data, fit: Fit, settings: Mapping[str, Any], seed: int) -> tuple[FittedVolume, dict[str, pd.DataFrame]]:
    """Both models on the patients that learn in a fit, and on no others.

    Args:
        settings: what the rules file gives: strength, clinical. seed: of the fit; nothing is drawn here.

    Returns: the models; and coefficients, by model and standardised variable.
    """
    import pandas as pd
    from sklearn.linear_model import LogisticRegression

    from hcc_recurrence.learning.scaling import Imputer, Standardiser
    from hcc_recurrence.methods.run import learning_patients

    rows = learning_patients(data.split, fit)
    y = data.labels.set_index("patient_id").loc[rows, "er"].to_numpy().astype(int)
    names = ("log10 volume", *settings["clinical"])
    table = pd.concat([data.volume.loc[rows], data.clinical.loc[rows, list(names[1:])]], axis=1).to_numpy(float)
    fill = Imputer(table)
    empty = FittedVolume(tuple(sorted(rows)), names, fill, Standardiser(fill(table)), {})
    models, coefficients = {}, []
    for name in METHOD.models(settings):
        x = empty.inputs(data, rows, name)
        models[name] = LogisticRegression(C=settings["strength"], random_state=seed).fit(x, y)
        for variable, weight in zip(names, models[name].coef_.ravel(), strict=False):
            coefficients.append({"model": name, "variable": variable, "coefficient": float(weight)})
    fitted = FittedVolume(empty.learned, names, fill, empty.scale, models)
    return fitted, {"coefficients": pd.DataFrame(coefficients)}
