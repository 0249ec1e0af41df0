"""How the networks of Zhao 2024 become models of both protocols, the ablation table and the patients shown."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from hcc_recurrence.learning.network_scores import choose_networks, choose_patients, describe_networks, with_fits
from hcc_recurrence.learning.predictions import check_predictions
from hcc_recurrence.methods.zhao2024.declare import FUSIONS
from hcc_recurrence.methods.zhao2024.networks import ablation_table, fusion_variables, network_predictions

PATIENTS = [f"P{i:02d}" for i in range(16)]
SPLIT = pd.DataFrame(
    {
        "patient_id": PATIENTS,
        "split": ["train"] * 10 + ["validation"] * 4 + ["external"] * 2,
        "fold_1": pd.array([1, 1, 1, 1, 1, 2, 2, 2, 2, 2] + [pd.NA] * 6, dtype="Int64"),
    }
)
LABELS = pd.DataFrame(
    {"patient_id": PATIENTS, "er": np.arange(16) % 2, "rfs_months": 10.0, "rfs_event": np.arange(16) % 2}
)


def role(patient: int, fold: int) -> str:
    if patient >= 10 or (fold == 1 and patient < 5) or (fold == 2 and patient >= 5):
        return "unseen"
    return "inner" if patient % 5 == 4 else "fitted"


def score_rows(model: str, protocol: str, folds: tuple[int, ...], base: float) -> pd.DataFrame:
    table = pd.DataFrame(
        [
            {
                "model": model,
                "fit": f"{protocol}.1.{fold}",
                "patient_id": patient,
                "role": role(i, fold),
                # Says which network and fold it is of.
                "probability": base + 0.01 * fold + 0.0001 * i,
            }
            for fold in folds
            for i, patient in enumerate(PATIENTS)
        ]
    )
    return with_fits(table)


@pytest.fixture
def scores():
    deep = [score_rows(n, "strict", (0, 1, 2), b) for n, b in (("ResNet-10", 0.1), ("ResNet-18", 0.2))]
    fused = [score_rows(m, "strict", (0, 1, 2), 0.3 + 0.1 * k) for k, m in enumerate(FUSIONS)]
    published = [score_rows(m, "as_published", (0,), 0.35 + 0.1 * k) for k, m in enumerate(FUSIONS)]
    table = pd.concat([*deep, *fused, *published], ignore_index=True)
    # ResNet-18 ranks the validation patients well, ResNet-10 does not.
    best = (table["model"] == "ResNet-18") & (table["fold"] == 0) & table["patient_id"].isin(PATIENTS[10:14])
    table.loc[best, "probability"] = [0.2, 0.8, 0.3, 0.9]
    worst = (table["model"] == "ResNet-10") & (table["fold"] == 0) & table["patient_id"].isin(PATIENTS[10:14])
    table.loc[worst, "probability"] = [0.8, 0.2, 0.7, 0.1]
    return table


@pytest.fixture
def histories():
    """The inner loss prefers ResNet-10 everywhere but in fold 2."""
    rows = []
    for model, losses in (("ResNet-10", (0.5, 0.5, 0.7)), ("ResNet-18", (0.6, 0.6, 0.6))):
        for fold, loss in enumerate(losses):
            for epoch in (1, 2, 3):
                inner = loss + 0.1 * (epoch != 2)
                rows.append((model, "strict", 1, fold, epoch, inner, min(epoch, 2)))
    table = pd.DataFrame(rows, columns=["model", "protocol", "repeat", "fold", "epoch", "inner_loss", "best"])
    # As read from several files: row numbers that repeat.
    return table.set_index(table["fold"]).rename_axis(None)


def test_the_depth_is_chosen_by_the_inner_loss_of_each_fit(histories):
    choices = choose_networks(histories)
    assert len(choices) == 6 and (choices["best_epoch"] == 2).all() and (choices["epochs"] == 3).all()
    chosen = choices[choices["chosen"]].set_index("fold")["model"].to_dict()
    assert chosen == {0: "ResNet-10", 1: "ResNet-10", 2: "ResNet-18"}
    equal = choose_networks(histories.assign(inner_loss=0.5))
    assert equal.groupby("fold")["chosen"].sum().tolist() == [1, 1, 1]
    networks = {n: {"architecture": "a", "weights": w} for n, w in (("ResNet-10", ""), ("ResNet-18", "file"))}
    table = describe_networks(choices, networks, {"ResNet-10": 5, "ResNet-18": 6})
    assert table["chosen for DL (strict)"].tolist() == [2, 1] and table["fits"].tolist() == [3, 3]
    assert table["starting weights"].tolist() == ["random", "from a file"]
    # A loss of 0.693 is that of a network that knows nothing.
    assert table["fits better than chance"].tolist() == [2, 3]


def test_predictions_of_both_protocols(scores, histories):
    found = network_predictions(LABELS, SPLIT, scores, choose_networks(histories), seed=100)
    check_predictions(found, SPLIT)
    assert set(found["model"]) == {"DL", "DL ResNet-10", "DL ResNet-18", *FUSIONS} and set(found["seed"]) == {101}
    strict = found[(found["model"] == "DL") & (found["protocol"] == "strict")].set_index("patient_id")["probability"]
    assert strict["P00"] == pytest.approx(0.1 + 0.01)  # ResNet-10 of fold 1
    assert strict["P06"] == pytest.approx(0.2 + 0.02 + 0.0006)  # ResNet-18 of fold 2
    assert strict["P14"] == pytest.approx(0.1 + 0.0014)  # ResNet-10 of all training patients
    published = found[found["protocol"] == "as_published"]
    chosen = published[published["model"] == "DL"].set_index("patient_id")["probability"]
    assert chosen["P11"] == 0.8, "the validation AUC chose ResNet-18"
    assert set(published.loc[published["split"] == "train", "estimate"]) == {"apparent"}


def test_a_score_of_a_network_that_saw_the_patient_is_refused(scores, histories):
    scores.loc[(scores["patient_id"] == "P01") & (scores["fold"] == 1), "role"] = "inner"
    with pytest.raises(ValueError, match=r"was trained with \['P01'\]"):
        network_predictions(LABELS, SPLIT, scores, choose_networks(histories), seed=100)


def test_the_fusion_takes_what_its_own_fit_selected():
    columns = ["patient_id", "kind", "variable", "value"]
    rows = [(p, "radiomics", v, x) for p, x in (("B", 2.0), ("A", 1.0)) for v in ("portal_glcm", "arterial_glrlm")]
    inputs = pd.DataFrame([*rows, *((p, "clinical", "ast", 0.5) for p in "AB")], columns=columns)
    both = fusion_variables(inputs, ("deep", "radiomics", "clinical"))
    assert both.shape == (2, 3) and list(both.index) == ["A", "B"] and both.loc["A"].tolist().count(1.0) == 2
    assert fusion_variables(inputs, ("deep", "clinical")).columns.tolist() == [("clinical", "ast")]
    nothing = pd.DataFrame([(p, "none", "", np.nan) for p in "AB"], columns=columns)
    assert fusion_variables(nothing, ("deep", "radiomics", "clinical")).shape == (2, 0)


def test_the_ablation_compares_with_all_inputs_whatever_the_order_of_the_pair():
    models = list(FUSIONS)
    panel = {"protocol": "strict", "split": "validation", "estimate": "held_out"}
    metrics = pd.DataFrame(
        [{**panel, "model": m, "n": 30, "auc": a, "auc_low": 0.5, "auc_high": 0.9} for m, a in zip(
            [*models, "CR"], (0.8, 0.7, 0.75, 0.81, 0.6), strict=True
        )]
    )  # fmt: skip
    pairs = pd.DataFrame(
        [
            {**panel, "model": models[0], "other": models[1], "p": 0.1},
            {**panel, "model": models[2], "other": models[0], "p": 0.2},
            {**panel, "model": models[0], "other": models[3], "p": 0.3},
            {**panel, "model": models[1], "other": models[3], "p": 0.9},
        ]
    )
    table = ablation_table(metrics, pairs).set_index("model")
    assert list(table.index) == models and table.loc[models[1:], "p"].tolist() == [0.1, 0.2, 0.3]
    assert np.isnan(table.loc["DLRCR", "p"]) and np.isnan(table.loc["DLRCR", "difference"])
    assert table.loc[models[1:], "difference"].tolist() == pytest.approx([-0.1, -0.05, 0.01])
    assert table.loc["DLRCR without clinical", "inputs"] == "deep + radiomics"


def test_the_patients_shown_are_the_most_certain_ones_by_networks_that_never_saw_them():
    scores = score_rows("ResNet-10", "strict", (1, 2), 0.1)
    # Right and sure: P01; right: P03; wrong and sure: P05 (recurs, 0.02); P06 does not recur, 0.95.
    for patient, value in (("P01", 0.9), ("P03", 0.7), ("P05", 0.02), ("P06", 0.95), ("P08", 0.05)):
        scores.loc[scores["patient_id"] == patient, "probability"] = value
    # A validation patient and a score of a network that saw the patient are surer, and do not count.
    scores.loc[scores["patient_id"] == "P11", "probability"] = 1.0
    scores.loc[(scores["patient_id"] == "P07") & (scores["fold"] == 1), "probability"] = 1.0
    chosen = choose_patients(scores, LABELS).set_index("kind")
    assert chosen["patient_id"].to_dict() == {
        "recurrence, predicted right": "P01",
        "no recurrence, predicted right": "P08",
        "recurrence, predicted wrong": "P05",
        "no recurrence, predicted wrong": "P06",
    }
    assert chosen.loc["recurrence, predicted right", "fold"] == 1
