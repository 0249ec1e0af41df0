"""What a method is to everything else: its models, and what was fitted, which is kept and applied to other patients."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

if TYPE_CHECKING:
    import pandas as pd

    from hcc_recurrence.problems import Problem

ROLES = ("main", "variant", "ablation", "comparator")
FAMILIES = ("clinical", "radiomics", "deep", "combined")
# What a method does with the networks of its settings: trains them, or takes features from them as they are.
TRAINED, FEATURES = "trained", "features"


@dataclass(frozen=True)
class ModelInfo:
    """What a model of a method is; nothing of this is read out of its name.

    role: `main` (what the paper is about: it stands in figures with room for few, and in the comparison), `variant`
    (another classifier or input), `ablation` (without a part), `comparator`. family: clinical, radiomics, deep or
    combined. published_name: the model's name in the paper, where the paper has it.
    """

    role: str
    family: str
    published_name: str = ""
    colour: str = ""

    def __post_init__(self) -> None:
        if self.role not in ROLES or self.family not in FAMILIES:
            raise ValueError(f"no model has the role {self.role!r} and the family {self.family!r}")


def of_module(module: str, function: str) -> Callable[..., Any]:
    """A function of a module that is imported when it is called: jobs read declarations, and none of their checks."""

    def called(*arguments: Any) -> Any:
        return getattr(import_module(module), function)(*arguments)

    return called


def no_problems(settings: Mapping[str, Any], full: Mapping[str, Any]) -> list[Problem]:
    """Nothing of the settings can be wrong that the shared checks would not find."""
    return []


def no_study_problems(
    study: Mapping[str, Any], settings: Mapping[str, Any], full: Mapping[str, Any]
) -> list[tuple[str, str]]:
    """The same of a study."""
    return []


@dataclass(frozen=True)
class Method:
    """What a method declares (`METHOD` in its `declare.py`), read by every job: that file imports nothing heavy.

    models: from the settings of a study to its models, in the order of tables. tables: names of the tables that each
    fit leaves; those in `shown` stand in `tables/` with all fits one below the other. file: of the method's folder,
    with `fit` and `read_data`; a small method has them in `declare` as well, and imports what is heavy inside of them.

    networks: TRAINED, FEATURES, or empty where the settings have none. needs_networks: a study cannot leave them out.
    problems: what is wrong with the settings of the preset, by them and the whole config. study_problems: what is wrong
    with an entry of `studies`, and what to do, by the entry, the settings and the config.
    checklist: file of the method's folder with `evidence(run)`: what reporting checklists say of it alone; or empty.
    needs: what a study must have for the method to be one, and why: `times` of the outcome, or clinical
    `variables`; a study without them is refused before the first job.
    """

    name: str
    models: Callable[[Mapping[str, Any]], dict[str, ModelInfo]]
    tables: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    file: str = "fit"
    networks: str = ""
    needs_networks: bool = False
    checklist: str = ""
    problems: Callable[[Mapping[str, Any], Mapping[str, Any]], list[Problem]] = no_problems
    study_problems: Callable[[Mapping[str, Any], Mapping[str, Any], Mapping[str, Any]], list[tuple[str, str]]] = (
        no_study_problems
    )
    needs: Mapping[str, str] = field(default_factory=dict)

    @property
    def module(self) -> str:
        """Where its `fit` and `read_data` are."""
        return f"hcc_recurrence.methods.{self.name}.{self.file}"

    @property
    def checklist_module(self) -> str:
        """Where its `evidence` is, or empty."""
        return f"hcc_recurrence.methods.{self.name}.{self.checklist}" if self.checklist else ""


def declared(name: str) -> Method:
    """What the method of that name declares.

    Raises: ModuleNotFoundError where there is none.
    """
    return import_module(f"hcc_recurrence.methods.{name}.declare").METHOD


class FittedMethod(ABC):
    """Everything that one fit of a method left: it predicts patients who were not there, and is kept in open formats.

    learned: the patients whose outcomes it has used, sorted.
    """

    method: ClassVar[str]
    learned: tuple[str, ...]

    @abstractmethod
    def predict(self, data: Any, patients: Sequence[str]) -> pd.DataFrame:
        """Probability of early recurrence: index patient_id in the given order, one column a model.

        Reads the inputs of these patients alone, and no outcome.
        """

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """What `save_state` writes; all that `predict` needs, and `learned`."""

    @classmethod
    @abstractmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """The model of a state.

        Raises: ModelFileError for an unknown key, or one that lacks.
        """

    def save(self, folder: Path) -> None:
        """Write the model into a folder of its own, with equal bytes for an equal model."""
        from hcc_recurrence.learning.model_files import save_state

        save_state(folder, self.method, self.state())

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The model of a folder.

        Raises: ModelFileError in words for a folder that is not as it was saved.
        """
        from hcc_recurrence.learning.model_files import load_state

        return cls.from_state(load_state(folder, cls.method))
