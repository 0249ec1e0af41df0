"""From the predictions of a patient's images to features of the patient (Zhang 2025; METHODS.md 5.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np


def probability_histogram(probabilities: Sequence[float], decimals: int = 2) -> np.ndarray:
    """Predictive likelihood histogram: share of a patient's images at each rounded probability.

    Args:
        probabilities: of one patient's images. decimals: 2 gives the bins 0.00, 0.01 ... 1.00.

    Returns: (10 ** decimals + 1,), sums to 1.
    """
    bins = 10**decimals
    places = np.rint(np.round(np.asarray(probabilities, float), decimals) * bins).astype(int)
    return np.bincount(places, minlength=bins + 1) / len(places)


def _document(probabilities: Sequence[float], decimals: int) -> str:
    """A patient as text: one word an image, the digits of its rounded probability (0.12 is `prob_012`)."""
    return " ".join(f"prob_{p:.{decimals}f}".replace(".", "") for p in np.round(probabilities, decimals))


class BagOfWords:
    """TF-IDF of a patient's rounded image probabilities, scikit-learn's defaults, fitted on training patients only."""

    def __init__(self, training: Mapping[str, Sequence[float]], decimals: int = 2):
        from sklearn.feature_extraction.text import TfidfVectorizer

        self.decimals = decimals
        self.vectoriser = TfidfVectorizer()
        self.vectoriser.fit([_document(training[p], decimals) for p in sorted(training)])

    @property
    def words(self) -> list[str]:
        return list(self.vectoriser.get_feature_names_out())

    def __call__(self, patients: Sequence[Sequence[float]]) -> np.ndarray:
        """(patients, words); a word that no training patient has is ignored."""
        return self.vectoriser.transform([_document(p, self.decimals) for p in patients]).toarray()
