"""One fitted model is the unit of every figure, whatever the number of repeats."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from hcc_recurrence.figures.html import metrics_for_readers
from hcc_recurrence.learning.predictions import COLUMNS, check_predictions
from hcc_recurrence.statistics.auc import auc_cross_validated, auc_delong, delong_components
from hcc_recurrence.statistics.classification import count, metrics_table
from hcc_recurrence.statistics.comparisons import (
    agreement_table,
    delong_pairs,
    optimism_table,
    training_against_others,
)
from hcc_recurrence.statistics.count_solver import check_printed_table
from hcc_recurrence.statistics.decision_curve import survival_decision_curve
from hcc_recurrence.statistics.delong import paired_test
from hcc_recurrence.statistics.measures import calibration_table
from hcc_recurrence.statistics.proportions import proportion_interval
from hcc_recurrence.statistics.single_models import first_repeat, single_fits_beside_all, training_cut_offs


def without_leak(seed: int, repeats: int, models=("a",), n=160) -> pd.DataFrame:
    """A cohort where strict and as published are the same method: a risk with noise of its own in every fit.

    The noise of a fit is what other random numbers do to a trained model; no fit has seen a patient it scores.
    """
    generator = np.random.default_rng(seed)
    y = generator.permutation(np.tile([0, 1], n // 2))
    risk = 0.7 * (2 * y - 1) + generator.normal(size=n)
    train = np.arange(n) < n // 2
    months = np.where(y == 1, 12.0, 36.0)
    parts = []
    for model in models:
        for protocol, number in (("strict", repeats), ("as_published", 1)):
            for repeat in range(1, number + 1):
                score = risk + 1.2 * generator.normal(size=n)
                own = {"estimate": np.where(train, "out_of_fold" if protocol == "strict" else "apparent", "held_out")}
                fold = np.where(train & (protocol == "strict"), np.arange(n) // 2 % 4 + 1, 0)
                about = {"model": model, "protocol": protocol, "repeat": repeat, "seed": repeat, "fold": fold, **own}
                about |= {
                    "patient_id": [f"p{i:03d}" for i in range(n)],
                    "split": np.where(train, "train", "validation"),
                }
                about |= {"y": y, "probability": 1 / (1 + np.exp(-score)), "rfs_months": months, "rfs_event": y}
                parts.append(pd.DataFrame(about))
    return pd.concat(parts, ignore_index=True)


@pytest.mark.parametrize("repeats", [1, 5])
def test_without_a_leak_the_optimism_is_noise_for_any_number_of_repeats(repeats):
    """An average of five models ranks better than each; set against one model it looked like a negative optimism."""
    tables = [optimism_table(without_leak(seed, repeats), 2, 0) for seed in range(60)]
    found = pd.concat(tables)
    for kind in ("training (apparent; out of fold)", "validation"):
        values = found.loc[found["patients"] == kind, "optimism"].to_numpy()
        error = values.std(ddof=1) / np.sqrt(len(values))
        assert abs(values.mean()) < 3 * error, (kind, values.mean(), error)


def test_every_number_is_the_mean_of_single_models():
    predictions = without_leak(1, 5)
    table = metrics_table(predictions).set_index(["protocol", "split"])
    row = table.loc[("strict", "validation")]
    cuts = training_cut_offs(predictions)
    aucs, variances, counts, briers = [], [], [], []
    for repeat in range(1, 6):
        own = predictions[(predictions["protocol"] == "strict") & (predictions["repeat"] == repeat)]
        held = own[own["split"] == "validation"]
        area = auc_delong(held["y"], held["probability"])
        aucs.append(area.auc)
        variances.append(area.variance)
        counts.append(count(held["y"], held["probability"], cuts["a", "strict", repeat]))
        briers.append(np.mean((held["probability"] - held["y"]) ** 2))
    assert row["repeats"] == 5 and row["n"] == 80
    assert row["auc"] == pytest.approx(np.mean(aucs))
    assert row["auc_sd_over_repeats"] == pytest.approx(np.std(aucs, ddof=1))
    assert row["auc_variance"] == pytest.approx(np.mean(variances))
    assert row["auc_high"] - row["auc"] == pytest.approx(1.959964 * np.sqrt(np.mean(variances)), rel=1e-6)
    assert row["threshold"] == pytest.approx(cuts["a", "strict"].mean())
    assert row["tp"] == pytest.approx(np.mean([c.tp for c in counts]))
    for rate in ("accuracy", "sensitivity", "specificity"):
        single = [getattr(c, rate) for c in counts]
        assert row[rate] == pytest.approx(np.mean(single))
        assert row[f"{rate}_sd_over_repeats"] == pytest.approx(np.std(single, ddof=1))
        assert row[f"{rate}_low"] < row[rate] < row[f"{rate}_high"]
    assert row["ppv"] == pytest.approx(row["tp"] / (row["tp"] + row["fp"]))
    assert row["brier"] == pytest.approx(np.mean(briers))
    single = table.loc[("as_published", "validation")]
    assert single["repeats"] == 1 and np.isnan(single["auc_sd_over_repeats"]) and single["tp"] == int(single["tp"])
    calibration = calibration_table(predictions).set_index(["protocol", "split"])
    assert calibration.loc[("strict", "validation"), "slope_sd_over_repeats"] > 0
    assert calibration.loc[("strict", "validation"), "brier"] == pytest.approx(row["brier"])


def test_an_interval_of_five_repeats_is_no_narrower_than_that_of_one():
    """Repeats add no patients."""
    one, five = (metrics_table(without_leak(2, n)).set_index(["protocol", "split"]) for n in (1, 5))
    for split in ("train", "validation"):
        widths = [t.loc[("strict", split), "auc_high"] - t.loc[("strict", split), "auc_low"] for t in (one, five)]
        assert widths[1] > 0.9 * widths[0]


def test_the_interval_covers_the_auc_of_a_single_model():
    """0.95 within the noise of 300 cohorts, where five models' average risk would be judged by another AUC."""
    # AUC of a difference of 1.4 with a variance of 1 + 1.44 in either group.
    from scipy.stats import norm

    true = norm.cdf(1.4 / np.sqrt(2 * (1 + 1.2**2)))
    covered = []
    for seed in range(300):
        rows = without_leak(seed, 3, n=120).query("protocol == 'strict' and split == 'validation'")
        area = auc_cross_validated(*(rows[c].to_numpy() for c in ("y", "probability", "fold", "repeat")))
        covered.append(area.low <= true <= area.high)
    # On the safe side: means of three vary less than one, the interval is that of one.
    assert 0.93 <= np.mean(covered) <= 1


def test_printed_means_of_counts_are_solved_for_their_sums():
    predictions = without_leak(4, 5)
    printed, note = metrics_for_readers(metrics_table(predictions), None)
    row = printed[(printed["protocol"] == "strict") & printed["patients"].str.startswith("validation")].iloc[0]
    assert row["repeats"] == "5" and all("." in row[c] for c in ("TP", "FN", "TN", "FP")) and "means over" in note
    checked = check_printed_table(printed.astype(str))
    assert (checked["solutions"] >= 1).all()
    broken = printed.astype(str)
    broken.loc[row.name, "TP"] = f"{float(row['TP']) + 0.2:.1f}"
    broken.loc[row.name, "FN"] = f"{float(row['FN']) - 0.2:.1f}"
    with pytest.raises(ValueError, match="and not the printed"):
        check_printed_table(broken)


def test_intervals_of_mean_counts_lie_between_those_of_whole_ones():
    for method in ("wilson", "exact"):
        low, high = proportion_interval(12, 40, method), proportion_interval(13, 40, method)
        between = proportion_interval(12.4, 40, method)
        assert low[0] < between[0] < high[0] and low[1] < between[1] < high[1]
        # The formulas for means are those of whole numbers.
        near = proportion_interval(12 + 1e-9, 40, method)
        assert near == pytest.approx(low, abs=1e-6)


def test_models_are_tested_repeat_beside_repeat():
    predictions = without_leak(5, 3, ("a", "b"))
    pair = delong_pairs(predictions, ["a", "b"]).set_index(["protocol", "split"]).loc[("strict", "validation")]
    own = predictions[(predictions["protocol"] == "strict") & (predictions["split"] == "validation")]
    gaps, variances = [], []
    for _, part in own.groupby("repeat"):
        wide = part.pivot(index=["patient_id", "y"], columns="model", values="probability").reset_index()
        test = paired_test(wide["y"].to_numpy(), wide["a"].to_numpy(), wide["b"].to_numpy())
        gaps.append(test.difference)
        variances.append(((test.high - test.low) / (2 * 1.959964)) ** 2)
    assert pair["difference"] == pytest.approx(np.mean(gaps))
    assert pair["z"] == pytest.approx(np.mean(gaps) / np.sqrt(np.mean(variances)), rel=1e-5)


def test_a_model_that_is_fitted_once_stands_beside_each_repeat():
    predictions = without_leak(6, 3, ("a", "b"))
    held = (predictions["model"] == "b") & (predictions["split"] == "validation") & (predictions["repeat"] > 1)
    once = predictions[~held]
    own = once[(once["protocol"] == "strict") & (once["split"] == "validation")]
    assert single_fits_beside_all(own).groupby(["model", "repeat"]).size().tolist() == [80] * 6
    training = once[(once["protocol"] == "strict") & (once["split"] == "train")]
    assert single_fits_beside_all(training) is training
    pair = delong_pairs(once, ["a", "b"]).set_index(["protocol", "split"]).loc[("strict", "validation")]
    mean = np.mean(
        [delong_components(p["y"], p["probability"])[0] for _, p in own[own["model"] == "a"].groupby("repeat")]
    )
    assert pair["auc"] == pytest.approx(mean)
    agreement = agreement_table(once, ["a", "b"]).set_index(["protocol", "split"])
    assert agreement.loc[("strict", "validation"), ["spearman", "kappa"]].notna().all()


def test_training_is_set_against_others_as_the_metrics_table_has_them():
    predictions = without_leak(7, 5)
    metrics = metrics_table(predictions)
    keyed = metrics.set_index(["protocol", "split"])["auc"]
    found = training_against_others(metrics, predictions).set_index("protocol")
    for protocol in ("strict", "as_published"):
        expected = keyed[protocol, "train"] - keyed[protocol, "validation"]
        assert found.loc[protocol, "difference"] == pytest.approx(expected)


def test_folds_of_one_outcome_are_left_out_and_named():
    """A clinical score known in half of the patients leaves folds without a recurrence; nothing stops for it."""
    predictions = without_leak(9, 2)
    lacking = (predictions["fold"] == 1) & (predictions["y"] == 1)
    predictions = predictions[~lacking]
    row = metrics_table(predictions).set_index(["protocol", "split"]).loc[("strict", "train")]
    assert row["remark"] == "2 of 8 folds left out: patients of one outcome only" and row["auc_low"] < row["auc"]
    assert len(calibration_table(predictions)) == 4
    optimism = optimism_table(predictions, 2, 0).set_index("patients")
    assert optimism.loc["training (apparent; out of fold)", "strict"] == pytest.approx(row["auc"])


def test_net_benefit_is_known_where_everyone_above_the_threshold_recurred():
    time, event, risk = np.array([3.0, 5.0, 30.0, 40.0]), np.array([1, 1, 0, 0]), np.array([0.9, 0.8, 0.1, 0.2])
    curve = survival_decision_curve(time, event, {"m": risk}, 24.0, np.array([0.5])).set_index("model")["net_benefit"]
    assert curve["m"] == pytest.approx(0.5)
    censored = survival_decision_curve(time, np.array([1, 0, 0, 0]), {"m": risk}, 24.0, np.array([0.5]))
    assert np.isnan(censored.set_index("model").loc["m", "net_benefit"])


def test_cut_offs_are_those_of_each_repeat_and_lacking_ones_are_named():
    predictions = without_leak(8, 2)
    cuts = training_cut_offs(predictions)
    assert list(cuts.index) == [("a", "as_published", 1), ("a", "strict", 1), ("a", "strict", 2)]
    without = predictions[~((predictions["repeat"] == 2) & (predictions["split"] == "train"))]
    with pytest.raises(ValueError, match="a, strict, repeat 2: no out_of_fold rows"):
        training_cut_offs(without)
    assert first_repeat(predictions)["repeat"].unique().tolist() == [1]


def cross_validated_study(seed: int = 1) -> pd.DataFrame:
    """`without_leak` whose model `a` as published is scored by folds as well, far worse than on its own patients."""
    found = without_leak(seed, 2, ("a", "b"))
    apparent = found[(found["model"] == "a") & (found["estimate"] == "apparent")]
    generator = np.random.default_rng(seed)
    by_folds = apparent.assign(
        estimate="cross_validated",
        fold=np.arange(len(apparent)) // 2 % 4 + 1,
        probability=0.4 * apparent["probability"] + 0.3 * generator.uniform(size=len(apparent)),
    )
    return pd.concat([found, by_folds], ignore_index=True)


def test_cross_validated_rows_speak_for_training_patients_and_are_never_set_against_apparent_ones():
    found = cross_validated_study()
    by_folds = found[found["estimate"] == "cross_validated"]
    columns = [by_folds[c].to_numpy() for c in ("y", "probability")]
    cuts = training_cut_offs(found)
    # Youden by hand: the threshold with the most right, sensitivity and specificity added.
    y, score = columns
    score = score.round(10)
    best = max(np.unique(score), key=lambda c: (score >= c)[y == 1].mean() - (score >= c)[y == 0].mean())
    assert cuts["a", "as_published", 1] == pytest.approx(best, abs=1e-9)
    metrics = metrics_table(found)
    line = metrics[metrics["estimate"] == "cross_validated"].squeeze()
    inside = [auc_delong(p["y"].to_numpy(), p["probability"].to_numpy()).auc for _, p in by_folds.groupby("fold")]
    assert line["auc"] == pytest.approx(np.mean(inside)) and "within folds" in line["auc_ci"]
    assert set(metrics[metrics["protocol"] == "as_published"]["estimate"]) == {
        "apparent",
        "cross_validated",
        "held_out",
    }
    against = training_against_others(metrics, found).set_index(["model", "protocol", "split"])["difference"]
    held = metrics.set_index(["model", "protocol", "estimate"])["auc"]
    expected = held["a", "as_published", "cross_validated"] - held["a", "as_published", "held_out"]
    assert against["a", "as_published", "validation"] == pytest.approx(expected)
    pairs = delong_pairs(found, ["a", "b"])
    assert "cross_validated" not in set(pairs["estimate"]) and "apparent" in set(pairs["estimate"])
    kinds = optimism_table(found, 5, 0).set_index(["model", "patients"])
    line = kinds.loc[("a", "training (cross-validated; out of fold)")]
    assert line["as_published"] == pytest.approx(np.mean(inside))
    assert ("b", "training (cross-validated; out of fold)") not in kinds.index
    table = calibration_table(found)
    freedom = table[(table["model"] == "a") & (table["protocol"] == "as_published")].set_index("estimate")
    freedom = freedom["hl_df"] - freedom["hl_groups"]
    assert freedom["cross_validated"] == 0 and freedom["apparent"] == -2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"protocol": "strict", "repeat": 3}, "cross_validated rows in the protocol strict"),
        ({"fold": 0}, "a fold is named where, and only where"),
        ({"split": "validation"}, "another split than the written one"),
    ],
)
def test_cross_validated_rows_are_checked(change, words):
    found = cross_validated_study()[list(COLUMNS)]
    split = found.drop_duplicates("patient_id")[["patient_id", "split"]]
    check_predictions(found, split)
    rows = found["estimate"] == "cross_validated"
    with pytest.raises(ValueError, match=words):
        check_predictions(found.assign(**{c: found[c].where(~rows, v) for c, v in change.items()}), split)


def test_a_model_from_elsewhere_brings_its_cut_off():
    """No training patients are in the table: the cut-off of its column counts, in metrics and in tests alike."""
    from hcc_recurrence.statistics.classification import metrics_table
    from hcc_recurrence.statistics.comparisons import training_against_others

    y = [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1]
    p = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95]
    rows = pd.DataFrame({"patient_id": [f"p{i}" for i in range(12)], "y": y, "probability": p, "cutoff": 0.5})
    rows = rows.assign(model="A", protocol="strict", split="external", estimate="held_out", repeat=1, fold=0, seed=0)
    assert training_cut_offs(rows).tolist() == [0.5]
    metrics = metrics_table(rows)
    # By hand: of those without recurrence 0.5 and 0.6 are called high, of those with it 0.45 low.
    assert metrics.loc[0, ["tp", "fn", "tn", "fp"]].tolist() == [5, 1, 4, 2]
    assert training_against_others(metrics, rows).empty
