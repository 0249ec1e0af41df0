"""What a network was trained on: processor, kernels in use, builds of the libraries, GPU. Kept beside the network."""

from __future__ import annotations

import json
import os
import platform
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

# Loaded for the list below: which libraries a process has loaded must not depend on what else a job imports, or two
# networks of one machine would look like those of two.
import scipy.linalg  # noqa: F401
import torch
from threadpoolctl import threadpool_info

# What a library does where no variable of the environment holds it to a kernel.
OWN_CHOICE = "its own choice"
NVIDIA_DRIVER = "/proc/driver/nvidia/version"


def describe_machine(numerics: str, device: str, processor: str) -> dict[str, Any]:
    """What decides the last digits of a training, as builtin values.

    Args:
        numerics: setting of the run. device: cpu or cuda. processor: its name.

    Returns: numerics, processor, system (with its C library), gpu ("" on a processor), kernels (library -> instruction
        set in use), versions (library -> build).
    """
    built = torch.__config__.show()
    blas = sorted(
        {
            (one["architecture"], one["version"])
            for one in threadpool_info()
            if one["user_api"] == "blas" and "architecture" in one
        }
    )
    return {
        "numerics": numerics,
        "processor": processor,
        "system": " ".join([platform.system(), platform.machine(), *platform.libc_ver()]).strip(),
        "gpu": _gpu() if device == "cuda" else "",
        "kernels": {
            "ATen": torch.backends.cpu.get_cpu_capability(),
            "oneDNN": os.environ.get("ONEDNN_MAX_CPU_ISA", OWN_CHOICE),
            "MKL": os.environ.get("MKL_CBWR", OWN_CHOICE) if torch.backends.mkl.is_available() else "none",
            "OpenBLAS": " ".join(sorted({core for core, _ in blas})) or "none",
            "numpy": _numpy_kernels(),
        },
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "oneDNN": _found(r"MKL-DNN v(\S+)|oneDNN v(\S+)", built),
            "MKL": _found(r"Math Kernel Library Version (\S+)", built),
            "numpy": np.__version__,
            "OpenBLAS": " ".join(sorted({version for _, version in blas})) or "none",
        },
    }


def of_training(code: str, machine: Mapping[str, Any]) -> str:
    """What a training that was interrupted must share with the one that goes on with it: code, kernels, builds, GPU.

    Two kinds of machine in one training would be a third, which nothing makes again.
    """
    return json.dumps([code, machine["kernels"], machine["versions"], machine["gpu"]], sort_keys=True)


def write_machine(about: Mapping[str, Any], machine: Mapping[str, Any], path: str | Path) -> None:
    """Keep it beside a network. `about`: which network it is: cohort, paper, network, fit."""
    Path(path).write_text(json.dumps({**about, **machine}, indent=1, sort_keys=True) + "\n")


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    return next((part for part in match.groups() if part), "none") if match else "none"


def _numpy_kernels() -> str:
    """The widest group of instructions that numpy uses, of those that it was built for."""
    from numpy._core import _multiarray_umath as inside

    used = [name for name in inside.__cpu_dispatch__ if inside.__cpu_features__.get(name)]
    return used[-1] if used else " ".join(inside.__cpu_baseline__)


def _gpu() -> str:
    """Name of the GPU, and CUDA, cuDNN and the driver."""
    driver = Path(NVIDIA_DRIVER)
    number = _found(r"Kernel Module\s+(?:for \S+\s+)?(\S+)", driver.read_text()) if driver.is_file() else "unknown"
    parts = (f"CUDA {torch.version.cuda}", f"cuDNN {torch.backends.cudnn.version()}", f"driver {number}")
    return ", ".join([torch.cuda.get_device_name(), *parts])
