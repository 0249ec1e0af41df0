"""VGG19's 1472 features against an implementation of its own, and files of weights in both formats."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
import torch
import yaml
from precision import assert_same_rounding
from safetensors.torch import save_file

from hcc_recurrence.networks.features import extract_features, feature_network, network_input
from hcc_recurrence.networks.vgg import TAP_WIDTHS, Vgg19Features, feature_names
from hcc_recurrence.networks.weights import fetch_weights, file_sha256, gather_weights, read_weights

# Simonyan and Zisserman 2015, Table 1, column E: channels of each convolution, M for pooling.
COLUMN_E = [64, 64, "M", 128, 128, "M", 256, 256, 256, 256, "M", 512, 512, 512, 512, "M", 512, 512, 512, 512, "M"]


def random_state(seed=11):
    """A state dict as torchvision's vgg19() has it: features.<layer>.weight and .bias, classifier.<layer>.*."""
    generator = torch.Generator().manual_seed(seed)
    state, layer, inside = {}, 0, 3
    for item in COLUMN_E:
        if item == "M":
            layer += 1
            continue
        spread = (2 / (9 * inside)) ** 0.5
        state[f"features.{layer}.weight"] = spread * torch.randn(item, inside, 3, 3, generator=generator)
        state[f"features.{layer}.bias"] = 0.1 * torch.randn(item, generator=generator)
        layer, inside = layer + 2, item
    state["classifier.0.weight"] = torch.zeros(2, 3)
    return state


def own_vgg19(image, state, pool="mean", tap="relu"):
    """The same network in numpy, in double precision: (3, y, x) to (1472,)."""
    x, found, layer = image.astype(np.float64), [], 0
    for index, item in enumerate(COLUMN_E):
        if item == "M":
            x = x[:, : x.shape[1] // 2 * 2, : x.shape[2] // 2 * 2]
            x = x.reshape(len(x), x.shape[1] // 2, 2, x.shape[2] // 2, 2).max(axis=(2, 4))
            if tap == "after_pool":
                found.append(x)
            layer += 1
            continue
        weight = state[f"features.{layer}.weight"].double().numpy()
        padded = np.pad(x, ((0, 0), (1, 1), (1, 1)))
        y = np.zeros((item, *x.shape[1:]))
        for dy in range(3):
            for dx in range(3):
                y += np.tensordot(weight[:, :, dy, dx], padded[:, dy : dy + x.shape[1], dx : dx + x.shape[2]], 1)
        x = np.maximum(y + state[f"features.{layer}.bias"].double().numpy()[:, None, None], 0)
        if tap == "relu" and COLUMN_E[index + 1] == "M":
            found.append(x)
        layer += 2
    return np.concatenate([f.mean(axis=(1, 2)) if pool == "mean" else f.max(axis=(1, 2)) for f in found])


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """One set of weights in torchvision's and in safetensors' format."""
    folder, state = tmp_path_factory.mktemp("weights"), random_state()
    torch.save(state, folder / "vgg19.pth")
    save_file(state, folder / "vgg19.safetensors")
    return folder, state


@pytest.mark.parametrize("file", ["vgg19.pth", "vgg19.safetensors"])
@pytest.mark.parametrize(("pool", "tap"), [("mean", "relu"), ("max", "after_pool")])
def test_features_equal_an_independent_vgg19_with_the_same_weights(weights, file, pool, tap):
    folder, state = weights
    images = np.random.default_rng(0).uniform(0, 255, (2, 48, 48)).astype(np.float32)
    found = extract_features(feature_network(folder / file, 1, pool, tap), images, ["A", "B"], 255.0)
    assert found.shape == (2, 1472) and list(found.index) == ["A", "B"]
    mean, deviation = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    for row, image in enumerate(images):
        colours = (np.repeat(image[None] / 255.0, 3, axis=0) - mean[:, None, None]) / deviation[:, None, None]
        expected = own_vgg19(colours, state, pool, tap)
        assert_same_rounding(found.iloc[row], expected)
    assert found.to_numpy().std() > 0.01


def test_features_are_named_by_block_and_channel():
    names = feature_names()
    assert len(names) == len(set(names)) == 1472 == sum(TAP_WIDTHS)
    assert names[0] == "conv1_2_000" and names[64] == "conv2_2_000" and names[-1] == "conv5_4_511"
    assert sum(name.startswith("conv3_4_") for name in names) == 256


def test_random_weights_depend_on_the_seed_alone():
    first, again, other = (feature_network("", seed).features[0].weight for seed in (1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, other)
    # As torchvision draws them: standard deviation sqrt(2 / fan out).
    last = feature_network("", 1).features[34].weight
    assert float(last.std()) == pytest.approx((2 / (9 * 512)) ** 0.5, rel=0.02)
    assert not any(p.requires_grad for p in feature_network("", 1).parameters())


def test_a_grey_slice_becomes_three_equal_colours():
    colours = network_input(np.full((1, 4, 4), 255.0), 255.0)[0]
    assert colours[:, 0, 0].tolist() == pytest.approx([(1 - 0.485) / 0.229, (1 - 0.456) / 0.224, (1 - 0.406) / 0.225])


def test_values_outside_the_range_are_refused():
    with pytest.raises(ValueError, match="expects 0 to 1"):
        extract_features(feature_network("", 1), np.full((1, 32, 32), 40.0), ["A"], 1.0)


def test_files_that_are_no_weights_of_vgg19_are_refused(tmp_path, weights):
    state = dict(weights[1])
    state.pop("features.34.bias")
    torch.save(state, tmp_path / "lacking.pth")
    with pytest.raises(ValueError, match=r"lacking.pth does not fit VGG19.*features.34.bias"):
        feature_network(tmp_path / "lacking.pth", 1)
    torch.save({"about": "text", "weights": 3}, tmp_path / "other.pth")
    with pytest.raises(ValueError, match="no state dict"):
        read_weights(tmp_path / "other.pth")
    with pytest.raises(ValueError, match="unknown"):
        Vgg19Features(pool="median")


def test_weights_are_fetched_and_checked(tmp_path, weights):
    source = weights[0] / "vgg19.safetensors"
    whole = hashlib.sha256(source.read_bytes()).hexdigest()
    assert file_sha256(source) == whole
    target = tmp_path / "weights" / "vgg19.pth"
    with pytest.raises(ValueError, match=f"SHA-256 {whole}, expected dcbb9e9d"):
        fetch_weights(source.as_uri(), "dcbb9e9d", target)
    assert not list(target.parent.iterdir())
    assert fetch_weights(source.as_uri(), whole[:8], target) == whole
    assert target.read_bytes() == source.read_bytes() and len(list(target.parent.iterdir())) == 1
    with pytest.raises(OSError):
        fetch_weights((tmp_path / "nothing").as_uri(), "00", tmp_path / "weights" / "b.pth")


def test_every_file_of_weights_is_listed_with_what_to_do(tmp_path, weights):
    """One is fetched, one is there and another file, one cannot be reached."""
    source = weights[0] / "vgg19.safetensors"
    whole = file_sha256(source)
    good = {"architecture": "vgg19", "file": "good.pth", "url": source.as_uri(), "sha256_start": whole[:8]}
    other = {**good, "file": "other.pth", "architecture": "resnet18"}
    absent = {**good, "file": "absent.pth", "url": (tmp_path / "nothing").as_uri(), "sha256_start": "f37072fd"}
    (tmp_path / "other.pth").write_text("another file")
    with pytest.raises(ValueError) as caught:
        gather_weights([good, other, absent], tmp_path)
    text = str(caught.value)
    assert "other.pth has the SHA-256" in text and "nothing, and its SHA-256 begins with f37072fd" in text
    assert "good.pth" not in text and "What to do" in text
    # What was there stays, also what is wrong; it may be the user's.
    assert (tmp_path / "other.pth").is_file() and (tmp_path / "good.pth").is_file()
    lines = yaml.safe_load(gather_weights([good], tmp_path))
    assert lines == [{"architecture": "vgg19", "weights": str(tmp_path / "good.pth"), "sha256": whole}]
