"""What every job begins with that trains networks on the patients of one fit, and what it leaves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pandas as pd
import torch
from torch import nn

from hcc_recurrence.cohort.fit import Fit
from hcc_recurrence.files import read_csv, write_csv
from hcc_recurrence.networks.fits import about_fit, fit_examples, run_fit
from hcc_recurrence.networks.machine import describe_machine, of_training, write_machine
from hcc_recurrence.networks.training import Examples, save_network
from hcc_recurrence.numerics import processor_facts


@dataclass(frozen=True)
class TrainingJob:
    """One fit on this machine.

    params: phases, training (settings), numerics, device, seed, code. output: paths of scores, history and machine.
    roles, examples: of `fit_examples`. machine: of `describe_machine`.
    """

    params: Any
    output: Any
    fit: Fit
    labels: pd.DataFrame
    split: pd.DataFrame
    roles: pd.Series
    examples: Examples
    machine: Mapping[str, Any]

    @classmethod
    def begin(cls, params: Any, asked: Any, output: Any, threads: int, fit: str) -> Self:
        """Hold torch to its threads and read what the fit takes.

        Args:
            params, output: as above. asked: paths of crops, labels and split. fit: its name.
        """
        torch.set_num_threads(threads)
        machine = describe_machine(params.numerics, params.device, processor_facts()[0])
        own, tables = Fit.parse(fit), (read_csv(asked.labels), read_csv(asked.split))
        inner = params.training["inner_fraction"]
        roles, examples = fit_examples(asked.crops, params.phases, *tables, own, inner, params.seed)
        return cls(params, output, own, *tables, roles, examples, machine)

    def train(
        self, make: Callable[[], nn.Module], examples: Examples, rows: pd.DataFrame, model: str, number: str = ""
    ) -> tuple[nn.Module, pd.DataFrame, pd.DataFrame]:
        """Train one network of the fit (`run_fit`), or go on where a killed job was.

        Args:
            model: what its scores and history are called. number: its ending where a job trains several.
        """
        scores, params = Path(self.output.scores), self.params
        state = scores.parent / "state" / scores.name.replace(".scores.csv", f"{number}.pt")
        version = of_training(params.code, self.machine)
        network, *tables = run_fit(
            make, examples, rows, params.training, self.fit, params.seed, state, version, params.device
        )
        return network, *(table.assign(model=model, fit=str(self.fit)) for table in tables)

    def keep(self, network: nn.Module, made: Mapping[str, Any], path: str, **about: Any) -> None:
        """Write the weights with what made them: the training's settings, `made`, and what else is said."""
        own = about_fit(self.roles, {**self.params.training, **made}, self.fit, self.params.seed)
        save_network(network, {**own, **about}, path)

    def write(self, names: Mapping[str, str], scores: pd.DataFrame, history: pd.DataFrame) -> None:
        """Write scores, history, and on what machine they came about; names: cohort, paper and network."""
        write_machine({**names, "fit": str(self.fit)}, self.machine, self.output.machine)
        write_csv(scores, self.output.scores)
        write_csv(history, self.output.history)
