"""2.5D images of Zhang 2025: planes, rectangles, orientation; what trains from them."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from workflow_runner import REPOSITORY

from hcc_recurrence.cohort.fit import PUBLISHED, VALIDATION, Fit
from hcc_recurrence.configuration import load_configuration
from hcc_recurrence.imaging.crops import largest_plane
from hcc_recurrence.imaging.view_names import parse_view, repeated_views
from hcc_recurrence.imaging.views import tumour_views
from hcc_recurrence.networks.augmentation import augmented, random_crop
from hcc_recurrence.networks.examples import FITTED, INNER, UNSEEN, fit_roles, fit_seed
from hcc_recurrence.networks.fits import images_alone
from hcc_recurrence.networks.training import Examples, cosine_rate, probabilities, train

VIEWS = [-4, -2, -1, 0, 1, 2, 4, "sagittal", "coronal", "coronal+4"]


@pytest.fixture
def volume():
    """Every voxel says where it is: z * 10000 + y * 100 + x."""
    z, y, x = np.indices((20, 30, 40))
    return (z * 10_000 + y * 100 + x).astype(np.float32)


@pytest.fixture
def mask():
    """Slices 8 to 12, the largest at 10: y 5 to 12, x 20 to 35; a corner is cut off."""
    found = np.zeros((20, 30, 40), np.uint8)
    found[8:13, 7:10, 22:30] = 1
    found[10, 5:13, 20:36] = 1
    found[10, 5, 20:24] = 0
    return found


def test_ten_views_are_the_planes_they_are_named_after(volume, mask):
    found, outlines = tumour_views([volume, volume + 1e6], mask, VIEWS, (8, 16), 0, nearest=True)
    assert found.shape == (2, 10, 8, 16) and outlines.shape == (10, 8, 16) and found.dtype == np.float32
    assert (found[1] - found[0] == 1e6).all()
    # Axial: the rectangle of the largest section is 8 by 16 pixels, so nothing is resampled.
    for place, offset in enumerate((-4, -2, -1, 0, 1, 2, 4)):
        assert (found[0, place] == volume[10 + offset, 5:13, 20:36]).all()
    assert (outlines[3] == mask[10, 5:13, 20:36]).all()
    assert (outlines[0] == 0).all() and outlines[1].any() and outlines[1].sum() < outlines[3].sum()


def test_the_ten_images_of_the_paper_are_distinct_and_come_from_their_planes(volume, mask):
    """Zhang 2025, "2.5D Image cropping": "10 distinct 2D regions", neighbours along two axes."""
    views = load_configuration(
        yaml.safe_load((REPOSITORY / "config/config.yaml").read_text()) | {"preset": "published"},
        REPOSITORY / "config/papers",
        REPOSITORY / "workflow/schemas",
    )["crops"]["zhang2025_views"]["views"]
    found, _ = tumour_views([volume], mask, views, (64, 64), 0, nearest=True)
    images = found[0]
    assert len(images) == 10
    assert all((a != b).any() for a, b in itertools.combinations(images, 2))
    # Each voxel holds its place: a plane is where one coordinate is the same everywhere.
    z, y, x = (images // 10_000, images // 100 % 100, images % 100)
    where = [[sorted(set(axis[i].ravel().tolist())) for axis in (z, y, x)] for i in range(10)]
    # The mask's largest sections: slice 10; x 24 (of 22 to 29, which all have 8 in slice 10 and 12 in others); y 8.
    middle = {"axial": largest_plane(mask, 0), "coronal": largest_plane(mask, 1), "sagittal": largest_plane(mask, 2)}
    assert middle["axial"] == 10 and 7 <= middle["coronal"] <= 9 and 22 <= middle["sagittal"] <= 29
    assert [w[0] for w in where[:7]] == [[10 + n] for n in (-4, -2, -1, 0, 1, 2, 4)]
    assert where[7][2] == [middle["sagittal"]] and where[8][1] == [middle["coronal"]]
    # Four slices towards the back: y grows backwards.
    assert where[9][1] == [middle["coronal"] + 4]
    # The neighbour has the rectangle of its plane's largest section.
    assert where[9][0] == where[8][0] and where[9][2] == where[8][2]


def test_names_of_views_say_plane_and_offset():
    assert [parse_view(v) for v in (-4, 0, "axial", "coronal+4", "sagittal-2")] == [
        *(("axial", -4), ("axial", 0), ("axial", 0), ("coronal", 4), ("sagittal", -2)),
    ]
    for odd in ("oblique", "coronal+0", "coronal4", "coronal+", True, 1.5):
        with pytest.raises(ValueError, match="is no view"):
            parse_view(odd)
    assert repeated_views([0, "axial", 1, "axial+1", "coronal", "coronal+1"]) == ["axial", "axial+1"]


def test_sagittal_and_coronal_views_are_the_largest_planes_with_the_head_above(volume, mask):
    across = {"sagittal": (2, 100), "coronal": (1, 1)}
    for name, (axis, _) in across.items():
        index = largest_plane(mask, axis)
        plane = np.take(mask, index, axis)
        height, width = (np.ptp(np.flatnonzero(plane.any(axis=1 - a))) + 1 for a in (0, 1))
        found, outlines = tumour_views([volume], mask, [name], (height, width), 0, nearest=True)
        rows, columns = (np.flatnonzero(plane.any(axis=1 - a)) for a in (0, 1))
        expected = np.take(volume, index, axis)[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1][::-1]
        assert (found[0, 0] == expected).all(), name
        # z falls from the first row on.
        assert (np.diff(found[0, 0, :, 0]) < 0).all() and outlines[0].any()
    assert {largest_plane(mask, 2), largest_plane(mask, 1)} != {0}


def test_rectangles_are_stretched_widened_and_clamped_at_the_border(volume, mask):
    found, _ = tumour_views([volume], mask, [0], (16, 16), 0, nearest=True)
    assert (found[0, 0] == np.repeat(volume[10, 5:13, 20:36], 2, axis=0)).all()
    wide, outline = tumour_views([volume], mask, [0], (16, 32), 0.5, nearest=True)
    # A margin of half the extent on each side: y 1 to 17, x 12 to 44; beyond the volume its lowest value.
    assert (wide[0, 0, :, :28] == volume[10, 1:17, 12:40]).all() and (wide[0, 0, :, 28:] == 0).all()
    assert outline[0, 4:12, 8:24].sum() == outline.sum()
    top, _ = tumour_views([volume], np.roll(mask, 8, axis=0), [4, 1], (8, 16), 0, nearest=True)
    assert (top[0, 0] == volume[19, 5:13, 20:36]).all() and (top[0, 1] == top[0, 0]).all()
    linear, _ = tumour_views([volume], mask, [0], (16, 16), 0, nearest=False)
    assert len(np.unique(linear[0, 0, :, 3])) > len(np.unique(found[0, 0, :, 3]))
    alone, inside = tumour_views([volume], mask, [0], (8, 16), 0, nearest=True, masked=True)
    assert (alone[0, 0][inside[0] == 0] == 0).all() and (inside[0] == 0).sum() == 4


def test_views_that_cannot_be_are_refused(volume, mask):
    with pytest.raises(ValueError, match="oblique"):
        tumour_views([volume], mask, ["oblique"], (8, 8), 0, True)
    with pytest.raises(ValueError, match="the mask is empty"):
        tumour_views([volume], mask * 0, [0], (8, 8), 0, True)
    with pytest.raises(ValueError, match="different grids"):
        tumour_views([volume[1:]], mask, [0], (8, 8), 0, True)


# -- training ----------------------------------------------------------------------------------

PATIENTS = [f"P{i:02d}" for i in range(24)]
SPLIT = pd.DataFrame(
    {
        "patient_id": PATIENTS,
        "split": ["train"] * 18 + ["validation"] * 4 + ["external"] * 2,
        "fold_1": pd.array([1 + i % 3 for i in range(18)] + [pd.NA] * 6, dtype="Int64"),
    }
)
OUTCOME = pd.Series([i // 3 % 2 for i in range(24)], PATIENTS)


def test_a_fit_may_leave_two_folds_out_or_let_the_validation_patients_decide():
    whole, by_validation = Fit(), Fit(PUBLISHED, tuned_on=VALIDATION)
    roles = fit_roles(SPLIT, OUTCOME, Fit(left_out=(1, 3)), 0.3, 5)
    seen = set(roles.index[roles != UNSEEN])
    assert seen == {p for i, p in enumerate(PATIENTS[:18]) if i % 3 == 1} and (roles == INNER).sum() == 2
    published = fit_roles(SPLIT, OUTCOME, by_validation, 0.3, 5)
    assert (published[PATIENTS[:18]] == FITTED).all() and (published[PATIENTS[18:22]] == INNER).all()
    assert (published[PATIENTS[22:]] == UNSEEN).all()
    # Without validation patients an inner part decides, as in the strict protocol.
    alone = SPLIT.assign(split=SPLIT["split"].replace("validation", "external"))
    assert fit_roles(alone, OUTCOME, by_validation, 0.3, 5).equals(fit_roles(alone, OUTCOME, whole, 0.3, 5))
    seeds = [fit_seed(5, Fit(left_out=folds)) for folds in ((), (1,), (3,), (1, 3), (1, 2))]
    assert len(set(seeds)) == 5 and fit_seed(5, by_validation) == seeds[0]


def test_each_image_is_an_example_with_its_patients_outcome_and_part():
    images = np.arange(3 * 2 * 4 * 5 * 5, dtype=float).reshape(3, 2, 4, 5, 5)
    roles = pd.Series([FITTED, INNER, UNSEEN], ["a", "b", "c"])
    examples = Examples.of(images, np.empty((3, 0)), np.array([1, 0, 1]), roles.to_numpy())
    rows, alone = images_alone(roles, examples)
    assert alone.images.shape == (12, 2, 1, 5, 5) and rows["image"].tolist() == [0, 1, 2, 3] * 3
    assert rows["patient_id"].tolist() == list("aaaabbbbcccc")
    for i, row in enumerate(rows.itertuples()):
        assert (alone.images[i, :, 0].numpy() == images["abc".index(row.patient_id), :, row.image]).all()
        assert alone.role[i] == roles[row.patient_id] == row.role
    assert alone.outcome.tolist() == [1] * 4 + [0] * 4 + [1] * 4
    assert set(alone.rows(FITTED).tolist()) == {0, 1, 2, 3}


def test_a_random_crop_is_a_window_of_the_image_flipped_or_not():
    image = torch.arange(64.0).reshape(1, 1, 1, 8, 8).repeat(40, 3, 1, 1, 1)
    found = random_crop(image, 0.5, torch.Generator().manual_seed(1))
    assert found.shape == image.shape and torch.equal(found[:, 0], found[:, 2])
    assert found.min() >= 0 and found.max() <= 63 and len({tuple(f.flatten().tolist()) for f in found}) > 30
    # Half the side: the values of a row span about half of the row's.
    spans = (found[:, 0, 0, 4].amax(dim=1) - found[:, 0, 0, 4].amin(dim=1)).tolist()
    assert min(spans) > 2.5 and max(spans) < 4.1
    whole = random_crop(image[:8], 1.0, torch.Generator().manual_seed(1))
    kinds = [image[0], image[0].flip(-1), image[0].flip(-2), image[0].flip(-1, -2)]
    assert all(any(torch.allclose(w, k, atol=1e-3) for k in kinds) for w in whole)
    same = augmented(image, {"crop": 0.5}, torch.Generator().manual_seed(1))
    assert torch.equal(same, found)


class Dropping(torch.nn.Module):
    """A linear layer behind a dropout, to see that its draws are repeated by a training that goes on."""

    def __init__(self):
        super().__init__()
        self.drop, self.last = torch.nn.Dropout(0.5), torch.nn.Linear(16, 2)

    def forward(self, images, variables):
        return self.last(self.drop(images.flatten(1)))


SETTINGS = {
    **{"optimiser": "sgd", "learning_rate": 0.1, "momentum": 0.9, "weight_decay": 0.0, "epochs": 6, "batch": 8},
    **{
        "patience": 6,
        "class_weights": False,
        "augmentation": {"crop": 0.8},
        "schedule": "cosine",
        "choose": "accuracy",
    },
}


@pytest.fixture
def examples():
    generator = np.random.default_rng(3)
    outcome = np.arange(40) % 2
    images = generator.normal(size=(40, 1, 1, 4, 4)) + 0.4 * outcome[:, None, None, None, None]
    role = np.array([FITTED] * 24 + [INNER] * 12 + [UNSEEN] * 4)
    return Examples.of(images, np.empty((40, 0)), outcome, role)


def test_the_rate_falls_as_half_a_cosine_over_the_whole_run(examples, monkeypatch):
    rates = []
    step = torch.optim.SGD.step

    def watched(self, *args, **kwargs):
        rates.append(self.param_groups[0]["lr"])
        return step(self, *args, **kwargs)

    monkeypatch.setattr(torch.optim.SGD, "step", watched)
    torch.manual_seed(1)
    train(Dropping(), examples, SETTINGS, 1)
    # Six epochs of three batches; torch's own schedule is the reference.
    monkeypatch.undo()
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 18)
    expected = []
    for _ in range(18):
        expected.append(schedule.get_last_lr()[0])
        optimiser.step()
        schedule.step()
    assert rates == pytest.approx(expected, abs=1e-9) and cosine_rate(0.1, 18, 18) == pytest.approx(0)


def test_the_epoch_of_the_best_inner_accuracy_is_kept_and_a_killed_training_ends_the_same(examples, tmp_path):
    torch.manual_seed(1)
    whole = Dropping()
    start = {n: v.clone() for n, v in whole.state_dict().items()}
    history = train(whole, examples, SETTINGS, 1, tmp_path / "a.pt")
    best = max(history, key=lambda row: (row["inner_accuracy"], -row["inner_loss"]))
    assert history[-1]["best"] == best["epoch"] and len(history) == 6
    inner = examples.rows(INNER)
    called = (probabilities(whole, examples)[inner] >= 0.5).astype(int)
    assert (called == examples.outcome[inner].numpy()).mean() == pytest.approx(best["inner_accuracy"])
    by_loss = Dropping()
    by_loss.load_state_dict(start)
    lowest = train(by_loss, examples, {**SETTINGS, "choose": "loss"}, 1)
    assert lowest[-1]["best"] == min(lowest, key=lambda row: row["inner_loss"])["epoch"]

    class Killed(Exception):
        pass

    broken, again = Dropping(), Dropping()
    for network in (broken, again):
        network.load_state_dict(start)
    forward, calls = Dropping.forward, []

    def dying(self, images, variables):
        calls.append(1)
        if len(calls) > 14:
            raise Killed
        return forward(self, images, variables)

    Dropping.forward = dying
    try:
        with pytest.raises(Killed):
            train(broken, examples, SETTINGS, 1, tmp_path / "b.pt")
    finally:
        Dropping.forward = forward
    assert train(again, examples, SETTINGS, 1, tmp_path / "b.pt") == history
    assert all(torch.equal(v, whole.state_dict()[n]) for n, v in again.state_dict().items())
