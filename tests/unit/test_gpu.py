"""What a GPU must keep: the same bytes each time, also after an interruption. Skipped where there is none."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

from hcc_recurrence.networks import training
from hcc_recurrence.networks.build import build_network, takes_images_alone
from hcc_recurrence.networks.device import put_on
from hcc_recurrence.networks.examples import FITTED, INNER
from hcc_recurrence.networks.machine import describe_machine
from hcc_recurrence.networks.segmentation import train_segmentation
from hcc_recurrence.networks.training import Examples, probabilities, train
from hcc_recurrence.networks.unet import build_unet

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")

# Architecture, phases, size of an example, augmentation.
NETWORKS = {
    "resnet10_trunc": (3, (3, 64, 64), {"rotation_deg": 15, "scale": 0.1, "shift": 0.1}),
    "resnet18": (3, (3, 64, 64), {}),
    "resnet50": (3, (1, 64, 64), {"crop": 0.875}),
    "densenet121": (3, (1, 64, 64), {"crop": 0.875}),
    "vgg19": (3, (1, 64, 64), {}),
    "cui3d": (1, (10, 40, 40), {}),
    "resnet18_3d": (3, (32, 32, 32), {}),
    "densenet121_3d": (3, (32, 32, 32), {"rotation_deg": 15, "scale": 0.1, "shift": 0.1}),
}
SETTINGS = {
    **{"optimiser": "sgd", "learning_rate": 1e-3, "momentum": 0.9, "weight_decay": 1e-4, "epochs": 4},
    **{"batch": 8, "patience": 9, "class_weights": True},
}
ROLES = np.array([FITTED] * 24 + [INNER] * 8)


def made(name: str) -> tuple[torch.nn.Module, Examples, dict]:
    """A network with weights of its own seed, examples, and settings."""
    phases, size, augmentation = NETWORKS[name]
    torch.manual_seed(0)
    network = build_network({"architecture": name, "weights": ""}, phases, size, takes_images_alone(name))
    images = np.random.default_rng(1).random((len(ROLES), phases, *size), np.float32)
    examples = Examples.of(images, np.empty((len(ROLES), 0)), np.arange(len(ROLES)) % 2, ROLES)
    return network, examples, {**SETTINGS, "augmentation": augmentation}


def scored(name: str, device: str, **options) -> tuple[list[dict], np.ndarray]:
    """History and scores of a training."""
    network, examples, settings = made(name)
    history = train(network, examples, settings, 1, device=device, **options)
    assert {value.device.type for value in network.state_dict().values()} == {"cpu"}
    return history, probabilities(network, examples)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_training_gives_the_same_bytes_twice_and_after_an_interruption(name, tmp_path, monkeypatch):
    """Also for layers of which torch says that they have no deterministic kernel."""
    history, scores = scored(name, "cuda")
    again, scores_again = scored(name, "cuda")
    assert history == again
    assert scores.tobytes() == scores_again.tobytes()

    state, whole = tmp_path / "state.pt", training._write_state

    def stop_after_two(path, kept):
        whole(path, kept)
        if len(training.json.loads(kept["history"])) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(training, "_write_state", stop_after_two)
    monkeypatch.setattr(training, "KEEPING_FRACTION", 1e9)
    with pytest.raises(KeyboardInterrupt):
        scored(name, "cuda", state=state)
    monkeypatch.setattr(training, "_write_state", whole)
    resumed, scores_resumed = scored(name, "cuda", state=state)
    assert resumed == history
    assert scores_resumed.tobytes() == scores.tobytes()


@pytest.mark.parametrize("name", NETWORKS)
def test_the_first_epoch_is_nearly_that_of_a_processor(name):
    """bfloat16 rounds products to three digits."""
    exact, rounded = (scored(name, device)[0][0]["fitted_loss"] for device in ("cpu", "cuda"))
    assert exact != rounded, "bfloat16 was not used"
    assert rounded == pytest.approx(exact, rel=0.05)


@pytest.mark.parametrize("name", NETWORKS)
def test_it_judges_in_single_precision(name):
    """What chooses an epoch is the same on a processor but for the last bits: no TF32, whose products have ten bits."""
    network, examples, _ = made(name)
    network.eval()
    with torch.no_grad():
        exact = network(examples.images, examples.variables).double()
        put_on(network, "cuda")
        found = network(examples.images.cuda(), examples.variables.cuda()).cpu().double()
    assert float((found - exact).norm() / exact.norm()) < 2e-5


def test_a_segmentation_gives_the_same_bytes_twice():
    generator = np.random.default_rng(0)
    planes = generator.random((24, 64, 64)).astype(np.float32)
    masks = (planes > 0.8).astype(np.uint8)
    settings = {**SETTINGS, "optimiser": "adam", "batch": 4, "augmentation": {"rotation_deg": 15, "scale": 0.1}}
    found = []
    for _ in range(2):
        torch.manual_seed(0)
        network = build_unet([8, 16, 32, 64, 128])
        history = train_segmentation(
            network, (planes[:16], masks[:16]), [(planes[16:], masks[16:])], settings, 1, device="cuda"
        )
        weights = b"".join(value.numpy().tobytes() for value in network.state_dict().values())
        found.append((history, weights))
    assert found[0] == found[1]


def test_only_the_last_pool_of_vgg19_has_no_deterministic_kernel():
    """torch says so of it; at the published size it leaves its 7 x 7 pixels as they are, and bytes are equal above."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for name in NETWORKS:
            scored(name, "cuda")
    named = {str(one.message).split(" does not have")[0] for one in caught if "does not have" in str(one.message)}
    assert named <= {"adaptive_avg_pool2d_backward_cuda"}


def test_the_machine_file_names_the_gpu():
    gpu = describe_machine("native", "cuda", "some processor")["gpu"]
    assert torch.cuda.get_device_name() in gpu and "CUDA" in gpu and "cuDNN" in gpu
