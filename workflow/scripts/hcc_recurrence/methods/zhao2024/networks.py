"""Zhao 2024: the models of the networks (DL, DLRCR and it without one input). docs/methods.md 4.4, 4.5."""

from __future__ import annotations

import numpy as np
import pandas as pd

from hcc_recurrence.cohort.fit import PUBLISHED, STRICT, Fit
from hcc_recurrence.learning.network_scores import best_by_validation, published_rows, strict_rows
from hcc_recurrence.methods.zhao2024.declare import DEEP, FUSION, FUSIONS


def fusion_variables(inputs: pd.DataFrame, kinds: tuple[str, ...]) -> pd.DataFrame:
    """The variables of one fit that enter the last layer, a row a patient; no column where nothing was selected.

    Args:
        inputs: of `Variables.table`: patient_id, kind, variable, value; values are z-scores of the fit's training
            patients. kinds: radiomics, clinical, or both.
    """
    chosen = inputs[inputs["kind"].isin(kinds)]
    wide = chosen.pivot(index="patient_id", columns=["kind", "variable"], values="value")
    return wide.reindex(sorted(inputs["patient_id"].unique())).astype(float)


def chosen_network(
    labels: pd.DataFrame, split: pd.DataFrame, scores: pd.DataFrame, choices: pd.DataFrame, fit: Fit
) -> tuple[str, list[str]]:
    """Which network is DL in a fit, and the patients outside training whose outcomes chose it.

    `strict`: by the inner loss of the fit. `as_published`: by the validation AUC of the networks of all training
    patients, or, where the validation patients have one outcome, as strict.

    Args:
        scores: of the networks, with the columns of `with_fits`. choices: from `choose_networks`.
    """
    rows = (choices["repeat"] == fit.repeat) & (choices["fold"] == fit.fold)
    inner = choices.loc[rows & choices["chosen"], "model"].iloc[0]
    if fit.protocol == STRICT:
        return inner, []
    own = scores[(scores["repeat"] == fit.repeat) & (scores["fold"] == fit.fold)]
    placed = own if "split" in own else own.merge(split[["patient_id", "split"]], on="patient_id")
    best = best_by_validation(labels, placed)
    return (best, sorted(split.loc[split["split"] == "validation", "patient_id"])) if best else (inner, [])


def network_predictions(
    labels: pd.DataFrame, split: pd.DataFrame, scores: pd.DataFrame, choices: pd.DataFrame, seed: int
) -> pd.DataFrame:
    """Rows of the predictions table of all networks, in both protocols.

    `strict`: out of fold from networks that never saw the patient, held out from those of all training patients; the
    depth of `DL` is chosen by the inner loss, fit by fold. `as_published`: the first network of all training patients,
    on themselves (apparent) and on the others; the depth is chosen by the validation AUC, as the authors did.

    Args:
        scores: model, patient_id, role, probability, and the columns of `with_fits`; of the networks of `DL` those of
            strict fits alone, for the protocols do not differ there. choices: from `choose_networks`, of those.

    Raises: ValueError where a score that must be out of fold or held out comes from a network that saw the patient.
    """
    scores = scores.merge(split[["patient_id", "split"]], on="patient_id", validate="many_to_one")
    chosen = choices[choices["chosen"]].rename(columns={"model": "network"})
    fused = scores["model"].isin(FUSIONS)
    deep = scores[~fused]
    best = deep.merge(chosen[["network", "repeat", "fold"]], on=["repeat", "fold"])
    best = best[best["model"] == best["network"]].drop(columns="network").assign(model=DEEP)
    named = deep.assign(model=DEEP + " " + deep["model"])
    strict = scores[fused & (scores["protocol"] == "strict")]
    parts = [strict_rows(labels, split, pd.concat([best, named, strict]), seed)]

    published = deep[(deep["repeat"] == 1) & (deep["fold"] == 0)]
    depth, _ = chosen_network(labels, split, deep, choices, Fit(PUBLISHED))
    once = [
        published[published["model"] == depth].assign(model=DEEP),
        published.assign(model=DEEP + " " + published["model"]),
        scores[fused & (scores["protocol"] == "as_published")],
    ]
    parts.append(published_rows(labels, pd.concat(once), seed))
    return pd.concat(parts, ignore_index=True)


def ablation_table(metrics: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """The fusion with all inputs and without each: AUCs, and the paired DeLong test against all inputs.

    Args:
        metrics: of `compute_metrics`. pairs: of `delong_pairs`.

    Returns: protocol, split, estimate, model, inputs, n, auc, auc_low, auc_high, difference (to all inputs), p.
    """
    panel = ["protocol", "split", "estimate"]
    table = metrics[metrics["model"].isin(FUSIONS)][[*panel, "model", "n", "auc", "auc_low", "auc_high"]]
    table = table.assign(inputs=table["model"].map(lambda m: " + ".join(FUSIONS[m])))
    forward = pairs[pairs["model"] == FUSION].rename(columns={"model": "whole", "other": "model"})
    backward = pairs[pairs["other"] == FUSION].rename(columns={"other": "whole"})
    tests = pd.concat([forward, backward])[[*panel, "model", "p"]]
    table = table.merge(tests, on=[*panel, "model"], how="left")
    whole = table[table["model"] == FUSION].set_index(panel)["auc"]
    table["difference"] = table["auc"] - whole.reindex(pd.MultiIndex.from_frame(table[panel])).to_numpy()
    table.loc[table["model"] == FUSION, "difference"] = np.nan
    order = {model: place for place, model in enumerate(FUSIONS)}
    key = table["model"].map(order)
    table = table.assign(_key=key).sort_values([*panel, "_key"], ascending=[False, True, True, True])
    return table[[*panel, "model", "inputs", "n", "auc", "auc_low", "auc_high", "difference", "p"]].reset_index(
        drop=True
    )
