"""Training of networks: who trains, what is kept, that a killed one goes on, and that nobody is scored by their own."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pandas as pd
import pytest
import torch
from precision import assert_same_rounding
from torch.nn import functional
from training_checks import declared_bytes, kept_for_gradient, killed_after_two_epochs

from hcc_recurrence.cohort.fit import Fit
from hcc_recurrence.networks import architectures, training
from hcc_recurrence.networks.augmentation import random_affine
from hcc_recurrence.networks.examples import FITTED, INNER, UNSEEN, fit_roles, load_images, stack_crops
from hcc_recurrence.networks.fits import about_fit, patients_of, run_fit
from hcc_recurrence.networks.phase_network import PhaseNetwork
from hcc_recurrence.networks.resnet import STAGES, WITH_BOTTLENECKS, ResNet, parameter_count
from hcc_recurrence.networks.score_cam import score_cam
from hcc_recurrence.networks.training import (
    Examples,
    class_weights,
    load_backbone,
    load_weights,
    probabilities,
    save_network,
    train,
    weighted_loss,
)

SETTINGS = {
    "optimiser": "adam",
    "learning_rate": 0.003,
    "momentum": 0.9,
    "weight_decay": 1e-4,
    "epochs": 6,
    "batch": 8,
    "patience": 20,
    "class_weights": True,
    "augmentation": {"rotation_deg": 15, "scale": 0.1, "shift": 0.1},
}
PATIENTS = [f"P{i:02d}" for i in range(24)]


def textured(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Images whose noise is stronger in patients with recurrence, (n, 2 phases, 3 slices, 16, 16), and the outcome."""
    generator = np.random.default_rng(seed)
    y = np.arange(n) % 2
    noise = generator.normal(size=(n, 2, 3, 16, 16)) * (0.05 + 0.25 * y[:, None, None, None, None])
    return (0.5 + noise).astype(np.float32), y


def make_split(n: int = 24, folds: int = 3) -> pd.DataFrame:
    fold = pd.array([1 + (i // 2) % folds for i in range(n - 4)] + [pd.NA] * 4, dtype="Int64")
    split = ["train"] * (n - 4) + ["validation"] * 4
    return pd.DataFrame({"patient_id": PATIENTS[:n], "split": split, "fold_1": fold})


def make_examples(role: list[str], seed: int = 0) -> Examples:
    images, y = textured(len(role), seed)
    return Examples.of(images, np.empty((len(role), 0)), y, np.array(role))


def small_network() -> PhaseNetwork:
    torch.manual_seed(3)
    return PhaseNetwork("resnet10_trunc", 2)


ROLES = [FITTED] * 12 + [INNER] * 4 + [UNSEEN] * 8


def test_roles_keep_the_held_out_fold_and_other_splits_unseen_and_stratify_the_inner_patients():
    split, outcome = make_split(), pd.Series(np.arange(24) % 2, index=PATIENTS)
    roles = fit_roles(split, outcome, Fit(left_out=(2,)), 0.25, 7)
    held = split.loc[(split["fold_1"] == 2).fillna(False) | (split["split"] != "train"), "patient_id"]
    assert set(roles.index[roles == UNSEEN]) == set(held)
    inner = outcome[roles.index[roles == INNER]]
    assert inner.sum() == len(inner) - inner.sum() == 2
    assert set(fit_roles(split, outcome, Fit(), 0.25, 7)[split["patient_id"][:20]]) == {FITTED, INNER}
    assert (fit_roles(split, outcome, Fit(left_out=(2,)), 0.25, 7) == roles).all()
    assert (fit_roles(split, outcome, Fit(left_out=(2,)), 0.25, 8) != roles).any()
    with pytest.raises(ValueError, match="two training patients of each outcome; one has 0"):
        fit_roles(split, outcome * 0, Fit(left_out=(2,)), 0.25, 7)


def test_class_weights_are_the_published_ones():
    assert class_weights(torch.tensor([0] * 54 + [1] * 78)).tolist() == pytest.approx([1.222, 0.846], abs=5e-4)


def test_weighted_losses_as_torch_and_as_keras_divide_them():
    """By hand: losses 1 and 3 with weights 2 and 0.5 are 3.5 in all, over 2.5 of weights or over 2 patients."""
    logits = torch.tensor([[np.log(np.expm1(1.0)), 0.0], [0.0, np.log(np.expm1(3.0))]], dtype=torch.float32)
    truth, weight = torch.tensor([1, 0]), torch.tensor([0.5, 2.0])
    assert functional.cross_entropy(logits, truth, reduction="none").tolist() == pytest.approx([1.0, 3.0], abs=1e-6)
    assert weighted_loss(logits, truth, weight, False).item() == pytest.approx(3.5 / 2.5, abs=1e-6)
    assert weighted_loss(logits, truth, weight, True).item() == pytest.approx(3.5 / 2, abs=1e-6)
    assert weighted_loss(logits, truth, None, True).item() == pytest.approx(2.0, abs=1e-6)


def test_training_learns_and_ends_with_the_weights_of_the_best_epoch():
    network, examples = small_network(), make_examples(ROLES)
    history = train(network, examples, {**SETTINGS, "epochs": 12}, seed=1)
    assert [row["epoch"] for row in history] == list(range(1, len(history) + 1))
    best = min(history, key=lambda row: row["inner_loss"])
    assert history[-1]["best"] == best["epoch"]
    rows = examples.rows(INNER)
    with torch.no_grad():
        logits = network(examples.images[rows], examples.variables[rows])
    weight = class_weights(examples.outcome[examples.rows(FITTED)])
    assert functional.cross_entropy(logits, examples.outcome[rows], weight).item() == pytest.approx(best["inner_loss"])
    found = probabilities(network, examples)[16:]
    assert found[1::2].min() > found[::2].max(), "unseen patients are told apart by their texture"


def test_training_stops_when_the_inner_loss_no_longer_falls():
    images, y = textured(24)
    # Inner patients with the outcomes exchanged: what is learned makes their loss rise.
    y = np.where(np.array(ROLES) == INNER, 1 - y, y)
    examples = Examples.of(images, np.empty((24, 0)), y, np.array(ROLES))
    history = train(small_network(), examples, {**SETTINGS, "epochs": 40, "patience": 3}, seed=1)
    assert len(history) == history[-1]["best"] + 3 < 40


def test_a_killed_training_goes_on_and_ends_as_an_undisturbed_one(tmp_path, monkeypatch, capsys):
    state = tmp_path / "state" / "1.1.pt"
    undisturbed = small_network()
    history = train(undisturbed, make_examples(ROLES), SETTINGS, seed=1)

    arguments = (make_examples(ROLES), SETTINGS)
    killed_after_two_epochs(monkeypatch, lambda: train(small_network(), *arguments, seed=1, state=state))
    assert state.is_file()
    kept = state.read_bytes()
    resumed = small_network()
    assert train(resumed, make_examples(ROLES), SETTINGS, seed=1, state=state) == history
    assert "going on after epoch 2" in capsys.readouterr().out and not state.exists()
    for name, value in undisturbed.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name

    # The same file beside other data, settings or code is not gone on with.
    changes = [
        (make_examples(ROLES, seed=1), SETTINGS, ""),
        (make_examples(ROLES), {**SETTINGS, "weight_decay": 0.0, "epochs": 1}, ""),
        (make_examples(ROLES), {**SETTINGS}, "another version"),
    ]
    for examples, settings, version in changes:
        state.write_bytes(kept)
        train(small_network(), examples, {**settings, "epochs": 1}, seed=1, state=state, version=version)
        assert "starting anew" in capsys.readouterr().out


@pytest.mark.parametrize(("seconds", "disk", "kept"), [(0.0, 1e9, [1, 2, 3, 4, 5]), (1000.0, 1e9, [1]), (0.0, 1.0, [])])
def test_keeping_a_training_takes_a_small_part_of_its_time(tmp_path, monkeypatch, seconds, disk, kept):
    """The first epoch is kept; a file that takes long to write is not written after each one, or near the end."""
    clock, written, batches_of = [0.0], [], training.batches_of
    monkeypatch.setattr(training.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(training, "BYTES_A_SECOND", disk)

    def an_epoch(*given):
        clock[0] += 1
        return batches_of(*given)

    def write(path, state):
        clock[0] += seconds
        written.append(len(json.loads(state["history"])))

    monkeypatch.setattr(training, "batches_of", an_epoch)
    monkeypatch.setattr(training, "_write_state", write)
    settings = {**SETTINGS, "epochs": 6, "patience": 6}
    history = train(small_network(), make_examples(ROLES), settings, seed=1, state=tmp_path / "state.pt")
    assert len(history) == 6 and written == kept


def test_what_differs_on_a_gpu_gives_the_same_training_each_time_and_nearly_that_of_a_cpu(capsys):
    """`cpu:0` takes the path of a GPU on this processor: kernels with channels last, bfloat16, deterministic."""
    examples = make_examples([FITTED] * 16 + [INNER] * 8)
    histories = {}
    try:
        for device in ("cpu", "cpu:0", "cpu:0 again"):
            network = small_network()
            histories[device] = train(network, examples, SETTINGS, 1, device=device.removesuffix(" again"))
            assert all(value.dtype == torch.float32 for value in network.parameters())
        assert torch.are_deterministic_algorithms_enabled()
    finally:
        torch.use_deterministic_algorithms(False)
    assert histories["cpu:0"] == histories["cpu:0 again"]
    exact, rounded = ([row["fitted_loss"] for row in histories[d]] for d in ("cpu", "cpu:0"))
    assert exact != rounded, "bfloat16 was not used"
    assert rounded[0] == pytest.approx(exact[0], rel=0.02)


def test_augmentation_moves_all_slices_of_a_patient_alike_and_nothing_where_it_may_not():
    images = torch.rand(5, 2, 3, 12, 12)
    still = random_affine(images, 0, 0, 0, torch.Generator().manual_seed(1))
    flips = [images, images.flip(-1), images.flip(-2), images.flip(-1, -2)]
    seen = set()
    for patient in range(5):
        kinds = [k for k, f in enumerate(flips) if torch.allclose(still[patient], f[patient], atol=1e-5)]
        assert len(kinds) == 1
        seen.add(kinds[0])
    assert len(seen) > 1
    alike = images[:, :1, :1].expand(-1, 2, 3, -1, -1)
    moved = random_affine(alike, 20, 0.2, 0.2, torch.Generator().manual_seed(2))
    assert torch.allclose(moved, moved[:, :1, :1].expand_as(moved)) and (moved - alike).abs().max() > 0.1
    again = random_affine(alike, 20, 0.2, 0.2, torch.Generator().manual_seed(2))
    assert torch.equal(moved, again)


@pytest.mark.parametrize(
    ("architecture", "parameters", "vector"),
    [
        # The backbone of 683,330 parameters has its FC(128, 2) replaced by FC(384, 2); of 4,906,818 likewise.
        ("resnet10_trunc", 683_330 + 2 * (384 - 128), 384),
        ("resnet10_std", 4_906_818 + 2 * (1536 - 512), 1536),
        ("resnet18", 11_177_538 + 2 * (1536 - 512), 1536),
        ("resnet34", 21_285_698 + 2 * (1536 - 512), 1536),
    ],
)
def test_two_steps_at_the_published_size(architecture, parameters, vector):
    """256 x 256, three phases of three slices, the published optimiser: shapes, parameters, memory of a batch."""
    torch.manual_seed(0)
    network = PhaseNetwork(architecture, 3)
    assert parameter_count(network) == parameters
    images, outcome = torch.rand(2, 3, 3, 256, 256), torch.tensor([0, 1])
    assert network.vectors(images).shape == (2, vector)
    published = {**SETTINGS, "optimiser": "sgd", "learning_rate": 1e-4}
    optimiser = training.make_optimiser(network, published)
    assert optimiser.defaults["momentum"] == 0.9 and optimiser.defaults["weight_decay"] == 1e-4
    losses = []
    for _ in range(2):
        logits = network(images, torch.empty(2, 0))
        loss = functional.cross_entropy(logits, outcome)
        assert logits.shape == (2, 2)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[1] < losses[0]
    kept = kept_for_gradient(network, lambda: functional.cross_entropy(network(images, torch.empty(2, 0)), outcome))
    a_pixel = kept / (2 * 3 * 256 * 256)
    declared = declared_bytes("TRAINING_BYTES")
    print(f"{architecture}: {a_pixel:.0f} bytes a pixel and phase are kept for the gradient; {declared} are asked for")
    assert a_pixel < declared


def test_a_fusion_starts_from_the_deep_model():
    deep = small_network().eval()
    fusion = PhaseNetwork("resnet10_trunc", 2, variables=5).eval()
    assert fusion.fc.in_features == 2 * 128 + 5
    fusion.start_from(deep)
    images = torch.rand(3, 2, 3, 16, 16)
    nothing = torch.zeros(3, 5)
    assert_same_rounding(fusion(images, nothing), deep(images, torch.empty(3, 0)))
    assert not torch.allclose(fusion(images, nothing + 1), deep(images, torch.empty(3, 0)), atol=1e-3)
    alone = PhaseNetwork("", 2, variables=5)
    assert parameter_count(alone) == 12 and alone(images, nothing).shape == (3, 2)
    normalised = PhaseNetwork("", 2, variables=5, layer_norm=True)
    assert parameter_count(normalised) == 22


def test_a_fusion_without_images_trains_on_its_variables_alone():
    variables = np.column_stack([np.arange(24) % 2 - 0.5, np.ones(24)])
    examples = make_examples(ROLES).with_variables(variables, images=False)
    assert examples.images.numel() == 0 and examples.variables.shape == (24, 2)
    network = PhaseNetwork("", 2, variables=2)
    train(network, examples, {**SETTINGS, "learning_rate": 0.1, "epochs": 20}, seed=1)
    found = probabilities(network, examples)
    assert found[1::2].min() > 0.6 > 0.4 > found[::2].max()


def test_networks_are_kept_with_what_made_them_and_read_without_pickle(tmp_path):
    network = small_network()
    roles = pd.Series(ROLES, index=PATIENTS)
    save_network(network, about_fit(roles, SETTINGS, Fit(left_out=(2,)), 5), tmp_path / "n.pt")
    other = PhaseNetwork("resnet10_trunc", 2)
    about = load_weights(other, tmp_path / "n.pt")
    assert (
        about["fitted"] == PATIENTS[:12] and about["fit"] == "strict.1.2" and about["settings"]["optimiser"] == "adam"
    )
    assert all(torch.equal(v, other.state_dict()[n]) for n, v in network.state_dict().items())


def test_a_backbone_starts_from_a_file_of_weights_with_torchvisions_names(tmp_path):
    whole = ResNet("resnet18", classes=1000)
    torch.save(whole.state_dict(), tmp_path / "imagenet.pt")
    network = PhaseNetwork("resnet18", 3)
    load_backbone(network.backbone, tmp_path / "imagenet.pt")
    assert torch.equal(network.backbone.layer4[1].conv2.weight, whole.layer4[1].conv2.weight)
    with pytest.raises(ValueError, match="does not fit the network"):
        load_backbone(PhaseNetwork("resnet34", 3).backbone, tmp_path / "imagenet.pt")


def test_the_config_knows_the_same_words():
    assert set(architectures.OPTIMISERS) == set(training.OPTIMISERS)
    # Those with bottlenecks are networks of single images.
    assert set(architectures.ARCHITECTURES) == set(STAGES) - set(WITH_BOTTLENECKS)


def test_score_cam_equals_its_definition():
    """Wang 2020, Algorithm 1, map by map."""
    torch.manual_seed(4)
    network, images = PhaseNetwork("resnet10_trunc", 2).eval(), torch.rand(2, 3, 32, 32)
    found = score_cam(network, images, phase=1)
    with torch.no_grad():
        maps = network.backbone.maps(images[1:2])[0]
        scores = []
        for one in maps:
            # A map of one value everywhere says nothing of where: it masks everything.
            spread = (one.max() - one.min()).clamp_min(1e-8)
            scaled = functional.interpolate(((one - one.min()) / spread)[None, None], (32, 32), mode="bilinear")[0, 0]
            masked = torch.stack([images[0], images[1] * scaled])
            scores.append(network(masked[None], torch.empty(1, 0))[0, 1])
        combined = functional.relu((torch.softmax(torch.stack(scores), 0)[:, None, None] * maps).sum(0))
        combined = (combined - combined.min()) / (combined.max() - combined.min())
        expected = functional.interpolate(combined[None, None], (32, 32), mode="bilinear")[0, 0]
    assert found.shape == (32, 32) and found.min() >= 0 and found.max() <= 1
    # Maps are weighted by the exponential of scores that rounding has moved, then stretched to 0 and 1.
    assert_same_rounding(found, expected, relative=2e-3)


def out_of_fold(outcome: pd.Series) -> pd.Series:
    """Each training patient's score of the network of the fold that held them out."""
    split, images = make_split(), textured(24)[0]
    found = {}
    for fold in (1, 2, 3):
        fit = Fit(left_out=(fold,))
        roles = fit_roles(split, outcome, fit, 0.25, 5)
        examples = Examples.of(images, np.empty((24, 0)), outcome.to_numpy(), roles.to_numpy())
        make = lambda: PhaseNetwork("resnet10_trunc", 2)  # noqa: E731
        _, scores, _ = run_fit(make, examples, patients_of(roles), {**SETTINGS, "epochs": 2}, fit, 5, None, "")
        held = split.loc[(split["fold_1"] == fold).fillna(False), "patient_id"]
        own = scores.set_index("patient_id").loc[held]
        assert (own["role"] == UNSEEN).all()
        found.update(own["probability"])
    return pd.Series(found)


def test_a_patients_own_label_does_not_reach_their_out_of_fold_score():
    """Exchange one patient's outcome: their own score keeps its bytes, those of other folds do not."""
    outcome = pd.Series(textured(24)[1], index=PATIENTS)
    swapped = outcome.copy()
    swapped["P04"] = 1 - swapped["P04"]
    before, after = out_of_fold(outcome), out_of_fold(swapped)
    fold = make_split().set_index("patient_id")["fold_1"]
    same_fold = [p for p in before.index if fold[p] == fold["P04"]]
    assert (before[same_fold] == after[same_fold]).all() and "P04" in same_fold
    others = [p for p in before.index if fold[p] != fold["P04"]]
    assert (before[others] != after[others]).all()


def test_stacked_crops_are_read_by_patient_and_phase_and_must_be_alike(tmp_path):
    for number, (patient, size) in enumerate(itertools.product(("B", "A"), (4,))):
        image = np.full((2, 3, size, size), number, np.float32)
        image[1] += 10
        np.savez(
            tmp_path / f"{patient}.npz", image=image, mask=image[0].astype(np.uint8), phases=["arterial", "portal"]
        )
    stacked = stack_crops({p: tmp_path / f"{p}.npz" for p in ("B", "A")})
    assert stacked["patients"].tolist() == ["A", "B"] and stacked["image"].shape == (2, 2, 3, 4, 4)
    np.savez(tmp_path / "all.npz", **stacked)
    images, masks = load_images(tmp_path / "all.npz", ["portal"], ["B", "A"])
    assert images[:, 0, 0, 0, 0].tolist() == [10, 11] and masks.shape == (2, 3, 4, 4)
    with pytest.raises(ValueError, match=r"lacks the phases \['delayed'\]"):
        load_images(tmp_path / "all.npz", ["delayed"], ["A"])
    np.savez(tmp_path / "C.npz", image=np.zeros((1, 3, 4, 4)), mask=np.zeros((3, 4, 4)), phases=["arterial"])
    with pytest.raises(ValueError, match="C has"):
        stack_crops({p: tmp_path / f"{p}.npz" for p in ("A", "C")})
