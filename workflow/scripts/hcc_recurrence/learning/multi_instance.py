"""From the predictions of a patient's images to features of the patient (Zhang 2025; docs/methods.md 5.4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd

from hcc_recurrence.learning.model_files import expect_keys


def probability_histogram(probabilities: Sequence[float], decimals: int = 2) -> np.ndarray:
    """Predictive likelihood histogram: share of a patient's images at each rounded probability.

    Args:
        probabilities: of one patient's images. decimals: 2 gives the bins 0.00, 0.01 ... 1.00.

    Returns: (10 ** decimals + 1,), sums to 1.
    """
    bins = 10**decimals
    places = np.rint(np.round(np.asarray(probabilities, float), decimals) * bins).astype(int)
    return np.bincount(places, minlength=bins + 1) / len(places)


def called(probabilities: Sequence[float]) -> np.ndarray:
    """The predicted outcome of each image: 1 from a probability of one half."""
    return (np.asarray(probabilities, float) >= 0.5).astype(int)


def label_histogram(probabilities: Sequence[float]) -> np.ndarray:
    """Share of a patient's images that are called 0 and 1, (2,)."""
    return np.bincount(called(probabilities), minlength=2) / len(probabilities)


def probability_words(probabilities: Sequence[float], decimals: int) -> str:
    """A patient as text: one word an image, the digits of its rounded probability (0.12 is `prob_012`)."""
    return " ".join(f"prob_{p:.{decimals}f}".replace(".", "") for p in np.round(probabilities, decimals))


def label_words(probabilities: Sequence[float], decimals: int) -> str:
    """A patient as text: one word an image, `pred_0` or `pred_1`."""
    return " ".join(f"pred_{c}" for c in called(probabilities))


DOCUMENTS: tuple[Callable[[Sequence[float], int], str], ...] = (probability_words, label_words)


class BagFeatures:
    """Both histograms and both bags of words of a patient, side by side; the words and their weights are those of the
    patients that it was fitted on.

    Args:
        training: patient -> probabilities of the patient's images. decimals: of the rounded probabilities.

    TF-IDF with scikit-learn's defaults. Source: Zhang 2025, "Multi-instance learning fusion"; docs/methods.md 5.4.
    """

    def __init__(self, training: Mapping[str, Sequence[float]], decimals: int):
        from sklearn.feature_extraction.text import TfidfVectorizer

        self.decimals = decimals
        self.vectorisers = []
        for document in DOCUMENTS:
            texts = [document(training[p], decimals) for p in sorted(training)]
            self.vectorisers.append(TfidfVectorizer().fit(texts))

    @property
    def words(self) -> list[str]:
        return [word for v in self.vectorisers for word in v.get_feature_names_out()]

    def __call__(self, bags: Mapping[str, Sequence[float]]) -> pd.DataFrame:
        """Index patient_id, columns Histo_prob_0.12, Histo_pred_1, BoW_prob_012, BoW_pred_1; a word that no patient had
        whom it was fitted on is ignored.

        Args:
            bags: patient -> probabilities of the patient's images.
        """
        patients, bins = list(bags), 10**self.decimals
        shares = np.array([probability_histogram(bags[p], self.decimals) for p in patients])
        labels = np.array([label_histogram(bags[p]) for p in patients])
        parts = {f"Histo_prob_{i / bins:.{self.decimals}f}": column for i, column in enumerate(shares.T)}
        parts |= {f"Histo_pred_{i}": column for i, column in enumerate(labels.T)}
        for document, vectoriser in zip(DOCUMENTS, self.vectorisers, strict=True):
            values = vectoriser.transform([document(bags[p], self.decimals) for p in patients]).toarray()
            parts |= {f"BoW_{word}": values[:, i] for i, word in enumerate(vectoriser.get_feature_names_out())}
        return pd.DataFrame(parts, index=pd.Index(patients, name="patient_id"))

    def state(self) -> dict[str, Any]:
        """What a model file holds: decimals, and of both bags the words and their weights."""
        bags = [{"words": v.get_feature_names_out().tolist(), "idf": v.idf_} for v in self.vectorisers]
        return {"decimals": self.decimals, "bags": bags}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """From what `state` gave.

        Raises: ModelFileError for other keys.
        """
        from sklearn.feature_extraction.text import TfidfVectorizer

        expect_keys(state, {"decimals", "bags"}, cls.__name__)
        made = cls.__new__(cls)
        made.decimals, made.vectorisers = state["decimals"], []
        for bag in state["bags"]:
            expect_keys(bag, {"words", "idf"}, cls.__name__)
            vectoriser = TfidfVectorizer(vocabulary=list(bag["words"]))
            vectoriser.idf_ = np.asarray(bag["idf"], float)
            made.vectorisers.append(vectoriser)
        return made
