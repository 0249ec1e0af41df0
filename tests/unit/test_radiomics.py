"""Radiomics against PyRadiomics on the whole volume, and against the IBSI's digital phantom."""

from __future__ import annotations

import csv

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk
from pyradiomics_reference import whole_volume_features

from hcc_recurrence.radiomics import filters, neighbours
from hcc_recurrence.radiomics.extraction import extract_features
from hcc_recurrence.radiomics.filters import filtered_images, smoothing_box, wavelet_box, wavelet_reach
from hcc_recurrence.radiomics.shape import ShapeFeatures

SETTINGS = {
    "bin_width": 5,
    "voxel_array_shift": 300,
    "minimum_roi_dimensions": 2,
    "normalise": True,
    "normalise_scale": 100,
    "log_sigma_mm": [1.0, 3.0],
    "wavelet": "coif1",
    "wavelet_level": 1,
    "expected_features": 1037,
}


def noise_volume(shape, centre, radius, spacing=(1.0, 1.0, 1.0)):
    generator = np.random.default_rng(0)
    image = sitk.GetImageFromArray(generator.normal(100, 30, shape).astype(np.float32))
    grid = np.ogrid[tuple(slice(n) for n in shape)]
    inside = sum(((g - c) * s) ** 2 for g, c, s in zip(grid, centre, spacing, strict=True)) <= radius**2
    mask = sitk.GetImageFromArray(inside.astype(np.uint8))
    for one in (image, mask):
        one.SetSpacing(spacing[::-1])
    return image, mask


def largest_difference(found, reference):
    """Of any feature, relative to its value; names and their order have to be the same."""
    assert list(found) == list(reference) and len(found)
    return max(abs(found[k] - v) / max(abs(v), 1e-9) for k, v in reference.items())


@pytest.mark.parametrize(
    ("centre", "spacing"),
    [((50, 60, 55), (1.0, 1.0, 1.0)), ((5, 60, 105), (1.0, 1.0, 1.0)), ((50, 60, 55), (2.0, 2.0, 2.0))],
    ids=["inside", "at the border", "2 mm"],
)
def test_cropped_features_equal_pyradiomics_on_the_whole_volume(centre, spacing):
    image, mask = noise_volume((101, 120, 111), centre, 6 * spacing[0], spacing)
    found = extract_features(image, {"R1": mask}, SETTINGS)["R1"]
    assert largest_difference(found, whole_volume_features(image, mask)) < 1e-4


def test_a_narrow_margin_would_not_do(monkeypatch):
    """The test above can fail: 10 voxels of margin move features by more than the tolerance."""
    image, mask = noise_volume((101, 120, 111), (50, 60, 55), 6)
    monkeypatch.setattr(filters, "MARGIN_SIGMAS", 10 / 3)
    found = extract_features(image, {"R1": mask}, SETTINGS)["R1"]
    assert largest_difference(found, whole_volume_features(image, mask)) > 1e-4


def test_the_families_add_up_as_in_zhao():
    """18 first order + 14 shape + 75 texture + 186 LoG + 744 wavelet = 1037 (docs/methods.md 4.3)."""
    image, mask = noise_volume((40, 40, 40), (20, 20, 20), 5)
    names = list(extract_features(image, {"R1": mask}, SETTINGS)["R1"])
    count = {
        p: sum(n.startswith(p) for n in names) for p in ("original_firstorder", "original_shape", "log", "wavelet")
    }
    assert count == {"original_firstorder": 18, "original_shape": 14, "log": 186, "wavelet": 744}
    texture = sum(n.startswith("original_g") or n.startswith("original_ngtdm") for n in names)
    assert texture == 75 and len(names) == 1037


# What may go wrong in a feature of its own: levels that are few, many or not there, masks of odd form.
NOISE = np.random.default_rng(3).normal(0, 1, (9, 14, 13))
SPHERE = sum((g - n // 2) ** 2 for g, n in zip(np.ogrid[:9, :14, :13], (9, 14, 13), strict=True)) < 16
SLICE = SPHERE & (np.arange(9) == 4)[:, None, None]
ODD_REGIONS = {
    "two levels": (NOISE * 1.5, SPHERE),
    "150 levels": (NOISE * 150, SPHERE),
    "levels that do not occur": (np.where(NOISE > 1, 500, NOISE), SPHERE),
    "one grey value": (NOISE * 0 + 7, SPHERE),
    "one grey value, a multiple of the bin width": (NOISE * 0 + 10, SPHERE),
    "one slice": (NOISE * 20, SLICE),
    "scattered voxels": (NOISE * 20, SPHERE & (NOISE > 0.7)),
    "two parts": (NOISE * 20, SPHERE & (np.arange(13) != 6)),
    "a line across two voxels": (NOISE * 20, SLICE & (np.arange(13) < 7) & (np.arange(13) > 4)),
}


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (2.5, 0.7, 0.8)], ids=["1 mm", "anisotropic"])
@pytest.mark.parametrize("region", list(ODD_REGIONS))
def test_each_feature_is_pyradiomics_own_on_odd_regions(region, spacing):
    values, inside = ODD_REGIONS[region]
    image, mask = sitk.GetImageFromArray(values), sitk.GetImageFromArray(inside.astype(np.uint8))
    for one in (image, mask):
        one.SetSpacing(spacing[::-1])
    settings = {**SETTINGS, "normalise": False, "log_sigma_mm": [], "wavelet": "", "expected_features": 107}
    found = extract_features(image, {"R1": mask}, settings)["R1"]
    reference = whole_volume_features(image, mask, normalise=False, filters=False)
    assert largest_difference(found, reference) < 1e-8


@pytest.mark.parametrize("highest", [1, 2, 5, 40, 300])
def test_matrices_are_those_of_pyradiomics_c_code_on_random_regions(highest):
    """Thin, full, scattered and tiny boxes; to the last count, and differences of tones to the last bit."""
    from radiomics import cMatrices

    generator = np.random.default_rng(highest)
    compared = 0
    for _ in range(60):
        mask = generator.random(generator.integers(1, 9, 3)) < generator.choice([0.1, 0.5, 0.9, 1.0])
        if not mask.any():
            continue
        binned = np.zeros(mask.shape, np.int32)
        binned[mask] = generator.integers(1, highest + 1, mask.sum())
        levels, top, near = neighbours.with_border(binned), int(binned.max()), np.array([1])
        own, sizes = neighbours.zones(levels)
        theirs = cMatrices.calculate_glszm(binned, mask, top, int(mask.sum()), False, 0)[0]
        found = np.zeros(theirs.shape)
        np.add.at(found, (own - 1, sizes - 1), 1)
        np.testing.assert_array_equal(found, theirs)
        theirs = cMatrices.calculate_gldm(binned, mask, near, top, 0, False, 0)[0]
        for level in range(1, top + 1):
            alike = np.bincount(neighbours.dependences(levels)[binned == level], minlength=theirs.shape[1])
            np.testing.assert_array_equal(alike, theirs[level - 1])
        theirs = cMatrices.calculate_ngtdm(binned, mask, near, top, False, 0)[0]
        number = neighbours.sums_of_neighbours(neighbours.with_border(mask.astype(np.uint8)))[mask]
        mean = neighbours.sums_of_neighbours(levels)[mask] / np.maximum(number, 1)
        off = np.where(number > 0, np.abs(binned[mask] - mean), 0)
        np.testing.assert_array_equal(np.bincount(binned[mask], off, top + 1)[1:], theirs[:, 1])
        if neighbours.has_neighbours_all_ways(levels):
            theirs, ways = cMatrices.calculate_glrlm(binned, mask, top, max(mask.shape), False, 0)
            assert [tuple(way) for way in ways.tolist()] == list(neighbours.DIRECTIONS)
            np.testing.assert_array_equal(neighbours.run_lengths(levels, top), theirs[0])
            compared += 1
    assert compared > 5


@pytest.mark.parametrize("density", [0.02, 0.3, 0.7])
def test_the_mesh_is_pyradiomics_own_on_random_masks(density):
    """All 256 kinds of corner; diameters where the outermost vertices are few."""
    from radiomics import cShape

    generator = np.random.default_rng(int(density * 100))
    for _ in range(10):
        mask = generator.random((8, 11, 9)) < density
        spacing = generator.uniform(0.5, 4, 3)
        area, volume, diameters = cShape.calculate_coefficients(np.pad(mask, 1), spacing)
        found = ShapeFeatures(mask, spacing)
        assert found.SurfaceArea == pytest.approx(area) and found.Volume == pytest.approx(volume, rel=1e-9)
        assert found.diameters == pytest.approx(diameters)


def test_every_reader_gets_the_same_features_as_alone():
    """Filters of both readers are run on one box, which is larger than each one's."""
    image, first = noise_volume((90, 110, 110), (45, 55, 55), 5)
    _, second = noise_volume((90, 110, 110), (47, 53, 59), 6)
    together = extract_features(image, {"R1": first, "R2": second}, SETTINGS)
    for reader, mask in (("R1", first), ("R2", second)):
        alone = extract_features(image, {reader: mask}, SETTINGS)[reader]
        assert largest_difference(together[reader], alone) < 1e-6
    assert together["R1"] != together["R2"]


def test_a_mask_that_is_too_flat_is_refused_with_its_reader():
    image, mask = noise_volume((20, 20, 20), (10, 10, 10), 0.5)
    with pytest.raises(ValueError, match=r"reader R2: .* along 0 axes only; radiomics needs 2"):
        extract_features(image, {"R2": mask}, SETTINGS)
    with pytest.raises(ValueError, match="reader R2: the mask is empty"):
        extract_features(image, {"R2": mask * 0}, SETTINGS)


def test_a_wrong_number_of_features_is_an_error():
    image, mask = noise_volume((40, 40, 40), (20, 20, 20), 5)
    with pytest.raises(ValueError, match="1037 features, expected 1036"):
        extract_features(image, {"R1": mask}, {**SETTINGS, "expected_features": 1036})


def test_boxes_of_filters_keep_the_whole_axis_at_a_border():
    box = np.array([100, 3, 90]), np.array([110, 12, 100])
    start, stop = wavelet_box(box, (200, 200, 200), wavelet_reach("coif1", 1))
    assert start.tolist() == [92, 0, 82] and stop.tolist() == [118, 200, 108]
    start, stop = smoothing_box(box, (200, 200, 200), np.array([1.0, 1.0, 2.0]), 3.0)
    assert start.tolist() == [64, 0, 72] and stop.tolist() == [146, 48, 118]


@pytest.mark.parametrize(("wavelet", "level"), [("coif1", 2), ("db6", 2)])
def test_longer_wavelets_and_more_levels_are_those_of_the_whole_volume(wavelet, level):
    """The box about the masks was that of one level of coif1, whatever the config named."""
    from radiomics.imageoperations import getWaveletImage

    image = sitk.GetImageFromArray(np.random.default_rng(0).normal(size=(66, 68, 67)))
    box = np.array([30, 30, 33]), np.array([36, 37, 36])
    settings = {"normalise": False, "log_sigma_mm": [], "wavelet": wavelet, "wavelet_level": level}
    found = dict(filtered_images(image, box, settings))
    whole = {name: filtered for filtered, name, _ in getWaveletImage(image, None, wavelet=wavelet, level=level)}
    assert set(found) == {"original", *whole} and len(whole) == 15
    for name, filtered in whole.items():
        expected = sitk.GetArrayFromImage(filtered)[30:36, 30:37, 33:36]
        assert np.allclose(found[name], expected, rtol=0, atol=1e-9), name


# IBSI-1 digital phantom: reference tag -> PyRadiomics feature, original image, bin width 1.
IBSI_SHAPE = {
    "morph_volume": "MeshVolume",
    "morph_vol_approx": "VoxelVolume",
    "morph_area_mesh": "SurfaceArea",
    "morph_av": "SurfaceVolumeRatio",
    "morph_sphericity": "Sphericity",
    "morph_diam": "Maximum3DDiameter",
    "morph_pca_elongation": "Elongation",
    "morph_pca_flatness": "Flatness",
}
IBSI_STATISTICS = {
    "stat_mean": "Mean",
    "stat_var": "Variance",
    "stat_skew": "Skewness",
    "stat_median": "Median",
    "stat_min": "Minimum",
    "stat_p10": "10Percentile",
    "stat_p90": "90Percentile",
    "stat_max": "Maximum",
    "stat_iqr": "InterquartileRange",
    "stat_range": "Range",
    "stat_mad": "MeanAbsoluteDeviation",
    "stat_rmad": "RobustMeanAbsoluteDeviation",
    "stat_energy": "Energy",
    "stat_rms": "RootMeanSquared",
}
IBSI_HISTOGRAM = {"ih_entropy": "Entropy", "ih_uniformity": "Uniformity"}
IBSI_GLCM = {
    "joint_max": "MaximumProbability",
    "joint_avg": "JointAverage",
    "joint_var": "SumSquares",
    "joint_entr": "JointEntropy",
    "diff_avg": "DifferenceAverage",
    "diff_var": "DifferenceVariance",
    "diff_entr": "DifferenceEntropy",
    "sum_avg": "SumAverage",
    "sum_entr": "SumEntropy",
    "energy": "JointEnergy",
    "contrast": "Contrast",
    "inv_diff": "Id",
    "inv_diff_norm": "Idn",
    "inv_diff_mom": "Idm",
    "inv_diff_mom_norm": "Idmn",
    "inv_var": "InverseVariance",
    "corr": "Correlation",
    "auto_corr": "Autocorrelation",
    "clust_tend": "ClusterTendency",
    "clust_shade": "ClusterShade",
    "clust_prom": "ClusterProminence",
    "info_corr1": "Imc1",
    "info_corr2": "Imc2",
}
IBSI_RUNS = {
    "sre": "ShortRunEmphasis",
    "lre": "LongRunEmphasis",
    "lgre": "LowGrayLevelRunEmphasis",
    "hgre": "HighGrayLevelRunEmphasis",
    "srlge": "ShortRunLowGrayLevelEmphasis",
    "srhge": "ShortRunHighGrayLevelEmphasis",
    "lrlge": "LongRunLowGrayLevelEmphasis",
    "lrhge": "LongRunHighGrayLevelEmphasis",
    "glnu": "GrayLevelNonUniformity",
    "glnu_norm": "GrayLevelNonUniformityNormalized",
    "rlnu": "RunLengthNonUniformity",
    "rlnu_norm": "RunLengthNonUniformityNormalized",
    "r_perc": "RunPercentage",
    "gl_var": "GrayLevelVariance",
    "rl_var": "RunVariance",
    "rl_entr": "RunEntropy",
}
IBSI_ZONES = {
    "sze": "SmallAreaEmphasis",
    "lze": "LargeAreaEmphasis",
    "lgze": "LowGrayLevelZoneEmphasis",
    "hgze": "HighGrayLevelZoneEmphasis",
    "szlge": "SmallAreaLowGrayLevelEmphasis",
    "szhge": "SmallAreaHighGrayLevelEmphasis",
    "lzlge": "LargeAreaLowGrayLevelEmphasis",
    "lzhge": "LargeAreaHighGrayLevelEmphasis",
    "glnu": "GrayLevelNonUniformity",
    "glnu_norm": "GrayLevelNonUniformityNormalized",
    "zsnu": "SizeZoneNonUniformity",
    "zsnu_norm": "SizeZoneNonUniformityNormalized",
    "z_perc": "ZonePercentage",
    "gl_var": "GrayLevelVariance",
    "zs_var": "ZoneVariance",
    "zs_entr": "ZoneEntropy",
}
IBSI_TONES = {
    "coarseness": "Coarseness",
    "contrast": "Contrast",
    "busyness": "Busyness",
    "complexity": "Complexity",
    "strength": "Strength",
}
IBSI_DEPENDENCE = {
    "lde": "SmallDependenceEmphasis",
    "hde": "LargeDependenceEmphasis",
    "lgce": "LowGrayLevelEmphasis",
    "hgce": "HighGrayLevelEmphasis",
    "ldlge": "SmallDependenceLowGrayLevelEmphasis",
    "ldhge": "SmallDependenceHighGrayLevelEmphasis",
    "hdlge": "LargeDependenceLowGrayLevelEmphasis",
    "hdhge": "LargeDependenceHighGrayLevelEmphasis",
    "glnu": "GrayLevelNonUniformity",
    "dcnu": "DependenceNonUniformity",
    "dcnu_norm": "DependenceNonUniformityNormalized",
    "gl_var": "GrayLevelVariance",
    "dc_var": "DependenceVariance",
    "dc_entr": "DependenceEntropy",
}


def ibsi_pairs():
    """(reference tag, PyRadiomics name). 3D, texture averaged over directions."""
    for tag, name in IBSI_SHAPE.items():
        yield tag, f"shape_{name}"
    for tag, name in {**IBSI_STATISTICS, **IBSI_HISTOGRAM}.items():
        yield tag, f"firstorder_{name}"
    families = (
        ("cm_", "glcm", IBSI_GLCM, "_3D_avg"),
        ("rlm_", "glrlm", IBSI_RUNS, "_3D_avg"),
        ("szm_", "glszm", IBSI_ZONES, "_3D"),
        ("ngt_", "ngtdm", IBSI_TONES, "_3D"),
        ("ngl_", "gldm", IBSI_DEPENDENCE, "_3D"),
    )
    for prefix, family, names, suffix in families:
        for tag, name in names.items():
            yield f"{prefix}{tag}{suffix}", f"{family}_{name}"


# Where PyRadiomics defines a feature otherwise than the IBSI does.
# Axis lengths: covariance over n voxels, not n - 1.
VOXELS = 74
IBSI_DIFFERENT = {
    "morph_pca_maj_axis": ("shape_MajorAxisLength", lambda v: v * np.sqrt(VOXELS / (VOXELS - 1))),
    "morph_pca_min_axis": ("shape_MinorAxisLength", lambda v: v * np.sqrt(VOXELS / (VOXELS - 1))),
    "morph_pca_least_axis": ("shape_LeastAxisLength", lambda v: v * np.sqrt(VOXELS / (VOXELS - 1))),
    "stat_kurt": ("firstorder_Kurtosis", lambda v: v - 3),  # the IBSI's is excess kurtosis
}


@pytest.fixture(scope="module")
def phantom(request):
    from conftest import SHARED_DATA

    if not SHARED_DATA.is_dir():
        pytest.skip("the real test data is not beside the project (../shared/data)")
    folder = SHARED_DATA / "ibsi1"
    settings = {
        **SETTINGS,
        "bin_width": 1,
        "normalise": False,
        "voxel_array_shift": 0,
        "log_sigma_mm": [],
        "wavelet": "",
        "expected_features": 107,
    }
    image = sitk.Cast(sitk.ReadImage(str(folder / "nifti/image/phantom.nii.gz")), sitk.sitkFloat64)
    mask = sitk.Cast(sitk.ReadImage(str(folder / "nifti/mask/mask.nii.gz")), sitk.sitkUInt8)
    found = extract_features(image, {"R1": mask}, settings)["R1"]
    with open(folder / "reference_digital_phantom.csv") as stream:
        rows = list(csv.DictReader(stream, delimiter=";"))
    reference = {r["tag"]: (float(r["reference value"]), float(r["tolerance"])) for r in rows if r["reference value"]}
    return {k.removeprefix("original_"): v for k, v in found.items()}, reference


def assert_reference(value, reference):
    expected, tolerance = reference
    # References are printed with three digits: half a unit of the last one is no difference.
    digit = 10 ** (np.floor(np.log10(abs(expected))) - 2) if expected else 1e-3
    assert value == pytest.approx(expected, abs=max(tolerance, 0.5001 * digit))


@pytest.mark.shared_data
@pytest.mark.parametrize(("tag", "name"), list(ibsi_pairs()))
def test_radiomics_match_the_ibsi_phantom(phantom, tag, name):
    found, reference = phantom
    assert_reference(found[name], reference[tag])


@pytest.mark.shared_data
@pytest.mark.parametrize("tag", list(IBSI_DIFFERENT))
def test_known_differences_from_the_ibsi_are_what_we_say(phantom, tag):
    found, reference = phantom
    name, translate = IBSI_DIFFERENT[tag]
    assert_reference(translate(found[name]), reference[tag])


@pytest.mark.shared_data
def test_features_without_an_ibsi_reference_are_named(phantom):
    """Every unfiltered feature is compared above, or named here with the reason."""
    found, _ = phantom
    compared = {name for _, name in ibsi_pairs()} | {name for name, _ in IBSI_DIFFERENT.values()}
    assert set(found) - compared == {
        "shape_Maximum2DDiameterColumn",  # not in the IBSI
        "shape_Maximum2DDiameterRow",
        "shape_Maximum2DDiameterSlice",
        "firstorder_TotalEnergy",  # energy times voxel volume
        "glcm_MCC",  # maximal correlation coefficient
    }


def test_reproducibility_counts_features_by_family_and_form():
    """Readers who differ by a constant agree in consistency and not absolutely."""
    from figure_checks import unreadable

    from hcc_recurrence.figures.reproducibility import plot_reproducibility
    from hcc_recurrence.radiomics.reproducibility import feature_parts, reproducibility_table, survivors
    from hcc_recurrence.radiomics.tables import RadiomicsTable

    assert feature_parts("portal__wavelet-LLH_glcm_Contrast") == ("portal", "wavelet", "glcm")
    assert feature_parts("arterial__log-sigma-1-0-mm-3D_firstorder_Mean") == ("arterial", "LoG", "firstorder")
    generator = np.random.default_rng(0)
    columns = [f"portal__original_{f}" for f in ("glcm_A", "glcm_B", "shape_C", "shape_D")]
    truth = generator.normal(size=(12, 4))
    values = pd.DataFrame(truth, index=[f"p{i:02d}" for i in range(12)], columns=columns)
    second = values + 0.01 * generator.normal(size=(12, 4))
    second["portal__original_glcm_B"] += 3
    second["portal__original_shape_D"] = generator.normal(size=12)
    table = reproducibility_table(RadiomicsTable(values, {"R2": second, "R3": second.iloc[:2]}))
    assert set(table["reader"]) == {"R2"} and len(table) == 4
    counts = survivors(table, 0.9).set_index("family")
    assert counts.loc["glcm", ["features", "absolute", "consistency", "both"]].tolist() == [2, 1, 2, 1]
    assert counts.loc["shape", ["features", "absolute", "consistency", "both"]].tolist() == [2, 1, 1, 1]
    assert unreadable(plot_reproducibility(counts.reset_index(), 0.9, "cohort")) == []
    empty = survivors(reproducibility_table(RadiomicsTable(values, {})), 0.9)
    assert empty.empty and unreadable(plot_reproducibility(empty, 0.9, "cohort")) == []
