"""Training on a GPU: layout of the weights, bfloat16 where it is safe, the same numbers each time. Nothing on a CPU."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import nn


def put_on(network: nn.Module, device: str) -> None:
    """Move a network; on a GPU with its kernels' channels last, which tensor cores take, and deterministic algorithms.

    The few layers that have none (pooling of volumes, for one) warn once in the job's log.
    """
    if device == "cpu":
        return
    # cuBLAS reads it when it starts; without it matrix products differ from run to run.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.backends.cudnn.benchmark = False
    # Else cuDNN rounds the factors of single precision to ten bits where a network judges (TF32).
    torch.backends.cudnn.allow_tf32 = False
    network.to(device)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.to(memory_format=torch.channels_last)
        elif isinstance(module, nn.Conv3d):
            module.to(memory_format=torch.channels_last_3d)


def learning_precision(device: str) -> AbstractContextManager:
    """bfloat16 for products while a network learns on a GPU; float32 on a CPU and wherever it judges."""
    return nullcontext() if device == "cpu" else torch.autocast(torch.device(device).type, dtype=torch.bfloat16)
