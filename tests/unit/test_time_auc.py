"""Time-dependent AUC over the months: scikit-survival's values, the horizon, censoring, and its figure."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from figure_checks import shown_text, unreadable
from sksurv.metrics import cumulative_dynamic_auc
from sksurv.util import Surv

from hcc_recurrence.figures.time_auc import plot_time_auc
from hcc_recurrence.statistics.degenerate import NOTHING, few_around
from hcc_recurrence.statistics.time_auc import time_auc_tables


@pytest.fixture(scope="module")
def predictions():
    """Two models, two strict repeats, on 60 training (3 folds) and 40 validation patients, a third of them censored."""
    generator = np.random.default_rng(5)
    n = 100
    z = generator.normal(size=n)
    time = generator.exponential(25 * np.exp(-z))
    follow_up = generator.uniform(12, 70, n)
    about = {"patient_id": [f"p{i:03d}" for i in range(n)], "split": np.where(np.arange(n) < 60, "train", "validation")}
    about |= {"rfs_months": np.minimum(time, follow_up).round(1), "rfs_event": (time <= follow_up).astype(int)}
    train, parts = np.arange(n) < 60, []
    for model, noise in (("DSFR", 0.8), ("Visual", 2.0)):
        for repeat in (1, 2):
            p = 1 / (1 + np.exp(-(z + noise * generator.normal(size=n))))
            rows = pd.DataFrame(about).assign(y=(time <= 24).astype(int), model=model, probability=p, seed=repeat)
            fold = np.where(train, np.arange(n) % 3 + 1, 0)
            estimate = np.where(train, "out_of_fold", "held_out")
            parts.append(rows.assign(protocol="strict", repeat=repeat, fold=fold, estimate=estimate))
    return pd.concat(parts, ignore_index=True)


def test_values_are_scikit_survivals(predictions):
    table, curve = time_auc_tables(predictions, ["DSFR"], [12, 18, 24], 24.0, 100, 1)
    held = table[table["split"] == "validation"].set_index("months")
    own = predictions[(predictions["split"] == "validation") & (predictions["model"] == "DSFR")]
    expected = []
    for _, rows in own.groupby("repeat"):
        survival = Surv.from_arrays(rows["rfs_event"].astype(bool), rows["rfs_months"])
        expected.append(cumulative_dynamic_auc(survival, survival, rows["probability"], [12.0, 18, 24])[0])
    assert held["auc"].to_numpy() == pytest.approx(np.mean(expected, axis=0), abs=1e-9)
    assert (held["low"] < held["auc"]).all() and (held["auc"] < held["high"]).all()
    one = own[own["repeat"] == 1]
    assert held.loc[18, "recurred"] == ((one["rfs_months"] <= 18) & (one["rfs_event"] == 1)).sum()
    assert held.loc[18, "followed"] == (one["rfs_months"] > 18).sum()
    # The curve goes through the table's values.
    by_month = curve[curve["split"] == "validation"].set_index("months")["auc"]
    assert by_month.loc[[12, 18, 24]].to_numpy() == pytest.approx(held["auc"].to_numpy(), abs=1e-12)
    assert (curve[["recurred", "followed"]] >= 5).all(axis=None) and by_month.index.max() > 24


def test_censored_times_say_nothing_beyond_the_horizon_and_the_same_before(predictions):
    whole, curve = time_auc_tables(predictions, ["DSFR"], [12, 24, 36], 23.984, 20, 1)
    until, short = time_auc_tables(predictions, ["DSFR"], [12, 24, 36], 23.984, 20, 1, censored=True)
    assert set(until["months"]) == {12, 24} and short["months"].max() == 23 < curve["months"].max()
    both = whole[whole["months"] < 36].reset_index(drop=True)
    pd.testing.assert_frame_equal(until.reset_index(drop=True), both)
    # 24 months are the horizon of 730 days: a recurrence in between is not early.
    moved = predictions.assign(rfs_months=predictions["rfs_months"].where(predictions["rfs_months"] != 24.0, 24.1))
    moved.loc[moved["patient_id"] == "p070", ["rfs_months", "rfs_event"]] = [23.99, 1]
    table, _ = time_auc_tables(moved, ["DSFR"], [24], 23.984, 20, 1)
    row = table[table["split"] == "validation"].iloc[0]
    one = moved[(moved["split"] == "validation") & (moved["model"] == "DSFR") & (moved["repeat"] == 1)]
    assert row["recurred"] == ((one["rfs_months"] <= 23.984) & (one["rfs_event"] == 1)).sum()


def test_few_patients_and_one_score_for_everyone(predictions):
    few = predictions[(predictions["split"] == "train") | predictions["patient_id"].str.endswith("5")].copy()
    few.loc[few["model"] == "Visual", "probability"] = 0.3
    table, curve = time_auc_tables(few, ["DSFR", "Visual"], [12], 24.0, 20, 1)
    rows = table.set_index(["model", "split"])
    assert rows.loc[("Visual", "train"), "remark"] == NOTHING and np.isnan(rows.loc[("Visual", "train"), "auc"])
    assert rows.loc[("DSFR", "validation"), "remark"] == few_around()
    assert np.isnan(rows.loc[("DSFR", "validation"), "low"])
    assert set(zip(curve["model"], curve["split"], strict=True)) == {("DSFR", "train")}
    figure = plot_time_auc(table, curve, few, "strict", ["DSFR", "Visual"], 24.0)
    assert NOTHING in shown_text(figure) and "fewer than 5 recurrences" in shown_text(figure)
    plt.close("all")


def test_the_figure_can_be_read(predictions):
    models = ["DSFR", "Visual"]
    table, curve = time_auc_tables(predictions, models, [12, 18, 24], 24.0, 20, 1)
    figure = plot_time_auc(table, curve, predictions, "strict", models, 24.0)
    assert unreadable(figure) == []
    row = table[(table["split"] == "validation") & (table["months"] == 24) & (table["model"] == "DSFR")].iloc[0]
    text = shown_text(figure)
    assert f"DSFR {row['auc']:.2f} ({row['low']:.2f}-{row['high']:.2f})" in text and "AUC at 24 months (95% CI)" in text
    plt.close("all")
