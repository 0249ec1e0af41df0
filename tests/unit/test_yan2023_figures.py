"""Figures of grids of signatures, of crops, and what stands below every figure of random weights."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from figure_checks import shown_text, unreadable
from PIL import Image

from hcc_recurrence.figures.crops import plot_crops
from hcc_recurrence.figures.html import write_html
from hcc_recurrence.figures.nomogram import plot_nomogram
from hcc_recurrence.figures.risk_factors import number_text, plot_corrected_calibrations
from hcc_recurrence.figures.signature_grid import plot_choice, plot_grid
from hcc_recurrence.figures.style import save_figure
from hcc_recurrence.statistics.nomogram import Axis, NomogramModel

SELECTORS, CLASSIFIERS = ("ANOVA", "RFE", "Relief"), ("RF", "SVM", "LASSO", "AdaBoost", "GP")

# As a figure was drawn: with its title, at the size of a screen.
SETTINGS = {"dpi": 100, "titles": True, "simulated": False}


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def grid():
    """Three phases by 15 cells in all estimates; one cell of each phase is chosen as published."""
    generator = np.random.default_rng(1)
    rows = []
    for phase in ("AP", "PVP", "HBP"):
        for i, selector in enumerate(SELECTORS):
            for j, classifier in enumerate(CLASSIFIERS):
                for estimate, n in (("out_of_fold", 61), ("validation", 16), ("external", 20), ("apparent", 61)):
                    auc = generator.uniform(0.45, 0.95)
                    low, high = auc - 0.15, min(1.0, auc + 0.15)
                    limits = (np.nan, np.nan) if estimate == "apparent" and not i else (low, high)
                    numbers = dict(zip(("auc", "low", "high"), (auc, *limits), strict=True))
                    cell = {"phase": phase, "selector": selector, "classifier": classifier}
                    chosen = {"chosen_strict": 0.5 if i == j else 0.0, "chosen_as_published": (i, j) == (1, 4)}
                    rows.append({**cell, "estimate": estimate, "n": n, **numbers, **chosen})
    return pd.DataFrame(rows)


@pytest.mark.parametrize("protocol", ["strict", "as_published"])
def test_every_cell_has_its_auc_and_interval(grid, protocol):
    figure = plot_grid(grid, protocol, "cohort")
    assert unreadable(figure) == []
    text = shown_text(figure)
    estimate = "out_of_fold" if protocol == "strict" else "validation"
    for row in grid[grid["estimate"] == estimate].itertuples():
        assert f"{row.auc:.2f}\n{row.low:.2f}-{row.high:.2f}" in text
    assert ("apparent" in text) == (protocol == "as_published") and "external (n = 20)" in text
    assert text.count("chosen") == (10 if protocol == "as_published" else 0) and ("50%" in text) == (
        protocol == "strict"
    )


def metrics_of_study():
    rows = []
    for model in ("AP", "PVP", "HBP", "mp-MR"):
        for protocol, split, estimate, auc in (
            ("as_published", "validation", "held_out", 0.8),
            ("strict", "validation", "held_out", 0.6),
            ("strict", "train", "out_of_fold", 0.51),
        ):
            about = {"model": model, "protocol": protocol, "split": split, "estimate": estimate}
            rows.append({**about, "auc": auc, "auc_low": auc - 0.1, "auc_high": auc + 0.1})
    return pd.DataFrame(rows)


def test_the_choice_shows_all_cells_and_the_three_aucs(grid):
    figure = plot_choice(grid, metrics_of_study(), "cohort", 0.9)
    assert unreadable(figure) == []
    text = shown_text(figure)
    for words in ("0.80 (0.70-0.90)", "0.60 (0.50-0.70)", "0.51 (0.41-0.61)", "oracle AUC 0.900", "15 cells"):
        assert words in text
    dots = [c for c in figure.axes[0].collections if len(c.get_offsets()) == 15]
    assert len(dots) == 3
    drawn = sorted(round(float(x), 6) for x, _ in dots[0].get_offsets())
    own = grid[(grid["estimate"] == "validation") & (grid["phase"] == "HBP")]["auc"]
    expected = [
        sorted(grid[(grid["estimate"] == "validation") & (grid["phase"] == p)]["auc"].round(6)) for p in ("AP", "HBP")
    ]
    assert drawn in expected and len(own) == 15


def test_without_validation_patients_there_is_still_a_figure(grid):
    own = grid[grid["estimate"].isin(["out_of_fold", "apparent"])]
    strict = metrics_of_study().query("split == 'train'")
    assert unreadable(plot_choice(own, strict, "cohort", None)) == []
    assert unreadable(plot_grid(own, "strict", "cohort")) == []


def test_crops_of_every_patient_are_on_the_page():
    generator = np.random.default_rng(2)
    patients = [f"P{i:03d}" for i in range(7)]
    images = generator.uniform(0, 255, (7, 3, 1, 24, 24)).astype(np.float32)
    masks = np.zeros((7, 3, 1, 24, 24), np.uint8)
    masks[..., 6:18, 6:18] = 1
    figure = plot_crops(images, masks, patients, ["arterial", "portal", "hepatobiliary"], "cohort")
    assert unreadable(figure) == []
    assert all(patient in shown_text(figure) for patient in patients)
    page = figure.axes[0].images[0].get_array()
    # Each image stands on the page as it is.
    pixels = np.asarray(page.filled(np.nan), float)
    assert np.isfinite(pixels).sum() == 7 * 3 * 24 * 24
    assert np.nanmax(pixels) == pytest.approx(images.max()) and np.nanmean(pixels) == pytest.approx(images.mean())
    one_mask = plot_crops(images, masks[:, 0], patients, ["arterial", "portal", "hepatobiliary"], "cohort")
    assert unreadable(one_mask) == []


def test_calibrations_of_several_models():
    at = np.linspace(0.05, 0.95, 19)
    curves = pd.concat([pd.DataFrame({"model": m, "at": at, "apparent": at, "corrected": at**1.2}) for m in "AB"])
    optimism = [{"measure": m, "apparent": 0.8, "corrected": 0.7} for m in ("auc", "brier")]
    slope = {"measure": "slope", "apparent": float("nan"), "corrected": float("nan")}
    figure = plot_corrected_calibrations(curves, {"A": [*optimism, slope], "B": [*optimism, slope], "C": []}, "cohort")
    assert unreadable(figure) == []
    text = shown_text(figure)
    assert "AUC 0.80, corrected 0.70" in text and "slope none, corrected none" in text and "No variable" in text
    assert number_text(None) == "none"


def nomogram():
    axes = (Axis("mp-MR", 6.0, 0.1, 0.9), Axis("mvi", 1.2, 0, 1, ("no", "yes")))
    return plot_nomogram(NomogramModel("logistic", axes, -3.0), "DL", {"mp-MR": 0.88888, "mvi": 1.0}, "P001")


def test_the_mark_stands_below_the_figure_and_over_nothing(grid, tmp_path):
    mark = "Random weights, not ImageNet's: Yan 2023 VGG19"
    for figure in (nomogram(), plot_grid(grid, "strict", "c"), plot_choice(grid, metrics_of_study(), "c", 0.9)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(plt, "close", lambda figure: None)
            save_figure(figure, [str(tmp_path / "a.png"), str(tmp_path / "a.svg")], SETTINGS, mark)
        assert mark in shown_text(figure) and unreadable(figure) == []
        assert mark in (tmp_path / "a.svg").read_text()
    assert "mp-MR 0.8889, mvi yes" in shown_text(nomogram())
    narrow, axis = plt.subplots(figsize=(2.5, 2))
    axis.set(xlabel="x", ylabel="y")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plt, "close", lambda figure: None)
        save_figure(
            narrow,
            [str(tmp_path / "a.png"), str(tmp_path / "a.svg")],
            SETTINGS,
            f"{mark}; Trained from random weights: ResNet-10, ResNet-18",
        )
    assert unreadable(narrow) == [] and "ResNet-18" in shown_text(narrow)


def test_a_figure_of_256_colours_looks_as_drawn(grid, tmp_path):
    plot_grid(grid, "strict", "cohort").savefig(tmp_path / "drawn.png")
    for name in "ab":
        save_figure(plot_grid(grid, "strict", "cohort"), str(tmp_path / f"{name}.png"), SETTINGS)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    drawn, kept = (np.asarray(Image.open(tmp_path / f).convert("RGB"), float) for f in ("drawn.png", "a.png"))
    assert drawn.shape == kept.shape and np.abs(drawn - kept).mean() < 2
    assert (tmp_path / "a.png").stat().st_size < 0.7 * (tmp_path / "drawn.png").stat().st_size


def test_a_table_says_its_mark(tmp_path):
    write_html(pd.DataFrame({"a": [1.0]}), "t", tmp_path / "a.html", "how to read it", mark="Random weights < here")
    text = (tmp_path / "a.html").read_text()
    assert '<p class="mark">Random weights &lt; here</p><p>how to read it</p>' in text
    write_html(pd.DataFrame({"a": [1.0]}), "t", tmp_path / "b.html")
    assert 'class="mark"' not in (tmp_path / "b.html").read_text()
