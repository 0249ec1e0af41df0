"""Heat maps of applied networks: the maps of the study's own functions, drawn with what they are not."""

from __future__ import annotations

import io
from dataclasses import asdict
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from matplotlib.image import imread

from hcc_recurrence.endpoint import EARLY_RECURRENCE, use_endpoint
from hcc_recurrence.exported.heat_maps import caption, draw, has_heat_maps, heat_maps_of
from hcc_recurrence.methods.cui2022.deep import CuiEnsemble, FoldNetworks
from hcc_recurrence.networks.box_cam import box_cam
from hcc_recurrence.networks.cui3d import CuiNetwork
from hcc_recurrence.networks.training import Examples, probabilities
from hcc_recurrence.networks.volume_cam import volume_cam
from hcc_recurrence.networks.volume_network import VolumeNetwork

SHAPE = (5, 24, 24)


@pytest.fixture(scope="module")
def ensemble():
    folds = {}
    for number in (1, 2):
        torch.manual_seed(number)
        folds[f"strict.1.{number}"] = CuiNetwork(1, SHAPE).eval()
    return CuiEnsemble((), ("arterial",), {"SS": FoldNetworks("box", {}, SHAPE, folds)})


def test_the_map_of_an_ensemble_is_the_mean_of_its_networks(ensemble):
    box = np.random.default_rng(3).random((1, *SHAPE), np.float32)
    bundle = SimpleNamespace(method="cui2022", about={"config": {}})
    (found,) = heat_maps_of(bundle, {"models": ensemble}, {"SS": box})
    each = [
        box_cam(n.network, n.scaled(torch.from_numpy(box[None])))[0].numpy()
        for n in ensemble.networks["SS"].folds.values()
    ]
    mean = (each[0] + each[1]) / 2
    assert np.allclose(found.maps[0], mean / mean.max()) and found.maps.shape == (1, 24, 24)
    assert (found.model, found.image, found.shown) == ("SS", "SS", ((0, 2),)) and found.maps.max() == 1
    use_endpoint(asdict(EARLY_RECURRENCE))
    words = caption(found)
    assert "for recurrence" in words and "no reason for the score" in words and "Not a border of the tumour" in words
    mask = np.zeros(SHAPE, np.uint8)
    mask[:, 8:16, 8:16] = 1
    picture = imread(io.BytesIO(draw(found, box, mask)), format="png")
    # The outline in its blue, once on the image and once under the map.
    blue = np.abs(picture[..., :3] - np.array([0x56, 0xB4, 0xE9]) / 255).max(axis=2) < 0.1
    assert blue[:, : picture.shape[1] // 2].any() and picture.shape[1] > picture.shape[0]


@pytest.mark.parametrize("architecture", ["resnet18_3d", "densenet121_3d"])
def test_the_map_of_a_box_is_grad_cam_by_hand(architecture):
    """Selvaraju 2017, equations 1 and 2: maps weighted by the mean gradient of the score, where that is positive."""
    torch.manual_seed(5)
    network = VolumeNetwork(architecture, 2).eval()
    box = torch.from_numpy(np.random.default_rng(6).random((2, 32, 32, 32), np.float32))
    layer = network.explained_layer(32)
    kept = []
    hook = network.get_submodule(layer).register_forward_hook(lambda _, __, maps: kept.append(maps))
    score = network(box[None])[0, 1]
    hook.remove()
    (gradient,) = torch.autograd.grad(score, kept[0])
    by_hand = (gradient.mean(dim=(2, 3, 4), keepdim=True) * kept[0]).sum(dim=1).clamp_min(0)[0].sum(dim=0).detach()
    # A map of fewer pixels says no place, and a later stage has fewer.
    assert min(by_hand.shape) >= 4
    size = {"size": box.shape[-2:], "mode": "bilinear", "align_corners": False}
    by_hand = torch.nn.functional.interpolate(by_hand[None, None], **size)[0, 0]
    found = volume_cam(network, box)
    assert found.shape == (32, 32) and float(found.max()) == pytest.approx(1)
    assert np.allclose(found, by_hand / by_hand.max(), atol=1e-4)


@pytest.mark.parametrize("side", [32, 48, 64, 96])
@pytest.mark.parametrize("architecture", ["resnet18_3d", "densenet121_3d"])
def test_the_explained_layer_of_a_box_is_the_last_whose_map_has_four_pixels(architecture, side):
    """By the maps themselves."""
    network = VolumeNetwork(architecture, 1).eval()
    stages = {"resnet18_3d": "layer{}", "densenet121_3d": "features.denseblock{}"}[architecture]
    names, sizes = [f"network.{stages.format(n)}" for n in (4, 3, 2, 1)], {}
    for name in names:
        network.get_submodule(name).register_forward_hook(
            lambda _, __, maps, name=name: sizes.update({name: min(maps.shape[-2:])})
        )
    with torch.no_grad():
        network(torch.zeros(1, 1, 32, side, side))
    assert network.explained_layer(side) == next(name for name in names if sizes[name] >= 4)


def test_models_that_read_no_image_have_none():
    assert not has_heat_maps({"reads": {"images": []}}) and has_heat_maps({"reads": {"images": [{"name": "SS"}]}})
    assert heat_maps_of(SimpleNamespace(method="yan2023", about={"config": {}}), {}, {}) == []


def test_the_score_of_a_patient_does_not_depend_on_who_else_is_scored(ensemble):
    network = ensemble.networks["SS"].folds["strict.1.1"]
    boxes = np.random.default_rng(4).random((70, 1, *SHAPE), np.float32)

    def scores(rows):
        nobody = np.zeros(len(rows), int)
        return probabilities(network, Examples.of(boxes[rows], np.empty((len(rows), 0)), nobody, nobody))

    everybody = scores(np.arange(70))
    for rows in ([69], [3, 1, 2], list(range(64, 70)), list(range(69, -1, -1))):
        assert scores(np.array(rows)).tobytes() == everybody[rows].tobytes()
