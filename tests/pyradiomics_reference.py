"""PyRadiomics itself with the published settings of Zhao 2024: what our radiomics is compared with."""

from __future__ import annotations

import logging


def whole_volume_features(image, mask, normalise=True, filters=True):
    """PyRadiomics itself, on the uncropped volume."""
    import radiomics
    from radiomics.featureextractor import RadiomicsFeatureExtractor

    radiomics.logger.setLevel(logging.ERROR)
    extractor = RadiomicsFeatureExtractor(
        binWidth=5,
        voxelArrayShift=300,
        minimumROIDimensions=2,
        normalize=normalise,
        normalizeScale=100,
        additionalInfo=False,
    )
    derived = {"LoG": {"sigma": [1.0, 3.0]}, "Wavelet": {"wavelet": "coif1", "level": 1}} if filters else {}
    extractor.enableImageTypes(Original={}, **derived)
    extractor.disableAllFeatures()
    for name in ("shape", "firstorder", "glcm", "glrlm", "glszm", "ngtdm", "gldm"):
        extractor.enableFeatureClassByName(name)
    return {name: float(value) for name, value in extractor.execute(image, mask).items()}
