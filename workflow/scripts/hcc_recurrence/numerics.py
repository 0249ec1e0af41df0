"""Which machine code of its libraries a run uses, so that another processor can give the same numbers.

Numerical libraries look at the processor when they are loaded and take the fastest of their kernels: AVX-512 on one
node, AVX2 on another. Kernels add in another order, and training a network amplifies the rounding until a patient's
probability moves by a tenth or more. What fixes the kernels are variables of the environment, read when a library is
loaded: they are set before the first job starts, where the number of threads is.

Only the standard library: every job imports this, before any numerical library.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NoReturn

PORTABLE, NATIVE = "portable", "native"
# What each library promises: docs/numerics.md. Tables (selection, regressions, scores) take these in every run: their
# arithmetic is so short that wider kernels save nothing.
TABLE_KERNELS = {
    # Of the first processors with AVX2. Newer OpenBLAS also cuts matrices by the size of the L2 cache that it finds.
    "OPENBLAS_CORETYPE": "Haswell",
    "OPENBLAS_L2_SIZE": "256",
    # exp, log and power of AVX-512 differ from those of AVX2 in the last digit. A test holds the names against numpy.
    "NPY_DISABLE_CPU_FEATURES": "X86_V4,AVX512_ICL,AVX512_SPR",
}
# What networks take besides.
NETWORK_KERNELS = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "ONEDNN_DEFAULT_FPMATH_MODE": "STRICT",
    # AVX2 by name is heeded on Intel's own processors alone; this is the only branch for all.
    "MKL_CBWR": "COMPATIBLE",
}
# Kernels of processors without AVX, which every x86-64 processor has: what `snakemake numerics` compares with.
OTHER_KERNELS = {
    "OPENBLAS_CORETYPE": "Nehalem",
    "OPENBLAS_L2_SIZE": "256",
    "NPY_DISABLE_CPU_FEATURES": "X86_V3,X86_V4,AVX512_ICL,AVX512_SPR",
    "ATEN_CPU_CAPABILITY": "default",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "ONEDNN_DEFAULT_FPMATH_MODE": "STRICT",
    "MKL_CBWR": "COMPATIBLE",
}
OTHER = "other"
KERNEL_WORDS = {
    PORTABLE: "AVX2 (ATen, oneDNN, OpenBLAS), SSE2 (MKL)",
    NATIVE: "the widest of the processor",
    OTHER: "SSE4 and older (ATen, oneDNN, OpenBLAS, numpy), SSE2 (MKL)",
}
# What the kernels above need: x86-64-v3 without what no library asks for. Names of /proc/cpuinfo; `abm` is LZCNT.
NEEDED_FLAGS = {"avx", "avx2", "fma", "f16c", "bmi1", "bmi2", "movbe", "abm"}
NOT_PORTABLE = (
    "numerics: portable needs a processor with AVX2 and FMA (x86-64-v3), on Linux. This one has kernels of its own: "
    "networks that it trains are not those of another machine. results/machines/networks.csv says which came from where"
)
# Values of this process before they were set, so that a later run in it starts from them again.
_before: dict[str, str | None] = {}


@cache
def processor_facts(file: str = "/proc/cpuinfo") -> tuple[str, frozenset[str]]:
    """Name and instruction sets of the processor as Linux names them; no instruction set where it does not say."""
    name, flags = platform.processor() or platform.machine(), frozenset()
    try:
        lines = Path(file).read_text().splitlines()
    except OSError:
        return name, flags
    for line in lines:
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            name = value.strip()
        elif key.strip() == "flags":
            return name, frozenset(value.split())
    return name, flags


def has_portable_kernels() -> bool:
    """Whether this processor has the kernels that `portable` asks for. They crash one that has not."""
    return processor_facts()[1] >= NEEDED_FLAGS


def kernels(numerics: str) -> dict[str, str]:
    """The variables of the environment for a setting of `numerics`; none where the processor lacks these kernels."""
    if not has_portable_kernels():
        return {}
    return {**TABLE_KERNELS, **(NETWORK_KERNELS if numerics == PORTABLE else {})}


def kernel_words(numerics: str) -> str:
    """The kernels of networks for a setting of `numerics`, in words."""
    return KERNEL_WORDS[numerics if has_portable_kernels() else NATIVE]


def use_kernels(numerics: str) -> list[str]:
    """Set the kernels of this process and of all jobs that it starts; returns what to warn of.

    Variables that a person has set stay with `native`, except those of tables.
    """
    for name, value in _before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    _before.clear()
    wanted = kernels(numerics)
    _before.update({name: os.environ.get(name) for name in wanted})
    os.environ.update(wanted)
    return [NOT_PORTABLE] if numerics == PORTABLE and not wanted else []


def restart_with(wanted: Mapping[str, str]) -> None:
    """Start this script anew with variables of the environment, unless it has them: libraries may be loaded already.

    Nothing of what the script has done before is kept, so it is called first.
    """
    if any(os.environ.get(name) != value for name, value in wanted.items()):
        _replace_process({**os.environ, **wanted})


def _replace_process(environment: Mapping[str, str]) -> NoReturn:
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(sys.executable, [sys.executable, *sys.argv], dict(environment))
