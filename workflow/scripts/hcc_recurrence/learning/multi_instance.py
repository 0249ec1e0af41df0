"""From the predictions of a patient's images to features of the patient (Zhang 2025; docs/methods.md 5.4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd


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


class BagOfWords:
    """TF-IDF of a patient's images as words, scikit-learn's defaults, fitted on training patients only.

    Args:
        words: `probability_words` or `label_words`.
    """

    def __init__(
        self,
        training: Mapping[str, Sequence[float]],
        decimals: int = 2,
        words: Callable[[Sequence[float], int], str] = probability_words,
    ):
        from sklearn.feature_extraction.text import TfidfVectorizer

        self.decimals, self.document = decimals, words
        self.vectoriser = TfidfVectorizer()
        self.vectoriser.fit([words(training[p], decimals) for p in sorted(training)])

    @property
    def words(self) -> list[str]:
        return list(self.vectoriser.get_feature_names_out())

    def __call__(self, patients: Sequence[Sequence[float]]) -> np.ndarray:
        """(patients, words); a word that no training patient has is ignored."""
        return self.vectoriser.transform([self.document(p, self.decimals) for p in patients]).toarray()


def bag_features(
    bags: Mapping[str, Sequence[float]], training: Sequence[str], decimals: int
) -> tuple[pd.DataFrame, list[str]]:
    """Both histograms and both bags of words of every patient, side by side.

    Args:
        bags: patient -> probabilities of the patient's images. training: the patients that words and their weights
            come from. decimals: of the rounded probabilities.

    Returns: index patient_id, columns Histo_prob_0.12, Histo_pred_1, BoW_prob_012, BoW_pred_1; and the words.

    Source: Zhang 2025, "Multi-instance learning"; docs/methods.md 5.4.
    """
    patients = list(bags)
    known = {p: bags[p] for p in training}
    bins = 10**decimals
    parts = {
        **{
            f"Histo_prob_{i / bins:.{decimals}f}": column
            for i, column in enumerate(np.array([probability_histogram(bags[p], decimals) for p in patients]).T)
        },
        **{
            f"Histo_pred_{i}": column
            for i, column in enumerate(np.array([label_histogram(bags[p]) for p in patients]).T)
        },
    }
    words = []
    for document in (probability_words, label_words):
        bag = BagOfWords(known, decimals, document)
        words += bag.words
        values = bag([bags[p] for p in patients])
        parts |= {f"BoW_{word}": values[:, i] for i, word in enumerate(bag.words)}
    return pd.DataFrame(parts, index=pd.Index(patients, name="patient_id")), words
