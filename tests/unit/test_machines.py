"""What networks were trained on: beside each, in one table, and what the report warns of."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from workflow_runner import REPOSITORY

from hcc_recurrence.machines import kinds_table, kinds_warning, machines_table
from hcc_recurrence.networks import machine
from hcc_recurrence.networks.machine import describe_machine, of_training, write_machine

KERNELS = {"ATen": "AVX2", "oneDNN": "AVX2", "MKL": "COMPATIBLE", "OpenBLAS": "Haswell", "numpy": "X86_V3"}
FACTS = {
    "numerics": "portable",
    "processor": "AMD EPYC",
    "system": "Linux x86_64 glibc 2.36",
    "gpu": "",
    "kernels": KERNELS,
    "versions": {"torch": "2.13.0+cpu", "numpy": "2.4.6"},
}


@pytest.fixture
def table(tmp_path):
    """The table of networks, each with what differs from FACTS."""

    def table(*others: dict):
        files = []
        for number, other in enumerate(others):
            file = tmp_path / f"{number}.machine.json"
            names = {"cohort": "demo", "paper": "p", "network": "R", "fit": f"strict.1.{number}"}
            write_machine(names, {**FACTS, **other}, file)
            files.append(file)
        return machines_table(files)

    return table


def test_networks_of_one_kind_are_one_line_and_no_warning(table):
    found = table({}, {}, {})
    assert list(found["kind"]) == [1, 1, 1] and list(found["kernels oneDNN"]) == ["AVX2"] * 3
    assert list(found["torch"]) == ["2.13.0+cpu"] * 3 and "versions" not in found
    assert kinds_table(found)["networks"].tolist() == [3] and kinds_warning(found) == ""


def test_networks_of_two_kinds_are_named_with_what_differs_and_what_to_do(table):
    wider = {"numerics": "native", "kernels": {**KERNELS, "ATen": "AVX512"}}
    found = table(wider, {}, {})
    # The commonest is the first.
    assert list(found["kind"]) == [2, 1, 1]
    said = kinds_warning(found)
    assert "2 kinds of machine" in said and "snakemake numerics" in said and "constraint" in said
    assert "2 on numerics: portable, kernels ATen: AVX2; 1 on numerics: native, kernels ATen: AVX512" in said
    assert "AMD EPYC" not in said, "what is the same is not repeated"
    assert "is meant to give the same" not in said


def test_another_processor_with_the_same_kernels_is_told_apart_until_it_is_shown_equal(table):
    said = kinds_warning(table({}, {"processor": "Intel Xeon Gold 6338"}))
    assert "portable is meant to give the same numbers" in said and "Intel Xeon Gold 6338" in said
    on_gpu = kinds_warning(table({}, {"gpu": "NVIDIA H100"}))
    assert "1 on gpu: none; 1 on gpu: NVIDIA H100" in on_gpu and "is meant" not in on_gpu


def test_the_table_that_was_written_warns_as_the_one_in_memory(table, tmp_path):
    from hcc_recurrence.files import read_csv, write_csv

    found = table({}, {"gpu": "NVIDIA H100"})
    write_csv(found, tmp_path / "networks.csv")
    assert kinds_warning(read_csv(tmp_path / "networks.csv")) == kinds_warning(found)


def test_the_report_warns_of_it_and_of_nothing_else(table):
    from hcc_recurrence.report.build import _of_machines

    (said,) = _of_machines({"machines": table({}, {"gpu": "NVIDIA H100"})})
    assert said.kind == "Kinds of machine" and "constraint" in said.text
    assert _of_machines({"machines": table({}, {})}) == _of_machines({}) == []


def test_what_is_written_is_what_the_libraries_say_of_themselves(monkeypatch):
    import scipy.linalg  # noqa: F401 - loads its OpenBLAS
    import torch

    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    monkeypatch.delenv("MKL_CBWR", raising=False)
    found = describe_machine("native", "cpu", "a processor")
    assert json.loads(json.dumps(found)) == found
    assert found["versions"]["numpy"] == np.__version__ and found["versions"]["torch"] == torch.__version__
    assert f"v{found['versions']['oneDNN']} " in torch.__config__.show()
    assert found["kernels"]["oneDNN"] == "AVX2" and found["kernels"]["MKL"] in (machine.OWN_CHOICE, "none")
    if "OPENBLAS_CORETYPE" in os.environ:
        assert found["kernels"]["OpenBLAS"].lower() == os.environ["OPENBLAS_CORETYPE"].lower()


def test_a_training_goes_on_with_the_same_kernels_alone():
    def mark(**other):
        return of_training("code", {**FACTS, **other})

    assert mark() == mark(processor="another") != of_training("other code", FACTS)
    assert mark() != mark(kernels={**KERNELS, "ATen": "AVX512"}) and mark() != mark(gpu="NVIDIA H100")


@pytest.mark.parametrize("before", ["", "import sklearn, scipy.linalg, pandas;", "import SimpleITK, statsmodels.api;"])
def test_what_a_machine_is_does_not_hang_on_what_else_a_job_imports(before):
    """Two OpenBLAS, numpy's and scipy's: a job that had not loaded the second named another machine."""
    ask = "from hcc_recurrence.networks.machine import describe_machine; import json"
    told = "print(json.dumps(describe_machine('portable', 'cpu', 'p')['versions']))"
    ran = subprocess.run(
        [sys.executable, "-c", f"{before}{ask}; {told}"],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY / "workflow/scripts")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert len(json.loads(ran.stdout)["OpenBLAS"].split()) == 2
