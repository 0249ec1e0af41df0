"""What tests of trainings share: memory kept for the gradient, and a training that is killed."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import torch
from torch import nn
from workflow_runner import REPOSITORY

from hcc_recurrence.networks import training


def kept_for_gradient(network: nn.Module, run: Callable[[], object]) -> int:
    """Bytes that autograd keeps of a forward pass, besides the network's own weights."""
    kept: dict[int, int] = {}
    own = {p.untyped_storage().data_ptr() for p in network.parameters()}

    def pack(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        result = run()
    # The result holds the graph until it is counted.
    del result
    return sum(kept.values())


def declared_bytes(name: str) -> int:
    """A constant of the rules or of a method that memory is asked by."""
    files = [*(REPOSITORY / "workflow/rules").rglob("*.smk"), *(REPOSITORY / "workflow/scripts").rglob("cost.py")]
    text = "\n".join(file.read_text() for file in files)
    (number,) = re.findall(rf"^{name} = (\d+)$", text, re.MULTILINE)
    return int(number)


def killed_after_two_epochs(monkeypatch, run: Callable[[], object]) -> None:
    """Start a training and interrupt it as soon as its second epoch is kept."""
    written = training._write_state

    def killed(path, kept):
        written(path, kept)
        if kept["history"].count("epoch") == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(training, "_write_state", killed)
    monkeypatch.setattr(training, "KEEPING_FRACTION", float("inf"))
    with pytest.raises(KeyboardInterrupt):
        run()
    monkeypatch.undo()
