"""Figures of Zhang 2025: what apparent scores inflate, contact sheets, Grad-CAM, training of several networks."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from figure_checks import drawn_texts, shown_text, unreadable
from matplotlib.transforms import Bbox

from hcc_recurrence.figures.activation import plot_activation
from hcc_recurrence.figures.crops import plot_views
from hcc_recurrence.figures.inflation import plot_inflation
from hcc_recurrence.figures.style import save_figure
from hcc_recurrence.figures.training import plot_training

# As a figure was drawn: with its title, at the size of a screen.
SETTINGS = {"dpi": 150, "titles": True, "simulated": False}


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture
def inflation():
    rows = [
        (learner, protocol, 0.6 + 0.3 * (protocol == "as_published"), 0.7, 0.65, 0.6)
        for learner in ("LR", "RF", "ExtraTrees", "XGBoost", "LightGBM")
        for protocol in ("strict", "as_published")
    ]
    return pd.DataFrame(rows, columns=["learner", "protocol", "cv_auc", "train", "validation", "external"])


def test_inflation_shows_every_learner_in_both_protocols(inflation):
    figure = plot_inflation(inflation, "cohort", 0.9)
    assert unreadable(figure) == [] and len(figure.axes) == 4
    text = shown_text(figure)
    assert "LightGBM" in text and "dashed the oracle AUC" in text and "external" in text
    points = [line.get_xdata() for line in figure.axes[0].lines if len(line.get_xdata()) == 5]
    assert sorted(np.mean(p) for p in points) == pytest.approx([0.6, 0.9])
    alone = plot_inflation(inflation.assign(external=np.nan).query("learner == 'LR'"), "cohort", None)
    assert len(alone.axes) == 3 and unreadable(alone) == [] and "dashed" not in shown_text(alone)


def test_a_mark_does_not_lie_over_a_legend_outside_the_axes(inflation, tmp_path, monkeypatch):
    figure = plot_inflation(inflation, "cohort", 0.9)
    boxes = {}

    def look(self, target, **kwargs):
        self.canvas.draw()
        renderer = self.canvas.get_renderer()
        boxes["legend"] = self.legends[0].get_window_extent(renderer)
        boxes["mark"] = next(t for t in drawn_texts(self) if "Random" in t.get_text()).get_window_extent(renderer)
        if kwargs.get("format") == "rgba":
            target.write(self.canvas.buffer_rgba())

    monkeypatch.setattr(type(figure), "savefig", look)
    save_figure(
        figure,
        [str(tmp_path / "a.png"), str(tmp_path / "a.svg")],
        SETTINGS,
        "Random weights, not ImageNet's: " + "a network, " * 12,
    )
    assert Bbox.intersection(boxes["legend"], boxes["mark"]) is None


@pytest.mark.parametrize(
    "views", [[-4, -2, -1, 0, 1, 2, 4, "sagittal", "coronal", "coronal+4"], [0, "sagittal", "coronal"]]
)
def test_contact_sheets_name_patients_views_and_phases(views):
    generator = np.random.default_rng(0)
    images = generator.random((7, 3, len(views), 20, 20))
    masks = np.zeros((7, len(views), 20, 20), np.uint8)
    masks[:, :, 5:15, 5:15] = 1
    patients = [f"CT{i:03d}" for i in range(7)]
    figure = plot_views(images, masks, patients, ("arterial", "precontrast", "portal"), views, "cohort, page 1")
    text = shown_text(figure)
    assert all(p in text for p in patients) and text.count("sagittal") == 7 and "arterial, precontrast" in text
    assert text.count("-4") == (7 if -4 in views else 0)
    page = figure.axes[0].images[0].get_array()
    shown = page[~np.isnan(page)] if not np.ma.isMaskedArray(page) else page.compressed()
    assert len(shown) == images.size and np.sort(shown) == pytest.approx(np.sort(images.ravel()))


def test_activation_may_have_an_outline_in_each_view():
    patients = pd.DataFrame(
        {"patient_id": ["a", "b"], "er": [1, 0], "probability": [0.9, 0.2], "kind": ["recurrence, predicted right"] * 2}
    )
    images, masks = np.random.default_rng(1).random((2, 3, 8, 8)), np.zeros((2, 3, 8, 8), np.uint8)
    masks[0, 1, 2:5, 2:5] = 1
    maps = [[np.full((8, 8), 0.5)] * 3] * 2
    figure = plot_activation(patients, images, masks, maps, ["axial", "sagittal", "coronal"], "cohort", "Grad-CAM")
    assert unreadable(figure) == [] and "Grad-CAM, recurrence" in shown_text(figure)
    outlined = [i for i, axis in enumerate(figure.axes[:12]) if axis.collections]
    assert outlined == [2, 3]


@pytest.mark.parametrize("number", [1, 3, 6])
def test_losses_of_many_networks_are_readable(number):
    names = ["DenseNet121", "ResNet50", "ResNet101", "VGG19", "3D-ResNet18", "3D-DenseNet121"][-number:]
    rows = [(n, f"strict.1.{f}", e, 1 / e, 1.2 / e, min(e, 3)) for n in names for f in (0, 1) for e in (1, 2, 3, 4)]
    columns = ["model", "fit", "epoch", "fitted_loss", "inner_loss", "best"]
    figure = plot_training(pd.DataFrame(rows, columns=columns), "cohort")
    assert unreadable(figure) == [] and all(n in shown_text(figure) for n in names)
    assert sum(axis.get_visible() for axis in figure.axes) == number
