"""Which kernels a run gives its jobs, that libraries take them, and what a processor without them is given."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from workflow_runner import REPOSITORY

from hcc_recurrence import numerics
from hcc_recurrence.numerics import NATIVE, OTHER_KERNELS, PORTABLE, TABLE_KERNELS, kernels, use_kernels

# What each library says of itself when it is loaded, by threadpoolctl for OpenBLAS.
ASK = """
import json, numpy, scipy.linalg, torch, threadpoolctl
from numpy._core._multiarray_umath import __cpu_features__ as numpy_has
found = threadpoolctl.threadpool_info()
blas = sorted({one["architecture"] for one in found if one["user_api"] == "blas" and "architecture" in one})
print(json.dumps([torch.backends.cpu.get_cpu_capability(), blas, numpy_has["X86_V4"], numpy_has["X86_V3"]]))
"""
needs_avx2 = pytest.mark.skipif(not numerics.has_portable_kernels(), reason="a processor with AVX2")


@pytest.fixture(autouse=True)
def own_environment(monkeypatch):
    """What a test sets is taken back."""
    for name in {*OTHER_KERNELS, *numerics.NETWORK_KERNELS}:
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setattr(numerics, "_before", {})


def loaded(environment):
    done = subprocess.run(
        [sys.executable, "-c", ASK], env={**os.environ, **environment}, capture_output=True, text=True, check=True
    )
    # A name that a library does not know is one that it would warn of.
    assert "disable CPU features" not in done.stderr
    return json.loads(done.stdout)


@needs_avx2
def test_libraries_take_the_kernels_that_they_are_given():
    assert loaded(kernels(PORTABLE)) == ["AVX2", ["Haswell"], False, True]
    assert loaded(OTHER_KERNELS) == ["DEFAULT", ["Nehalem"], False, False]


def test_numpy_has_no_wider_kernels_than_those_that_are_named():
    from numpy._core._multiarray_umath import __cpu_baseline__, __cpu_dispatch__

    named = set(TABLE_KERNELS["NPY_DISABLE_CPU_FEATURES"].split(","))
    assert set(__cpu_dispatch__) - {"X86_V3"} == named and __cpu_baseline__ == ["X86_V2"]


@needs_avx2
def test_a_run_after_another_in_one_process_has_its_own_kernels(monkeypatch):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Zen")
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX512_CORE")
    assert use_kernels(PORTABLE) == []
    assert (os.environ["OPENBLAS_CORETYPE"], os.environ["ONEDNN_MAX_CPU_ISA"]) == ("Haswell", "AVX2")
    # Of networks a person's own; of tables those of every run.
    assert use_kernels(NATIVE) == []
    assert (os.environ["OPENBLAS_CORETYPE"], os.environ["ONEDNN_MAX_CPU_ISA"]) == ("Haswell", "AVX512_CORE")
    assert "ATEN_CPU_CAPABILITY" not in os.environ


def test_a_processor_without_these_instructions_is_given_none_and_the_run_says_so(monkeypatch, tmp_path):
    old = tmp_path / "cpuinfo"
    old.write_text("processor\t: 0\nmodel name\t: Xeon E5-2680\nflags\t\t: fpu sse sse2 avx\n")
    assert numerics.processor_facts(str(old)) == ("Xeon E5-2680", {"fpu", "sse", "sse2", "avx"})
    monkeypatch.setattr(numerics, "processor_facts", lambda: ("Xeon E5-2680", frozenset({"avx", "sse2"})))
    assert kernels(PORTABLE) == kernels(NATIVE) == {}
    (said,) = use_kernels(PORTABLE)
    assert "needs a processor with AVX2" in said and "OPENBLAS_CORETYPE" not in os.environ
    assert use_kernels(NATIVE) == []


def test_a_processor_that_says_nothing_has_no_portable_kernels(tmp_path):
    assert numerics.processor_facts(str(tmp_path / "none"))[1] == frozenset()


def test_a_script_starts_anew_with_the_kernels_that_it_wants(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        f"import os, sys\nsys.path.insert(0, {str(REPOSITORY / 'workflow/scripts')!r})\n"
        "print('begun', flush=True)\n"
        "from hcc_recurrence.numerics import restart_with\nrestart_with({'ATEN_CPU_CAPABILITY': 'default'})\n"
        "print(os.environ['ATEN_CPU_CAPABILITY'])\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["begun", "begun", "default"]
