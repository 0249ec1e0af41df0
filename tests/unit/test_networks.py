"""Architectures against the published sizes (docs/methods.md 8, items 1, 3, 4, 5, 6)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from precision import assert_same_rounding

from hcc_recurrence.imaging.crops import scale_window, window_bounds
from hcc_recurrence.learning.multi_instance import BagFeatures, probability_histogram
from hcc_recurrence.networks.augmentation import seven_versions, shift_in_plane
from hcc_recurrence.networks.cui3d import Cui3D, same_padding
from hcc_recurrence.networks.resnet import ResNet, parameter_count
from hcc_recurrence.networks.vgg import TAP_WIDTHS, Vgg19Features

REFERENCES = Path(__file__).parents[1] / "references"


@pytest.fixture(scope="module")
def cui():
    torch.manual_seed(0)
    return Cui3D().eval()


def test_cui_has_the_published_parameters_layer_by_layer(cui):
    counts = {n: parameter_count(m) for n, m in cui.convolutions.items()}
    assert counts == {
        "conv1": 896,
        "conv2": 55_360,
        "conv3": 221_312,
        "conv4": 442_496,
        "conv5": 590_080,
        "conv6": 1_179_904,
    }
    dense = [parameter_count(m) for m in cui.dense if isinstance(m, torch.nn.Linear)]
    assert dense == [13_107_712, 131_328, 32_896, 258] and parameter_count(cui) == 15_762_242


def test_cui_has_the_published_shapes(cui):
    with torch.no_grad():
        found = {n: (*m.shape[2:], m.shape[1]) for n, m in cui.maps(torch.zeros(1, 1, 10, 150, 150)).items()}
        assert cui(torch.zeros(2, 1, 10, 150, 150)).shape == (2, 2)
    assert found == {
        "conv1": (10, 150, 150, 32),
        "pool1": (5, 75, 75, 32),
        "conv2": (5, 75, 75, 64),
        "pool2": (3, 38, 38, 64),
        "conv3": (3, 38, 38, 128),
        "conv4": (3, 38, 38, 128),
        "pool3": (2, 19, 19, 128),
        "conv5": (2, 19, 19, 256),
        "conv6": (2, 19, 19, 256),
        "pool4": (1, 10, 10, 256),
    }


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "expected"),
    [
        (10, 3, 2, (0, 1)),
        (150, 3, 2, (0, 1)),
        (5, 3, 2, (1, 1)),
        (75, 3, 2, (1, 1)),
        (3, 3, 2, (1, 1)),
        (38, 3, 2, (0, 1)),
        (2, 2, 2, (0, 0)),
        (19, 3, 2, (1, 1)),
        (10, 3, 1, (1, 1)),
        (2, 2, 1, (0, 1)),
    ],
)
def test_same_padding_is_the_one_of_methods(size, kernel, stride, expected):
    assert same_padding(size, kernel, stride) == expected


def test_cui_equals_keras_with_the_same_weights():
    """References computed once with TensorFlow (tests/references/make_keras.py) on a small input."""
    stored = np.load(REFERENCES / "keras_cui.npz")
    network = Cui3D(tuple(stored["shape"])).eval()
    with torch.no_grad():
        for name, module in network.convolutions.items():
            module.weight.copy_(torch.from_numpy(weights(name, tuple(module.weight.shape))))
            module.bias.copy_(torch.from_numpy(weights(f"{name} bias", tuple(module.bias.shape))))
        maps = network.maps(torch.from_numpy(stored["input"])[None, None])
    for name in ("pool1", "pool2", "pool3", "pool4"):
        ours = maps[name][0].permute(1, 2, 3, 0).numpy()
        assert_same_rounding(ours, stored[name])


def weights(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Reproducible weights from a name: the same in this test and in tests/references/make_keras.py."""
    generator = np.random.default_rng([ord(c) for c in name])
    scale = 1 / np.sqrt(np.prod(shape[1:])) if len(shape) > 1 else 0.1
    return (generator.normal(size=shape) * scale).astype(np.float32)


def test_seven_versions_of_a_training_patient():
    volume = np.arange(2 * 5 * 5, dtype=float).reshape(2, 5, 5) + 1
    versions = seven_versions(volume, 2, np.random.default_rng(3))
    assert len(versions) == 7 and 178 * len(versions) == 1246
    assert all(v.shape == volume.shape for v in versions)
    assert (versions[1] == volume[:, ::-1]).all() and (versions[5] == volume[:, ::-1, ::-1]).all()
    moved = shift_in_plane(volume, (1, -2))
    assert (
        (moved[:, 1:, :-2] == volume[:, :-1, 2:]).all() and (moved[:, 0] == 0).all() and (moved[:, :, -2:] == 0).all()
    )


@pytest.mark.parametrize(
    ("name", "parameters", "width"),
    [("resnet10_trunc", 683_330, 128), ("resnet10_std", 4_906_818, 512), ("resnet18", 11_177_538, 512)],
)
def test_resnets_have_their_parameters(name, parameters, width):
    """docs/methods.md 4.4; ResNet-18: torchvision's 11,689,512 less 513,000 for 1000 classes, plus 1,026 for two."""
    network = ResNet(name)
    assert parameter_count(network) == parameters and network.width == width
    weights = [m for m in network.modules() if isinstance(m, torch.nn.Conv2d | torch.nn.Linear)]
    shortcuts = [m for n, m in network.named_modules() if "downsample.0" in n]
    assert len(weights) - len(shortcuts) == {"resnet10_trunc": 10, "resnet10_std": 10, "resnet18": 18}[name]


def test_resnet_maps_at_256_pixels():
    with torch.no_grad():
        network = ResNet("resnet10_trunc", classes=0).eval()
        x = torch.zeros(1, 3, 256, 256)
        assert network.maps(x).shape == (1, 128, 32, 32) and network(x).shape == (1, 128)


def test_vgg19_taps_sum_to_1472_features():
    assert sum(TAP_WIDTHS) == 1472
    network = Vgg19Features().eval()
    convolutions = [m for m in network.features if isinstance(m, torch.nn.Conv2d)]
    assert len(convolutions) == 16 and len([m for m in network.features if isinstance(m, torch.nn.MaxPool2d)]) == 5
    # torchvision's numbering: the last convolution is features.34, 20,024,384 values without the classifier.
    assert "features.34.weight" in network.state_dict() and parameter_count(network) == 20_024_384
    with torch.no_grad():
        assert network(torch.rand(1, 3, 64, 64)).shape == (1, 1472)


def test_windows_of_the_papers():
    """Wang: AP level 70, width 150; PP level 100, width 200. Zhang: level 50, width 250."""
    assert window_bounds(70, 150) == (-5, 145) and window_bounds(100, 200) == (0, 200)
    assert window_bounds(50, 250) == (-75, 175)
    assert scale_window(np.array([-200, -75, 50, 175, 400]), window_bounds(50, 250)).tolist() == [0, 0, 0.5, 1, 1]


def test_the_toy_bag():
    """Probabilities .12, .12, .87: two thirds at .12, one third at .87 (docs/methods.md 8, item 6)."""
    found = probability_histogram([0.12, 0.12, 0.87])
    assert found.shape == (101,) and found[12] == pytest.approx(2 / 3) and found[87] == pytest.approx(1 / 3)
    assert found.sum() == pytest.approx(1) and probability_histogram([1.0, 0.0])[[0, 100]].tolist() == [0.5, 0.5]


def test_words_are_learned_from_training_patients_only():
    training = {"a": [0.12, 0.12, 0.87], "b": [0.12, 0.50, 0.50]}
    words = ["prob_012", "prob_050", "prob_087"]
    fitted = BagFeatures(training, 2)
    assert fitted.words == [*words, "pred_0", "pred_1"]

    def bag(patients):
        return fitted(dict(enumerate(patients)))[[f"BoW_{word}" for word in words]].to_numpy()

    before = bag(list(training.values()))
    # smooth idf: ln((1 + 2) / (1 + df)) + 1; a: tf 2 and 1, then L2.
    raw = np.array([2 * 1.0, 0.0, np.log(3 / 2) + 1])
    assert before[0] == pytest.approx(raw / np.linalg.norm(raw))
    # A validation patient with a new word changes nothing, and its word counts for nothing.
    assert bag([[0.33, 0.33, 0.12]])[0].tolist() == [1.0, 0.0, 0.0]
    kept = BagFeatures.from_state(fitted.state())
    assert kept(training).equals(fitted(training)) and kept.words == fitted.words
