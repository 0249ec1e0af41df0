"""The self-test of an exported model on another machine: other kernels of the libraries move its scores by rounding."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from made_bundle import UNET
from safetensors.torch import save_file
from workflow_runner import REPOSITORY

from hcc_recurrence import numerics
from hcc_recurrence.exported.bundle import REFERENCE, SCHEMA_VERSION
from hcc_recurrence.exported.reference import FEATURE_TOLERANCE, TOLERANCE, make_reference
from hcc_recurrence.methods.cui2022.deep import CuiEnsemble, FoldNetworks
from hcc_recurrence.methods.exporting import ImageInput, Reads
from hcc_recurrence.networks.cui3d import CuiNetwork
from hcc_recurrence.networks.unet import build_unet
from hcc_recurrence.numerics import NATIVE, NETWORK_KERNELS, PORTABLE, kernels

SHAPE = (2, 10, 10)
# A method of networks, and a segmentation network beside it, as the bundle of Wang 2022 has one.
ABOUT = {
    "schema_version": SCHEMA_VERSION,
    "name": "cui2022.mine",
    "method": "cui2022",
    "phases": ["portal"],
    "config": {"unets": {"u": UNET}},
}
# Raises where a score is beyond the tolerance. Also prints scores, and the instructions that the networks took.
CHECK = """
import json, pathlib, sys
import torch
from hcc_recurrence.exported.bundle import Bundle
from hcc_recurrence.exported.reference import scores_of
torch.set_num_threads(1)
bundle = Bundle(pathlib.Path(sys.argv[1]), json.loads(sys.argv[2]), {})
worst = bundle.check_reference()
own = scores_of(bundle.method, bundle.parts(), bundle.reference().rows())
print(json.dumps([torch.backends.cpu.get_cpu_capability(), worst, own]))
"""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """Of networks as they are drawn, one a fold, whose scores nothing has rounded to 0 or 1."""
    folder = tmp_path_factory.mktemp("bundle")
    torch.manual_seed(4)
    folds = {f"strict.1.{fold}": CuiNetwork(1, SHAPE).eval() for fold in (1, 2)}
    parts = {"models": CuiEnsemble((), ("portal",), {"NSS": FoldNetworks("box", {}, SHAPE, folds)})}
    parts["models"].save(folder / "model/models")
    (folder / "weights").mkdir()
    save_file(build_unet(UNET["channels"]).state_dict(), folder / "weights/u.portal.safetensors")
    reads = Reads(images=(ImageInput("NSS", "box", (1, *SHAPE), 1.0),))
    reference = make_reference(ABOUT, parts, reads, {"inputs": []}, folder / "weights", 1)
    (folder / "reference").mkdir()
    reference.write(folder / REFERENCE)
    return folder


def started(bundle, setting):
    given = {name: value for name, value in os.environ.items() if name not in NETWORK_KERNELS}
    environment = {**given, **kernels(setting), "PYTHONPATH": str(REPOSITORY / "workflow/scripts")}
    command = [sys.executable, "-c", CHECK, str(bundle), json.dumps(ABOUT)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.skipif(not numerics.has_portable_kernels(), reason="a processor with AVX2")
def test_the_self_test_passes_under_both_sets_of_kernels(bundle):
    stored = json.loads((bundle / REFERENCE).read_text())
    # Not a test of nothing: scores lie between 0 and 1, patients differ, and the segmentation network makes features.
    scores = np.array(stored["scores"]["NSS"])
    assert np.all((scores > 0.01) & (scores < 0.99)) and len(set(scores)) == 3
    assert np.abs(stored["extracted"]["u.portal"]).max() > 0
    assert (stored["tolerance"], stored["feature_tolerance"]) == (TOLERANCE, FEATURE_TOLERANCE) == (1e-5, 1e-5)
    found = {}
    for setting, job in [(setting, started(bundle, setting)) for setting in (PORTABLE, NATIVE)]:
        out, err = job.communicate(timeout=120)
        assert job.returncode == 0, err
        found[setting] = json.loads(out)
    assert found[PORTABLE][0] == "AVX2"
    if "avx512f" in numerics.processor_facts()[1]:
        assert found[NATIVE][0] == "AVX512"
    for _, worst, own in found.values():
        assert worst == np.max(np.abs(np.array(own["NSS"]) - scores)) <= TOLERANCE
