"""PyRadiomics itself with the published settings of Zhao 2024: what our radiomics is compared with."""

from __future__ import annotations

import logging


def whole_volume_features(image, mask):
    """PyRadiomics itself, on the uncropped volume."""
    import radiomics
    from radiomics.featureextractor import RadiomicsFeatureExtractor

    radiomics.logger.setLevel(logging.ERROR)
    extractor = RadiomicsFeatureExtractor(
        binWidth=5,
        voxelArrayShift=300,
        minimumROIDimensions=2,
        normalize=True,
        normalizeScale=100,
        additionalInfo=False,
    )
    extractor.enableImageTypes(Original={}, LoG={"sigma": [1.0, 3.0]}, Wavelet={"wavelet": "coif1", "level": 1})
    return {name: float(value) for name, value in extractor.execute(image, mask).items()}
