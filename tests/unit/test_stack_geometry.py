"""Positions and direction cosines as exporters round them: an even stack stays one, and a missing slice is missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from exports import describe, make_series, save_series
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from hcc_recurrence.cohort.dicom_series import SeriesError, check_stack
from hcc_recurrence.cohort.series_voxels import read_series
from hcc_recurrence.cohort.stack_geometry import stack_geometry
from hcc_recurrence.cohort.stack_parts import Slice


def headers(positions, cosines=(1, 0, 0, 0, 1, 0)):
    """Of slices at positions, (n, 3), mm."""
    return [
        {
            "Modality": "MR",
            "Rows": 40,
            "Columns": 30,
            "ImagePositionPatient": [float(v) for v in place],
            "ImageOrientationPatient": [float(v) for v in cosines],
            "PixelSpacing": [1.5, 1.25],
        }
        for place in positions
    ]


def axial(z):
    return headers([(-20.0, 10.0, float(v)) for v in z])


def geometry(found, missing=0):
    return stack_geometry([Slice(Path("x"), "", -1, header) for header in found], missing)


def places(found, missing=0):
    """Where the geometry puts the first voxel of each slice, (n, 3)."""
    facts = geometry(found, missing)
    normal = np.array(facts["direction"]).reshape(3, 3)[:, 2]
    return np.array(facts["origin"]) + np.outer(np.arange(facts["size"][2]) * facts["spacing"][2], normal)


STEPS = st.sampled_from([0.3, 0.3125, 0.45, 0.5, 0.625, 0.7, 0.75, 0.8, 1.0, 1.25, 2.5, 3.0, 5.0, 7.5])


@settings(max_examples=60)
@given(step=STEPS, start=st.floats(-400, 400), number=st.integers(6, 120))
def test_positions_rounded_to_a_tenth_are_evenly_spaced(step, start, number):
    exact = start + step * np.arange(number)
    found = axial(np.round(exact, 1))
    assert check_stack(found) == 0
    assert np.abs(places(found)[:, 2] - exact).max() < 0.07


@settings(max_examples=60)
@given(step=st.floats(0.6, 8), seed=st.integers(0, 2**16), number=st.integers(6, 120))
def test_jitter_of_three_hundredths_is_no_missing_slice(step, seed, number):
    exact = 100 + step * np.arange(number)
    found = axial(exact + np.random.default_rng(seed).uniform(-0.03, 0.03, number))
    assert check_stack(found) == 0
    assert np.abs(places(found)[:, 2] - exact).max() < 0.04


@settings(max_examples=60)
@given(step=STEPS, start=st.floats(-400, 400), number=st.integers(6, 120), data=st.data())
def test_a_missing_slice_of_rounded_positions_is_still_found(step, start, number, data):
    lost = data.draw(st.integers(1, number - 2))
    exact = start + step * np.arange(number)
    found = axial(np.delete(np.round(exact, 1), lost))
    with pytest.raises(SeriesError, match=r"a slice is probably missing|not evenly spaced") as error:
        check_stack(found)
    if "a slice is probably missing" not in str(error.value):
        # Rounding takes a good part of such a step: what is missing may stay open, and nothing is interpolated.
        assert step < 0.5
        return
    assert check_stack(found, interpolate=True) == lost
    assert np.abs(places(found, 1)[:, 2] - exact).max() < 0.07


@settings(max_examples=40)
@given(step=st.floats(0.5, 8), number=st.integers(8, 120), data=st.data())
def test_two_missing_slices_are_found_and_not_interpolated(step, number, data):
    lost = data.draw(st.lists(st.integers(1, number - 2), min_size=2, max_size=2, unique=True))
    found = axial(np.delete(step * np.arange(number), lost))
    for interpolate in (False, True):
        with pytest.raises(SeriesError, match=r"slices are probably missing"):
            check_stack(found, interpolate)


def test_steps_that_are_uneven_are_refused_without_naming_a_missing_slice():
    with pytest.raises(SeriesError, match=r"2\.00 to 3\.00 mm.*rounded to whole millimetres") as error:
        check_stack(axial(np.round(100 + 2.5 * np.arange(12))))
    assert "missing" not in str(error.value)
    # Half of the stack with another step: a mean step would put slices 5 mm off.
    with pytest.raises(SeriesError, match="not evenly spaced"):
        check_stack(axial([*np.arange(0, 100, 1.0), *np.arange(100, 220, 1.2)]))


def test_exact_positions_stay_as_they_are_written():
    found = axial([5.0, 8.0, 11.0, 14.0])
    assert geometry(found)["origin"] == [-20.0, 10.0, 5.0]
    assert geometry(found)["spacing"] == [1.25, 1.5, 3.0]
    assert geometry(found)["direction"] == np.eye(3).ravel().tolist()


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**16),
    digits=st.integers(2, 6),
    step=st.sampled_from([1.0, 3.0, 6.5]),
    number=st.integers(12, 60),
)
def test_rounded_cosines_become_unit_and_perpendicular(seed, digits, step, number):
    axes = Rotation.random(random_state=seed).as_matrix()
    exact = np.array([-36.0, -36.0, 100.0]) + np.outer(np.arange(number) * step, axes[:, 2])
    found = headers(exact, np.round(axes[:, :2].T.ravel(), digits))
    assert check_stack(found) == 0
    facts = geometry(found)
    direction = np.array(facts["direction"]).reshape(3, 3)
    np.testing.assert_allclose(direction.T @ direction, np.eye(3), atol=1e-12)
    assert np.linalg.det(direction) == pytest.approx(1)
    assert facts["spacing"] == pytest.approx([1.25, 1.5, step], abs=1e-6 if digits < 5 else 1e-4)
    # All slices lie where they were, and rows and columns point as well as their digits say.
    assert np.abs(places(found) - exact).max() < 1e-3 * number * step * 10.0 ** (3 - digits) if digits > 4 else 1e-3
    np.testing.assert_allclose(direction, axes, atol=2 * 10.0**-digits)


@pytest.mark.parametrize("tilt", [0.6, 1.0, 5.0, 17.0, -12.5])
@pytest.mark.parametrize("digits", [3, 6])
def test_gantry_tilt_is_refused_however_the_cosines_are_rounded(tilt, digits):
    angle = np.deg2rad(tilt)
    cosines = np.round([1, 0, 0, 0, np.cos(angle), np.sin(angle)], digits)
    with pytest.raises(SeriesError, match="gantry tilt"):
        check_stack(headers([(-20.0, 10.0, 3.0 * k) for k in range(30)], cosines))


def test_a_shear_of_exact_cosines_is_refused():
    check_stack(headers([(0.0, 0.0005 * k, 3.0 * k) for k in range(30)]))
    for drift in (0.01, 0.02, 0.5):
        with pytest.raises(SeriesError, match="gantry tilt"):
            check_stack(headers([(0.0, drift * k, 3.0 * k) for k in range(30)]))


def test_slices_that_stand_beside_each_other_are_refused():
    with pytest.raises(SeriesError, match="gantry tilt"):
        check_stack(headers([(0.5 * (k % 2), 0.0, 3.0 * k) for k in range(12)]))


def test_an_oblique_mr_with_cosines_of_two_digits_keeps_its_spacing(tmp_path):
    axes = Rotation.from_euler("zx", [18.3, 7.7], degrees=True).as_matrix()
    values = np.random.default_rng(0).integers(100, 900, (12, 10, 9))
    slices = make_series(values, describe("MR", spacing=(3.0, 1.5, 1.5)), tmp_path / "s", axes)
    for data in slices:
        data.ImageOrientationPatient = [f"{v:.2f}" for v in axes[:, :2].T.ravel()]
    save_series(slices, tmp_path / "s")
    assert read_series(tmp_path / "s").GetSpacing() == pytest.approx((1.5, 1.5, 3.0), abs=1e-6)
