"""Zhang 2025 (J Hepatocell Carcinoma): the signature DL_2.5D from the scores of a patient's ten images and radiomics.

docs/methods.md 5. Slice-level networks score every image; here the scores of one fit become features of patients
(histograms and bags of words), beside which radiomics features stand ("Multi-instance learning fusion", 3); all are
selected and learned by five learners. In the strict protocol the scores of
the patients that learn are out of fold: each comes from a network that saw neither the patient nor the fold that the
fit is reported on, and features are selected inside each fold of the grid search. As published the scores are apparent,
and features are selected once, before the grid search.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import pandas as pd

from hcc_recurrence.cohort.fit import PUBLISHED, STRICT, VALIDATION, Fit
from hcc_recurrence.learning.choices import first_of_best
from hcc_recurrence.learning.estimators import fit_estimator, predicted
from hcc_recurrence.learning.folds import OuterFit, outer_fits, stratified_folds
from hcc_recurrence.learning.learners import Cut, Learned, search
from hcc_recurrence.learning.model_files import expect_keys
from hcc_recurrence.learning.multi_instance import BagFeatures
from hcc_recurrence.learning.network_scores import UNSEEN
from hcc_recurrence.learning.predictions import outcome_of
from hcc_recurrence.learning.scaling import Standardiser
from hcc_recurrence.learning.selection import drop_most_connected, group_difference_p, lasso_coefficients
from hcc_recurrence.methods.zhang2025.declare import IMAGES_ALONE, SIGNATURE
from hcc_recurrence.statistics.auc import auc_cross_validated

# The networks that score images as published: the validation patients chose their epoch.
BY_VALIDATION = Fit(PUBLISHED, tuned_on=VALIDATION)


def fits_of(split: pd.DataFrame, repeats: int) -> list[OuterFit]:
    """Everything that is fitted: all of the strict protocol, and one as published."""
    return [*outer_fits(split, repeats), *outer_fits(split, repeats, PUBLISHED)]


def network_sources(outer: OuterFit, split: pd.DataFrame) -> dict[Fit, list[str]]:
    """Which fit of a network scores whose images: fit -> patients.

    Strict: a patient of fold j that learns in the fit without fold k is scored by the network without j and k, patients
    the fit is reported on by the network without k.
    """
    if outer.fit.protocol == PUBLISHED:
        return {BY_VALIDATION: [*outer.rows, *outer.unseen]}
    folds = split.set_index("patient_id")[f"fold_{outer.repeat}"]
    found: dict[Fit, list[str]] = {}
    for patient in outer.rows:
        out = tuple(sorted({int(folds[patient]), outer.fold} - {0}))
        found.setdefault(Fit(STRICT, outer.repeat, out), []).append(patient)
    return {**found, Fit.without(STRICT, outer.repeat, outer.fold): list(outer.unseen)}


def image_scores(scores: pd.DataFrame, network: str, outer: OuterFit, split: pd.DataFrame) -> pd.DataFrame:
    """The scores of all images of the patients of a fit by one network.

    Args:
        scores: model, fit, patient_id, role, image, probability, of all fits.

    Returns: patient_id, image, probability, source (the fit of the network); in the order of patients and images.

    Raises: ValueError where a patient lacks scores, or one that must be unseen is by a network that saw the patient.
    """
    own, parts = scores[scores["model"] == network], []
    for source, patients in network_sources(outer, split).items():
        rows = own[(own["fit"] == str(source)) & own["patient_id"].isin(patients)]
        lacking = sorted(set(patients) - set(rows["patient_id"]))
        if lacking:
            raise ValueError(f"{network}: the fit {source} has no scores of {lacking[:5]}")
        seen = sorted(set(rows.loc[rows["role"] != UNSEEN, "patient_id"]))
        if outer.fit.protocol == STRICT and seen:
            raise ValueError(f"{network}: the fit {source} saw {seen[:5]}, whose scores must be of others")
        parts.append(rows.assign(source=str(source)))
    table = pd.concat(parts)[["patient_id", "image", "probability", "source"]]
    return table.sort_values(["patient_id", "image"], ignore_index=True)


def backbone_auc(images: pd.DataFrame, outcome: pd.Series, patients: Sequence[str]) -> float:
    """AUC of single images of some patients, the mean over the networks that scored them.

    0.5 where no network has scored images of both outcomes.
    """
    rows = images[images["patient_id"].isin(set(patients))]
    y = outcome.loc[rows["patient_id"]].to_numpy(int)
    both = pd.Series(y).groupby(rows["source"].to_numpy()).transform("nunique").to_numpy() == 2
    if not both.any():
        return 0.5
    source = pd.factorize(rows["source"])[0][both]
    return auc_cross_validated(y[both], rows["probability"].to_numpy()[both], source, np.zeros(both.sum(), int)).auc


@dataclass
class Selection:
    """Columns that were selected, and how many each step left."""

    columns: list[str]
    steps: dict[str, int]


def select_features(
    x: pd.DataFrame, rows: Sequence[str], y: np.ndarray, settings: Mapping[str, Any], seed: int
) -> Selection:
    """t-test or Mann-Whitney, correlation, LASSO, each on `rows` alone.

    Source: Zhang 2025, "2.5D Deep Learning Signature"; docs/methods.md 5.4.
    """
    values = x.loc[list(rows)].to_numpy(float)
    z = Standardiser(values)(values)
    different = np.flatnonzero(group_difference_p(z, y, settings["normality_alpha"]) < settings["univariable_p"])
    kept = different[drop_most_connected(z[:, different], settings["correlation_r"])]
    chosen = kept
    if len(kept):
        low, high, number = settings["lasso_penalties"]
        penalties = np.logspace(low, high, number)
        chosen = kept[np.abs(lasso_coefficients(z[:, kept], y, settings["lasso_folds"], seed, penalties)) > 1e-8]
    steps = {"extracted": x.shape[1], "different": len(different), "not correlated": len(kept), "LASSO": len(chosen)}
    return Selection([x.columns[i] for i in chosen], steps)


def scaled(x: pd.DataFrame, groups: Mapping[str, Sequence[str]], rows: Sequence[str], protocol: str) -> pd.DataFrame:
    """z-scores: strict by `rows`, those that learn; as published each group by itself (docs/methods.md 5.4)."""
    parts = []
    for members in groups.values():
        if len(members):
            reference = rows if protocol == STRICT else members
            scale = Standardiser(x.loc[list(reference)].to_numpy(float))
            parts.append(pd.DataFrame(scale(x.loc[list(members)].to_numpy(float)), list(members), x.columns))
    return pd.concat(parts)


def choose_learner(
    found: Mapping[str, Learned], probability: Mapping[str, np.ndarray], truth: np.ndarray, protocol: str
) -> str:
    """The learner with the highest AUC: by its cross-validation (strict), on the validation patients (as published).

    Args:
        probability: of each learner on the validation patients. truth: their outcomes; with one outcome the
            cross-validation decides in both protocols. Of equal ones the first.
    """
    from sklearn.metrics import roc_auc_score

    if protocol == PUBLISHED and len(set(truth.tolist())) == 2:
        return first_of_best({name: roc_auc_score(truth, probability[name]) for name in found})
    return first_of_best({name: learned.auc for name, learned in found.items()})


@dataclass(frozen=True)
class Signature:
    """A variant of DL_2.5D as it is applied: features of images by their words, the selected columns, which may be of
    radiomics, the scale of the patients that learned, and the learners.

    chosen: the learner that is the signature.
    """

    words: BagFeatures
    columns: tuple[str, ...]
    scale: Standardiser
    learners: Mapping[str, Any]
    chosen: str

    def features(self, bags: Mapping[str, np.ndarray], radiomics: pd.DataFrame) -> np.ndarray:
        """The selected columns of some patients, (patients, columns), unscaled.

        Args:
            bags: patient -> probabilities of the patient's images. radiomics: index patient_id.
        """
        found = self.words(bags)
        of_radiomics = [c for c in self.columns if c not in found]
        both = pd.concat([found, radiomics.loc[list(bags), of_radiomics]], axis=1)
        return both[list(self.columns)].to_numpy(float)

    def state(self) -> dict[str, Any]:
        """What a model file holds of it."""
        return {
            "words": self.words.state(),
            "columns": list(self.columns),
            "scale": self.scale.state(),
            "learners": [{"name": name, "model": model} for name, model in self.learners.items()],
            "chosen": self.chosen,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """From what `state` gave.

        Raises: ModelFileError for other keys.
        """
        expect_keys(state, {"words", "columns", "scale", "learners", "chosen"}, cls.__name__)
        return cls(
            BagFeatures.from_state(state["words"]),
            tuple(state["columns"]),
            Standardiser.from_state(state["scale"]),
            {row["name"]: row["model"] for row in state["learners"]},
            state["chosen"],
        )


@dataclass
class Fusion:
    """One fit: probabilities (a row a patient and part, a column a model), choices and steps of selection; the network
    whose scores are fused, the fit of it that scores patients who were not there, and the fitted signatures.

    held: as published, probabilities of the patients that learn by each model without the patient's fold of the grid
    search: index patient_id, a column a model. by_fold: DL_2.5D of all of them by the learner without each fold.
    """

    probabilities: pd.DataFrame
    network: str = ""
    source: str = ""
    held: pd.DataFrame = field(default_factory=pd.DataFrame)
    by_fold: list[pd.Series] = field(default_factory=list)
    signatures: dict[str, Signature] = field(default_factory=dict)
    grid: list[dict[str, Any]] = field(default_factory=list)
    choices: list[dict[str, Any]] = field(default_factory=list)
    steps: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Bags:
    """The scores of the images of one fit by its chosen network, and what its learners need to know of the patients.

    scores: patient -> probabilities of the patient's images. rows, y: the patients that learn, and their er. groups:
    patients that are scaled together as published, the ones that learn first.
    """

    scores: dict[str, np.ndarray]
    rows: list[str]
    y: np.ndarray
    groups: dict[str, list[str]]
    radiomics: pd.DataFrame
    settings: Mapping[str, Any]
    protocol: str
    seed: int

    def folds(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Positions in `rows` that learn and are held in each fold of the grid search; the same ones in every call."""
        cutter = stratified_folds(self.y, self.settings["learner_folds"], self.seed)
        return list(cutter.split(np.zeros(len(self.y)), self.y))

    def without_folds(self, held: Sequence[np.ndarray], columns: Sequence[str]) -> np.ndarray:
        """Probabilities of the rows that learn, (rows,), from those of the held rows of each fold.

        Without a selected column everyone has the prevalence of all rows. The folds' own are no scores: a fold with
        more events leaves fewer to the others.
        """
        if not columns:
            return np.full(len(self.y), np.mean(self.y))
        found = np.empty(len(self.y))
        for (_, rows), probability in zip(self.folds(), held, strict=True):
            found[rows] = probability
        return found

    def of_each_fold(self, learned: Learned, cuts: Sequence[Cut], z: pd.DataFrame) -> list[pd.Series]:
        """What a learner with its settings gives all rows when it is fitted without each fold; as published, where
        all folds have the features of `z`."""
        found, x = [], z.loc[self.rows].to_numpy()
        for cut in cuts:
            model = fit_estimator(learned.name, cut.x, cut.y, self.seed, **learned.settings)
            found.append(pd.Series(predicted(model, x), self.rows))
        return found

    def words(self, training: Sequence[str]) -> BagFeatures:
        """Features of images with the words of some patients."""
        return BagFeatures({p: self.scores[p] for p in training}, self.settings["decimals"])

    def features(self, training: Sequence[str], patients: Sequence[str], variant: str) -> pd.DataFrame:
        """Features of bags with the words of `training`, and radiomics beside them but for the variant without."""
        found = self.words(training)({p: self.scores[p] for p in patients})
        return found if variant == IMAGES_ALONE else found.join(self.radiomics, validate="one_to_one")

    def whole(self, variant: str) -> tuple[pd.DataFrame, Selection, Standardiser]:
        """Selected features of all patients, scaled; selected on all rows that learn, whose scale is the last one."""
        found = self.features(self.rows, list(self.scores), variant)
        selection = select_features(found, self.rows, self.y, self.settings, self.seed)
        chosen = found[selection.columns]
        scale = Standardiser(chosen.loc[self.rows].to_numpy(float))
        return scaled(chosen, self.groups, self.rows, self.protocol), selection, scale

    def cuts(self, variant: str, z: pd.DataFrame) -> list[Cut]:
        """The folds of the grid search: as published of `z`, strict with words, selection and scale of each fold."""
        found = []
        for inner, held in self.folds():
            rows, others = [self.rows[i] for i in inner], [self.rows[i] for i in held]
            own = z
            if self.protocol == STRICT:
                features = self.features(rows, self.rows, variant)
                columns = select_features(features, rows, self.y[inner], self.settings, self.seed).columns
                own = scaled(features[columns], {"rows": rows, "held": others}, rows, STRICT)
            found.append(Cut(own.loc[rows].to_numpy(), self.y[inner], own.loc[others].to_numpy(), self.y[held]))
        return found


def fit_fusion(
    scores: pd.DataFrame,
    labels: pd.DataFrame,
    split: pd.DataFrame,
    radiomics: pd.DataFrame,
    settings: Mapping[str, Any],
    fit: OuterFit,
    seed: int,
) -> Fusion:
    """DL_2.5D of one fit: the network, the features of its bags, five learners, and the one that is chosen.

    Args:
        scores: of all images by all slice-level networks (`image_scores`). radiomics: index patient_id.
        settings: decimals, normality_alpha, univariable_p, correlation_r, lasso_folds, lasso_penalties, learner_folds,
            learners. seed: of the run.

    Returns: parts `learned` (strict: of DL_2.5D alone, by inner models that did not see the patient) and `unseen`.
    """
    outcome, protocol = outcome_of(labels), fit.fit.protocol
    place = split.set_index("patient_id")["split"]
    truth = outcome.loc[[p for p in fit.unseen if place[p] == "validation"]]
    images = {n: image_scores(scores, n, fit, split) for n in dict.fromkeys(scores["model"])}
    judged = list(truth.index) if protocol == PUBLISHED and truth.nunique() == 2 else fit.rows
    areas = {n: backbone_auc(table, outcome, judged) for n, table in images.items()}
    network = first_of_best(areas)
    groups = {"rows": fit.rows}
    groups |= {name: [p for p in fit.unseen if place[p] == name] for name in sorted(set(place.loc[fit.unseen]))}
    bags = Bags(
        {p: group.to_numpy() for p, group in images[network].groupby("patient_id")["probability"]},
        fit.rows,
        outcome.loc[fit.rows].to_numpy(),
        groups,
        radiomics,
        settings,
        protocol,
        seed + fit.repeat,
    )
    about = fit.fit.about
    # Whoever was not there is scored by the network that left out what this fit leaves out.
    source = BY_VALIDATION if protocol == PUBLISHED else fit.fit
    result, columns, held_columns = Fusion(pd.DataFrame(), network, str(source)), {}, {}
    for variant in (SIGNATURE, IMAGES_ALONE):
        z, selection, scale = bags.whole(variant)
        cuts, x = bags.cuts(variant, z), z.loc[fit.rows].to_numpy()
        learned = {n: search(n, grid, cuts, x, bags.y, bags.seed) for n, grid in settings["learners"].items()}
        found = {n: pd.Series(one.predict(z.to_numpy()), z.index) for n, one in learned.items()}
        held = {n: probability.loc[truth.index].to_numpy() for n, probability in found.items()}
        best = choose_learner(learned, held, truth.to_numpy(), protocol)
        print(f"{variant}: {network}, {len(selection.columns)} features, {best}, AUC {learned[best].auc:.3f}")
        columns[variant] = found[best]
        without = {n: bags.without_folds(one.held, selection.columns) for n, one in learned.items()}
        held_columns[variant] = without[best]
        result.signatures[variant] = Signature(
            bags.words(fit.rows), tuple(selection.columns), scale, {n: one.model for n, one in learned.items()}, best
        )
        if variant == SIGNATURE:
            # The learners of the other variant are listed in the choices alone.
            columns |= {f"{variant} {n}": probability for n, probability in found.items()}
            held_columns |= {f"{variant} {n}": probability for n, probability in without.items()}
            if protocol == PUBLISHED:
                result.by_fold = bags.of_each_fold(learned[best], cuts, z)
        result.steps += [{**about, "variant": variant, "step": s, "features": n} for s, n in selection.steps.items()]
        for name, one in learned.items():
            row = {"variant": variant, "network": network, "network_auc": areas[network], "learner": name}
            row |= {"cv_auc": one.auc, "settings": json.dumps(one.settings, sort_keys=True), "chosen": name == best}
            result.choices.append({**about, **row, "features": ";".join(selection.columns)})
            for setting, (values, areas_of_folds) in enumerate(one.grid):
                row = {
                    "variant": variant,
                    "learner": name,
                    "setting": setting,
                    "settings": json.dumps(values, sort_keys=True),
                }
                row["chosen"] = values == one.settings
                result.grid += [{**row, "cv_fold": n, "auc": a} for n, a in enumerate(areas_of_folds, 1)]
    wide = pd.DataFrame(columns)
    held = pd.DataFrame(held_columns, index=fit.rows)
    if protocol == PUBLISHED:
        result.held = held.rename_axis("patient_id")
    apparent = wide.loc[fit.rows] if protocol == PUBLISHED else held[[SIGNATURE]]
    probabilities = pd.concat([wide.loc[list(fit.unseen)].assign(part="unseen"), apparent.assign(part="learned")])
    probabilities = probabilities.rename_axis("patient_id").reset_index().assign(**about)
    first = ["protocol", "repeat", "fold", "part", "patient_id"]
    result.probabilities = probabilities[[*first, *[c for c in probabilities if c not in first]]]
    return result


def choices_table(choices: pd.DataFrame) -> pd.DataFrame:
    """The fit on all training patients (repeat 1): the network, each learner, and how often all fits chose them.

    Returns: protocol, variant, network, network_auc, learner, settings, features, cv_auc, chosen, same network, same
    learner (shares of the protocol's fits).
    """
    rows = []
    for _, own in choices.groupby(["protocol", "variant"], sort=False):
        best = own[own["chosen"]]
        whole = own[(own["repeat"] == 1) & (own["fold"] == 0)]
        for row in whole.itertuples():
            names = [f for f in str(row.features).split(";") if f and f != "nan"]
            rows.append(
                {
                    **{k: getattr(row, k) for k in ("protocol", "variant", "network", "network_auc", "learner")},
                    "settings": row.settings,
                    "features": len(names),
                    "cv_auc": row.cv_auc,
                    "chosen": row.chosen,
                    "same network": float((best["network"] == row.network).mean()),
                    "same learner": float((best["learner"] == row.learner).mean()),
                }
            )
    return pd.DataFrame(rows)


def chosen_networks(choices: pd.DataFrame) -> dict[int, str]:
    """Fold -> the network of DL_2.5D in the strict fits of repeat 1."""
    own = choices[(choices["protocol"] == STRICT) & (choices["repeat"] == 1) & (choices["variant"] == SIGNATURE)]
    return own.drop_duplicates("fold").set_index("fold")["network"].to_dict()


def steps_table(steps: pd.DataFrame) -> pd.DataFrame:
    """Features left after each step of the selection, over the fits on all training patients and over the folds.

    Returns: protocol, variant, fits, step, number of fits, min, median, max.
    """
    rows = steps.assign(fits=np.where(steps["fold"] == 0, "all training patients", "folds"))
    keys = ["protocol", "variant", "fits", "step"]
    table = rows.groupby(keys, sort=False)["features"].agg(["count", "min", "median", "max"]).reset_index()
    return table.rename(columns={"count": "number of fits"})


def inflation_table(choices: pd.DataFrame, metrics: pd.DataFrame) -> pd.DataFrame:
    """What feeding apparent scores of images does: each learner's AUC by its own cross-validation, and as it is.

    Returns: learner, protocol, fed (scores of the images of the patients that learn), cv_auc (5-fold, inside the fit of
    all training patients; mean over repeats), train (apparent or out of fold), validation, external.
    """
    own = choices[(choices["variant"] == SIGNATURE) & (choices["fold"] == 0)]
    means = own.groupby(["learner", "protocol"], sort=False)["cv_auc"].mean()
    # What learners say of themselves is `cv_auc` here, so that training patients are out of fold or apparent.
    areas = metrics[metrics["estimate"] != "cross_validated"].set_index(["model", "protocol", "split"])["auc"]
    rows = []
    for (learner, protocol), area in means.items():
        fed = "out of fold" if protocol == STRICT else "apparent"
        row = {"learner": learner, "protocol": protocol, "fed": fed, "cv_auc": area}
        for name in ("train", "validation", "external"):
            row[name] = areas.get((f"{SIGNATURE} {learner}", protocol, name), np.nan)
        rows.append(row)
    return pd.DataFrame(rows)
