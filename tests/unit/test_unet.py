"""The network that finds the tumour: slices, features of its layers, training, and masks back on the series."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk
import torch
import yaml
from precision import assert_same_rounding
from training_checks import declared_bytes, kept_for_gradient, killed_after_two_epochs
from workflow_runner import REPOSITORY

from hcc_recurrence.cohort.series_voxels import read_series
from hcc_recurrence.configuration import plain_values
from hcc_recurrence.figures.segmentation import plot_dice, plot_feature_maps, plot_outlines
from hcc_recurrence.imaging.planes import (
    axial_planes,
    largest_part,
    mask_of_planes,
    mask_planes,
    tumour_and_other_slices,
)
from hcc_recurrence.imaging.registration import overlap
from hcc_recurrence.networks.segmentation import train_segmentation, varied
from hcc_recurrence.networks.unet import (
    DECODER,
    LAYERS,
    TAPS,
    Tapped,
    build_unet,
    case_slices,
    feature_maps,
    feature_names,
    segment_slices,
)
from hcc_recurrence.segmentation import Segmented, dice_table, part_of, segment_case

PUBLISHED = (64, 128, 256, 512, 1024)
SMALL = (4, 6, 8, 10, 12)
SETTINGS = {
    **{"optimiser": "adam", "learning_rate": 0.01, "momentum": 0.9, "weight_decay": 0.0, "epochs": 12, "batch": 6},
    **{"patience": 12, "augmentation": {"rotation_deg": 15, "scale": 0.1}},
}


def series(array: np.ndarray, spacing=(0.8, 0.8, 2.0), direction=None) -> sitk.Image:
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(spacing)
    image.SetOrigin((-30.0, 12.5, 80.0))
    if direction is not None:
        image.SetDirection(direction)
    return image


def test_windows_are_those_of_the_paper():
    """Level 70 and width 150 HU, level 100 and width 200 HU (docs/methods.md 8, item 3)."""
    paper = plain_values(yaml.safe_load((REPOSITORY / "config/papers/wang2022.yaml").read_text()))
    windows = paper["entries"]["unets"]["wang2022"]["windows"]
    assert windows["arterial"] == [70 - 75, 70 + 75] and windows["portal"] == [100 - 100, 100 + 100]
    for phase, level in (("arterial", 70), ("portal", 100)):
        low, high = windows[phase]
        values = np.array([low - 500, low, level, high, high + 500], np.float32)
        array = np.broadcast_to(values[:, None, None], (5, 32, 32)).copy()
        planes = axial_planes(series(array), windows[phase], 32, 0, -1024)
        assert planes.values[:, 5, 5] == pytest.approx([0, 0, 0.5, 1, 1])


def test_slices_are_reduced_with_antialiasing_and_masks_by_the_nearest_pixel():
    board = np.indices((512, 512)).sum(axis=0) % 2 * 100.0
    planes = axial_planes(series(board[None].astype(np.float32)), [0, 100], 256, 0, -1024)
    assert planes.values.shape == (1, 256, 256)
    inner = planes.values[0, 8:-8, 8:-8]
    assert inner.min() > 0.4 and inner.max() < 0.6, "without antialiasing pixels would be 0 or 1"
    mask = np.zeros((1, 512, 512), np.uint8)
    mask[0, 100:200, 300:420] = 1
    placed = mask_planes(series(mask), planes)
    assert set(np.unique(placed)) == {0, 1}
    assert placed[0, 50:100, 150:210].all() and placed.sum() == 50 * 60


@pytest.mark.parametrize("direction", [None, (-1, 0, 0, 0, -1, 0, 0, 0, 1), (1, 0, 0, 0, 1, 0, 0, 0, -1)])
@pytest.mark.parametrize("z_mm", [0, 2.0, 1.0])
def test_masks_of_slices_lie_where_the_tumour_is_however_the_series_was_acquired(direction, z_mm):
    z, y, x = np.indices((20, 70, 90))
    ball = (((z - 8) * 2.0) ** 2 + ((y - 40) * 0.8) ** 2 + ((x - 25) * 0.8) ** 2 < 10**2).astype(np.uint8)
    image, mask = (series(a, direction=direction) for a in (ball.astype(np.float32) * 100, ball))
    planes = axial_planes(image, [0, 100], 96, z_mm, -1024)
    assert len(planes.values) == (40 if z_mm == 1 else 20)
    back = mask_of_planes(planes.values, planes, image)
    assert back.GetSize() == image.GetSize() and back.GetDirection() == image.GetDirection()
    assert overlap(sitk.GetArrayFromImage(back), ball) > 0.95
    again = mask_of_planes(mask_planes(mask, planes).astype(np.float32), planes, image)
    assert overlap(sitk.GetArrayFromImage(again), ball) > 0.93


@pytest.mark.shared_data
def test_slices_of_a_real_ct_at_the_published_size(shared_data):
    """One real portal CT, 41 slices of 5 mm: windowed, 1 mm, 256 x 256; a mask comes back where it was."""
    image = read_series(shared_data / "crlm_1004/dicom", "")
    mask = sitk.ReadImage(str(shared_data / "crlm_1004/liver_roi.nii.gz"))
    planes = axial_planes(image, [0, 200], 256, 1, -1024)
    assert planes.values.shape == (205, 256, 256) and planes.values.min() == 0 and planes.values.max() == 1
    inside = mask_planes(mask, planes)
    # Its README: 120 HU on average.
    assert planes.values[inside > 0].mean() == pytest.approx(120 / 200, abs=0.02)
    voxels = np.prod(planes.volume.GetSpacing()) * (512 / 256) ** 2
    own = sitk.GetArrayFromImage(mask) > 0
    assert inside.sum() * voxels == pytest.approx(own.sum() * np.prod(mask.GetSpacing()), rel=0.03)
    back = sitk.GetArrayFromImage(mask_of_planes(inside.astype(np.float32), planes, image))
    assert overlap(back, own) > 0.97


def test_pixels_that_are_not_square_are_refused():
    with pytest.raises(ValueError, match="not square"):
        axial_planes(series(np.zeros((2, 32, 32), np.float32), (0.8, 1.0, 2.0)), [0, 1], 32, 0, -1024)


def test_only_the_largest_part_is_kept_and_an_empty_mask_stays_empty():
    array = np.zeros((3, 20, 20), np.uint8)
    array[:, 2:8, 2:8] = 1
    array[1, 15, 15] = 1
    kept = sitk.GetArrayFromImage(largest_part(sitk.GetImageFromArray(array)))
    assert kept[:, 2:8, 2:8].all() and kept.sum() == 3 * 36
    empty = largest_part(sitk.GetImageFromArray(array * 0))
    assert not sitk.GetArrayFromImage(empty).any() and empty.GetPixelID() == sitk.sitkUInt8


def test_training_slices_are_all_with_tumour_and_as_many_others_nearby():
    mask = np.zeros((40, 8, 8), np.uint8)
    mask[15:20, 3, 3] = 1
    chosen = tumour_and_other_slices(mask, 6, np.random.default_rng(1))
    assert set(range(15, 20)) <= set(chosen) and len(chosen) == 10
    assert chosen.min() >= 9 and chosen.max() <= 25 and len(set(chosen)) == 10
    assert list(tumour_and_other_slices(mask, 1, np.random.default_rng(1))) == [14, 15, 16, 17, 18, 19, 20]


def test_the_published_network_has_1984_hierarchical_features():
    network = build_unet(PUBLISHED)
    assert [len(feature_names(t, PUBLISHED)) for t in ("hierarchical", "bottleneck", "all")] == [1984, 1024, 2944]
    names = feature_names("hierarchical", PUBLISHED)
    assert names[0] == "bottleneck_001" and names[1024] == "decoder4_001" and names[-1] == "decoder1_064"
    assert len(set(names)) == 1984
    with torch.inference_mode(), Tapped(network.eval(), list(LAYERS)) as tapped:
        assert tapped(torch.zeros(1, 1, 256, 256)).shape == (1, 256, 256)
    shapes = {layer: tuple(values.shape[1:]) for layer, values in tapped.maps.items()}
    assert shapes == {
        **{f"encoder{d}": (c, s, s) for d, c, s in zip((1, 2, 3, 4), PUBLISHED, (256, 128, 64, 32), strict=False)},
        "bottleneck": (1024, 16, 16),
        **{f"decoder{d}": (c, s, s) for d, c, s in zip((1, 2, 3, 4), PUBLISHED, (256, 128, 64, 32), strict=False)},
    }
    hooks = sum(len(module._forward_hooks) for module in network.modules())
    assert hooks == 0, "hooks are gone afterwards"


def test_features_are_the_means_of_the_maps_computed_layer_by_layer():
    torch.manual_seed(3)
    network = build_unet(SMALL).eval()
    planes = np.random.default_rng(3).random((5, 32, 32)).astype(np.float32)
    probability, features = segment_slices(network, planes, "all", "gap", 3, batch=2)
    with torch.inference_mode():
        x = torch.from_numpy(planes)[:, None]
        down = [network.conv_0(x)]
        for layer in (network.down_1, network.down_2, network.down_3, network.down_4):
            down.append(layer(down[-1]))
        up, maps = down[4], {"bottleneck": down[4], **{f"encoder{i + 1}": down[i] for i in range(4)}}
        for depth in (4, 3, 2, 1):
            up = getattr(network, f"upcat_{depth}")(up, down[depth - 1])
            maps[f"decoder{depth}"] = up
        expected = torch.cat([maps[layer].mean(dim=(2, 3)) for layer in TAPS["all"]], dim=1).numpy()
        final = torch.sigmoid(network.final_conv(up))[:, 0].numpy()
    assert_same_rounding(features, expected)
    assert_same_rounding(probability, final)
    assert features.shape[1] == len(feature_names("all", SMALL)) == sum(SMALL) + sum(SMALL[:4])


def test_masked_features_are_means_inside_the_predicted_tumour():
    torch.manual_seed(4)
    network = build_unet(SMALL).eval()
    planes = np.random.default_rng(4).random((3, 32, 32)).astype(np.float32)
    with torch.no_grad():
        network.final_conv.bias.fill_(-50.0)
    whole, masked = (segment_slices(network, planes, "hierarchical", pool, 3)[1] for pool in ("gap", "masked_gap"))
    # Nothing is predicted: the whole slice counts.
    assert_same_rounding(masked, whole)
    with torch.no_grad():
        # Half of the first slice is tumour.
        network.final_conv.bias -= network(torch.from_numpy(planes[:1])[:, None]).median()
    probability, masked = segment_slices(network, planes, "hierarchical", "masked_gap", 3)
    with torch.inference_mode(), Tapped(network, DECODER) as tapped:
        tapped(torch.from_numpy(planes)[:, None])
    inside = probability[0] >= 0.5
    assert 3 < inside.sum() < inside.size
    last = tapped.maps["decoder1"][0].numpy()
    assert_same_rounding(masked[0, -SMALL[0] :], last[:, inside].mean(axis=1))


def test_the_map_of_a_feature_is_its_grad_cam():
    """d(feature)/d(map of its own layer), averaged over the map, times the maps, above 0 (Selvaraju 2017)."""
    torch.manual_seed(5)
    network = build_unet(SMALL).eval()
    image = np.random.default_rng(5).random((32, 32)).astype(np.float32)
    with Tapped(network, ["decoder2", "bottleneck"]) as tapped:
        tapped(torch.from_numpy(image)[None, None])
    # Maps that respond at all.
    channels = {layer: int(maps.mean(dim=(0, 2, 3)).argmax()) for layer, maps in tapped.maps.items()}
    named = {f"{layer}_{channel + 1:03d}": (layer, channel) for layer, channel in channels.items()}
    found = feature_maps(network, image, list(named))
    for name, (layer, channel) in named.items():
        maps = tapped.maps[layer].detach().requires_grad_()
        maps.mean(dim=(2, 3))[0, channel].backward()
        weight = maps.grad.mean(dim=(2, 3), keepdim=True)
        cam = (weight * maps.detach()).sum(dim=1, keepdim=True).clamp_min(0)
        cam = torch.nn.functional.interpolate(cam, (32, 32), mode="bilinear", align_corners=False)[0, 0]
        assert_same_rounding(found[name], cam / cam.max(), relative=1e-4)
        assert found[name].max() == pytest.approx(1)


def squares(number: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Noisy slices with a bright square somewhere in two of three."""
    generator = np.random.default_rng(seed)
    images = generator.normal(0.3, 0.1, (number, 32, 32)).astype(np.float32)
    masks = np.zeros((number, 32, 32), np.uint8)
    for i in range(number):
        if i % 3:
            top, left = generator.integers(4, 20, 2)
            masks[i, top : top + 8, left : left + 8] = 1
    return (images + 0.4 * masks).clip(0, 1), masks


def fitted_unet(state=None, epochs=12):
    torch.manual_seed(1)
    network = build_unet(SMALL)
    history = train_segmentation(
        network, squares(36, 1), [squares(6, 2), squares(6, 3)], {**SETTINGS, "epochs": epochs}, 7, state
    )
    return network, history


def test_training_finds_squares_in_new_slices_and_keeps_the_best_epoch():
    network, history = fitted_unet()
    best = max(history, key=lambda row: row["inner_dice"])
    assert history[-1]["best"] == best["epoch"] and best["inner_dice"] > 0.8
    images, masks = squares(9, 4)
    probability, _ = segment_slices(network, images, "bottleneck", "gap", 3)
    assert overlap(probability >= 0.5, masks) > 0.8
    inner = [
        overlap(segment_slices(network, x, "bottleneck", "gap", 3)[0] >= 0.5, y)
        for x, y in map(squares, (6, 6), (2, 3))
    ]
    assert np.mean(inner) == pytest.approx(best["inner_dice"], abs=1e-6), "the kept weights are those of that epoch"


def test_a_killed_training_goes_on_and_ends_as_an_undisturbed_one(tmp_path, monkeypatch):
    state = tmp_path / "state" / "portal.pt"
    undisturbed, history = fitted_unet(epochs=4)
    killed_after_two_epochs(monkeypatch, lambda: fitted_unet(state, epochs=4))
    resumed, again = fitted_unet(state, epochs=4)
    assert again == history and not state.exists()
    for name, value in undisturbed.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name


def test_slices_and_masks_are_varied_alike():
    masks = torch.from_numpy(squares(12, 6)[1].astype(np.float32))
    moved, outline = varied(masks, masks, 30, 0.2, torch.Generator().manual_seed(1))
    assert set(outline.unique().tolist()) == {0.0, 1.0}
    assert torch.equal((moved >= 0.5).float(), outline) and not torch.equal(outline, masks)


def test_memory_that_the_gradient_needs_is_asked_for():
    network = build_unet(PUBLISHED)
    kept = kept_for_gradient(network, lambda: network(torch.rand(2, 1, 128, 128)).sum())
    a_pixel, declared = kept / (2 * 128 * 128 * PUBLISHED[0]), declared_bytes("UNET_BYTES")
    print(f"{a_pixel:.0f} bytes a pixel and channel are kept for the gradient; {declared} are asked for")
    assert a_pixel < declared < 2 * a_pixel


def test_which_slices_make_a_case():
    predicted = np.zeros((6, 8, 8), np.uint8)
    reference = np.zeros((6, 8, 8), np.uint8)
    reference[1:3, 0, 0] = 1
    assert list(case_slices(predicted, reference, 10)) == [1, 2], "nothing predicted: the reference"
    assert len(case_slices(predicted, None, 10)) == 0
    predicted[4, :2, :2] = 1
    predicted[5, 0, 0] = 1
    assert list(case_slices(predicted, reference, 10)) == [4], "none is large enough: the largest"
    predicted[2, :4, :4] = 1
    assert list(case_slices(predicted, reference, 10)) == [2]
    assert list(case_slices(predicted, reference, 4)) == [2, 4]


def test_a_case_is_segmented_measured_and_refused_where_nothing_is_found():
    network, _ = fitted_unet()
    images, masks = squares(9, 8)
    image, mask = series(images, (1, 1, 3)), series(masks, (1, 1, 3))
    unet = {
        "side_pixels": 32,
        "z_mm": 0,
        "outside_hu": -1024,
        "windows": {"portal": [0, 1]},
        "layers": "hierarchical",
        "pool": "gap",
        "smallest_pixels": 10,
    }
    found = Segmented(feature_names("hierarchical", SMALL))
    planes, probability = segment_case(found, network, image, mask, unet, "CT", ("P1", "portal"))
    found.compare(mask_of_planes(probability, planes, image), mask, ("P1", "portal"), needed=True)
    features = found.features()
    predicted = probability >= 0.5
    own = segment_slices(network, planes.values, "hierarchical", "gap", 10)[1]
    chosen = predicted.reshape(9, -1).sum(axis=1) >= 10
    assert 0 < chosen.sum() < 9
    assert features.iloc[0, 2:].to_numpy(float) == pytest.approx(own[chosen].mean(axis=0))
    patients, slices = found.patients(), found.slices()
    assert patients["dice"][0] == pytest.approx(overlap(predicted, masks), abs=0.02)
    assert patients["manual_ml"][0] == pytest.approx(masks.sum() * 3 / 1000)
    for row in slices.itertuples():
        assert row.dice == pytest.approx(overlap(predicted[row.slice], masks[row.slice]))
    found.refuse_empty()
    nothing = sitk.Image([32, 32, 9], sitk.sitkUInt8)
    found.compare(nothing, None, ("P2", "portal"), needed=True)
    found.compare(nothing, None, ("P3", "portal"), needed=False)
    with pytest.raises(ValueError, match=r"no tumour in P2 portal, and there is no manual mask\. What to do: draw"):
        found.refuse_empty()


def test_dice_is_told_apart_by_what_patients_were_to_the_network():
    patients = pd.DataFrame(
        {
            "patient_id": list("abcde"),
            "phase": "portal",
            "unet_ml": [1, 1, 1, 0, 1.0],
            "manual_ml": [1, 1, 1, 1, np.nan],
        }
    )
    patients["dice"] = [0.9, 0.8, 0.6, 0.0, np.nan]
    parts = {"a": "fitted", "b": "inner"}
    patients["part"] = part_of(patients["patient_id"], parts, external=["d"])
    assert patients["part"].tolist() == ["trained with", "chose the epoch", "unseen", "unseen, external", "unseen"]
    slices = pd.DataFrame({"phase": "portal", "part": "unseen", "manual_pixels": [5, 0, 7], "dice": [0.5, 0.0, 0.7]})
    table = dice_table(patients, slices).set_index("patients")
    assert table["n"].to_dict() == {"trained with": 1, "chose the epoch": 1, "unseen": 1, "unseen, external": 1}
    assert table.loc["unseen", "dice_mean"] == 0.6 and table.loc["unseen", "slice_dice_mean"] == pytest.approx(0.6)
    assert table.loc["unseen, external", "nothing_found"] == 1


def test_figures_show_every_patient_and_both_outlines():
    generator = np.random.default_rng(1)
    patients = pd.DataFrame({"patient_id": [f"P{i}" for i in range(12)], "phase": ["arterial", "portal"] * 6})
    patients["dice"] = generator.random(12)
    patients["part"] = ["trained with", "trained with", *["unseen"] * 10]
    histories = pd.DataFrame({"phase": ["arterial", "portal"], "epoch": 1, "inner_dice": [0.5, 0.6], "best": 1})
    figure = plot_dice(patients, histories, "title")
    drawn = sum(len(line.get_ydata()) for line in figure.axes[0].lines if line.get_marker() == "o")
    assert drawn == 12
    outlines = np.eye(16)[None].repeat(2, axis=0)
    cases = zip(patients["patient_id"], patients["phase"], strict=True)
    pictures = {".".join(case): np.stack([generator.random((16, 16)), *outlines]) for case in cases}
    figure = plot_outlines(patients, pictures, "title")
    worst = patients[(patients["part"] == "unseen") & (patients["phase"] == "portal")]["dice"].min()
    assert f"Dice {worst:.2f}" in figure.axes[6].get_title()
    chosen = patients.head(2).assign(er=[0, 1], probability=0.5, kind="recurrence, most right")
    chosen["phase"] = "portal"
    features = pd.DataFrame({"variable": ["portal__decoder1_001"], "weight": [0.4]})
    maps = {(p, "portal__decoder1_001"): generator.random((16, 16)) for p in chosen["patient_id"]}
    pictures |= {f"{p}.portal": pictures["P1.portal"] for p in chosen["patient_id"]}
    figure = plot_feature_maps(chosen, features, pictures, maps, "title")
    assert "weight +0.40" in figure.axes[0].get_title()
    empty = plot_feature_maps(chosen, features.iloc[:0], pictures, {}, "title")
    assert "No deep feature" in empty.axes[0].texts[0].get_text()
