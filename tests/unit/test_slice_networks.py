"""Networks of single images: torchvision's sizes and names, MONAI's numbers, Grad-CAM, and what training asks for."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from precision import assert_same_rounding
from training_checks import declared_bytes, kept_for_gradient

from hcc_recurrence.networks import architectures
from hcc_recurrence.networks.build import build_network, takes_images_alone
from hcc_recurrence.networks.densenet import DenseNet121
from hcc_recurrence.networks.grad_cam import grad_cam
from hcc_recurrence.networks.imagenet import DEVIATION, MEAN, normalise
from hcc_recurrence.networks.resnet import ResNet, parameter_count
from hcc_recurrence.networks.slice_network import BACKBONES, SliceNetwork
from hcc_recurrence.networks.vgg import Vgg19
from hcc_recurrence.networks.volume_network import VOLUME_ARCHITECTURES, VolumeNetwork

# What torchvision prints for its networks of 1000 classes.
TORCHVISION = {"densenet121": 7_978_856, "resnet50": 25_557_032, "resnet101": 44_549_160, "vgg19": 143_667_240}


def norm(name: str, width: int) -> dict[str, tuple]:
    return {f"{name}.{part}": (width,) for part in ("weight", "bias", "running_mean", "running_var")}


def resnet_shapes(blocks: tuple[int, ...]) -> dict[str, tuple]:
    """Names and shapes of torchvision's bottleneck ResNets, written down from its documentation."""
    shapes = {"conv1.weight": (64, 3, 7, 7), **norm("bn1", 64)}
    inside = 64
    for stage, number in enumerate(blocks, 1):
        width = 64 * 2 ** (stage - 1)
        for block in range(number):
            at = f"layer{stage}.{block}"
            shapes |= {f"{at}.conv1.weight": (width, inside, 1, 1), **norm(f"{at}.bn1", width)}
            shapes |= {f"{at}.conv2.weight": (width, width, 3, 3), **norm(f"{at}.bn2", width)}
            shapes |= {f"{at}.conv3.weight": (4 * width, width, 1, 1), **norm(f"{at}.bn3", 4 * width)}
            if not block:
                shapes |= {f"{at}.downsample.0.weight": (4 * width, inside, 1, 1)}
                shapes |= norm(f"{at}.downsample.1", 4 * width)
            inside = 4 * width
    return {**shapes, "fc.weight": (1000, 2048), "fc.bias": (1000,)}


def densenet_shapes(dot: str) -> dict[str, tuple]:
    """Names and shapes of torchvision's DenseNet121; its file of weights writes `norm.1`, its code `norm1`."""
    shapes = {"features.conv0.weight": (64, 3, 7, 7), **norm("features.norm0", 64)}
    inside = 64
    for block, number in enumerate((6, 12, 24, 16), 1):
        for layer in range(1, number + 1):
            at = f"features.denseblock{block}.denselayer{layer}"
            shapes |= {**norm(f"{at}.norm{dot}1", inside), f"{at}.conv{dot}1.weight": (128, inside, 1, 1)}
            shapes |= {**norm(f"{at}.norm{dot}2", 128), f"{at}.conv{dot}2.weight": (32, 128, 3, 3)}
            inside += 32
        if block < 4:
            at = f"features.transition{block}"
            shapes |= {**norm(f"{at}.norm", inside), f"{at}.conv.weight": (inside // 2, inside, 1, 1)}
            inside //= 2
    shapes |= norm("features.norm5", inside)
    return {**shapes, "classifier.weight": (1000, 1024), "classifier.bias": (1000,)}


def vgg_shapes() -> dict[str, tuple]:
    shapes, index, inside = {}, 0, 3
    for width, number in ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4)):
        for _ in range(number):
            shapes |= {f"features.{index}.weight": (width, inside, 3, 3), f"features.{index}.bias": (width,)}
            inside, index = width, index + 2
        index += 1
    for place, (out, into) in {0: (4096, 25088), 3: (4096, 4096), 6: (1000, 4096)}.items():
        shapes |= {f"classifier.{place}.weight": (out, into), f"classifier.{place}.bias": (out,)}
    return shapes


SHAPES = {
    "densenet121": densenet_shapes("."),
    "resnet50": resnet_shapes((3, 4, 6, 3)),
    "resnet101": resnet_shapes((3, 4, 23, 3)),
    "vgg19": vgg_shapes(),
}


def test_sizes_are_torchvisions():
    made = {
        "densenet121": DenseNet121(1000),
        "resnet50": ResNet("resnet50", classes=1000),
        "resnet101": ResNet("resnet101", classes=1000),
        "vgg19": Vgg19(1000),
    }
    assert {name: parameter_count(network) for name, network in made.items()} == TORCHVISION
    assert set(made) == set(BACKBONES) == set(architectures.SLICE_ARCHITECTURES)
    assert set(VOLUME_ARCHITECTURES) == set(architectures.VOLUME_ARCHITECTURES)


@pytest.mark.parametrize("architecture", list(BACKBONES))
def test_backbones_have_the_published_head_and_load_torchvisions_files_strictly(architecture, tmp_path):
    generator = torch.Generator().manual_seed(1)
    state = {n: torch.rand(s, generator=generator) * 0.01 for n, s in SHAPES[architecture].items()}
    torch.save(state, tmp_path / "imagenet.pth")
    torch.manual_seed(0)
    network = build_network(
        {"architecture": architecture, "weights": str(tmp_path / "imagenet.pth")}, 3, (10, 32, 32), True
    )
    assert takes_images_alone(architecture) and isinstance(network, SliceNetwork)
    found = network.backbone.state_dict()
    head = f"{network.head}.weight"
    assert found[head].shape[0] == 2 and found[head].std() > 0.001
    named = {re.sub(r"(denselayer.*)\.([12])\.", r"\1\2.", n): v for n, v in state.items()}
    loaded = [n for n in found if not n.startswith(network.head) and not n.endswith("num_batches_tracked")]
    assert len(loaded) == len(SHAPES[architecture]) - 2 and all(torch.equal(found[n], named[n]) for n in loaded)
    with torch.inference_mode():
        assert network.eval()(torch.rand(1, 3, 1, 224, 224)).shape == (1, 2)
    # VGG19's file is half a gigabyte: once is enough.
    if architecture != "vgg19":
        missing = next(n for n in state if n.endswith("conv1.weight") or "conv.1" in n)
        torch.save({n: v for n, v in state.items() if n != missing}, tmp_path / "lacking.pth")
        with pytest.raises(ValueError, match=f"lacking.pth does not fit {architecture}"):
            SliceNetwork(architecture).start_from_file(tmp_path / "lacking.pth")


def test_densenets_newer_names_load_too(tmp_path):
    state = {n: torch.zeros(s) for n, s in densenet_shapes("").items()}
    torch.save(state, tmp_path / "new.pth")
    SliceNetwork("densenet121").start_from_file(tmp_path / "new.pth")


@pytest.mark.parametrize("architecture", ["densenet121", "resnet50"])
def test_outputs_equal_monais_with_the_same_weights(architecture):
    from monai.networks.nets import DenseNet121 as Reference
    from monai.networks.nets import resnet50

    torch.manual_seed(3)
    if architecture == "densenet121":
        mine, reference = DenseNet121(2), Reference(spatial_dims=2, in_channels=3, out_channels=2)
        names = {
            n: re.sub(r"(denselayer\d+)\.", r"\1.layers.", n).replace("classifier", "class_layers.out")
            for n in mine.state_dict()
        }
    else:
        mine = ResNet("resnet50")
        sizes = {"spatial_dims": 2, "n_input_channels": 3, "num_classes": 2}
        reference = resnet50(**sizes, conv1_t_stride=2, bias_downsample=False)
        names = {n: n for n in mine.state_dict()}
    reference.load_state_dict({names[n]: v for n, v in mine.state_dict().items()})
    images = torch.rand(2, 3, 64, 64)
    for module in (mine, reference):
        module.train()
        module(images)
        module.eval()
    with torch.inference_mode():
        assert_same_rounding(mine(images), reference(images), relative=1e-4)


def test_images_are_normalised_as_imagenets():
    grey = torch.full((2, 3, 1, 2, 2), 0.5)
    expected = [(0.5 - m) / d for m, d in zip(MEAN, DEVIATION, strict=True)]
    assert normalise(grey[:, :, 0])[1, :, 0, 0].tolist() == pytest.approx(expected)


@pytest.mark.parametrize("architecture", list(BACKBONES))
def test_memory_of_a_published_batch_is_asked_for(architecture):
    network, images = SliceNetwork(architecture), torch.rand(1, 3, 1, 224, 224)
    a_pixel = kept_for_gradient(network, lambda: network(images).sum()) / 224**2
    declared = declared_bytes("SLICE_BYTES")
    print(f"{architecture}: {a_pixel:.0f} bytes a pixel are kept for the gradient; {declared} are asked for")
    assert 100 < a_pixel < declared


@pytest.mark.parametrize("architecture", VOLUME_ARCHITECTURES)
def test_networks_of_volumes_take_phases_as_channels(architecture):
    network = build_network({"architecture": architecture, "weights": ""}, 3, (32, 32, 32), False)
    assert isinstance(network, VolumeNetwork) and parameter_count(network) > 1e7
    with torch.inference_mode():
        out = network.eval()(torch.rand(2, 3, 32, 32, 32))
        other = network(torch.rand(2, 3, 32, 32, 32))
    assert out.shape == (2, 2) and not torch.allclose(out, other)


@pytest.mark.parametrize("architecture", ["resnet50", "densenet121"])
def test_grad_cam_explains_the_last_layer_whose_map_is_large_enough(architecture):
    torch.manual_seed(2)
    network = SliceNetwork(architecture).eval()
    assert [network.explained_layer(side) for side in (224, 64, 32)] == [
        f"backbone.{layer}" for layer in BACKBONES[architecture][2]
    ]
    images = torch.rand(3, 3, 1, 64, 64)
    maps = grad_cam(network, images)
    assert maps.shape == (3, 64, 64) and maps.min() >= 0 and maps.max() <= 1 + 1e-6
    # By its definition: channels weighted by the mean gradient of the logit, what is below 0 cut off, from 0 to 1.
    layer, seen = network.get_submodule(network.explained_layer(64)), []
    handle = layer.register_forward_hook(lambda module, inputs, output: seen.append(output))
    logits = network(images)
    handle.remove()
    (gradient,) = torch.autograd.grad(logits[:, 1].sum(), seen[0])
    expected = torch.relu((gradient.mean(dim=(2, 3), keepdim=True) * seen[0]).sum(dim=1)).detach()
    low, high = expected.amin(dim=(1, 2), keepdim=True), expected.amax(dim=(1, 2), keepdim=True)
    expected = torch.nan_to_num((expected - low) / (high - low))[:, None]
    large = torch.nn.functional.interpolate(expected, (64, 64), mode="bilinear", align_corners=False)[:, 0]
    # A map divided by its own range: what it was taken from may be a tenth of the values that were summed.
    assert_same_rounding(maps, large, relative=1e-4)
    assert maps.max() > 0.5


def test_vgg_is_explained_at_the_relu_of_its_last_convolution():
    network = Vgg19(2, width=8)
    assert isinstance(network.features[35], torch.nn.ReLU) and isinstance(network.features[34], torch.nn.Conv2d)
    assert np.prod(network.features[:36](torch.zeros(1, 3, 224, 224)).shape) == 512 * 14 * 14
