"""Fitted models are kept in open formats: equal bytes, equal predictions, and nothing odd is ever read."""

import hashlib
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hcc_recurrence.learning import model_files
from hcc_recurrence.learning.estimators import ESTIMATORS, fit_estimator, predicted
from hcc_recurrence.learning.model_files import ModelFileError, expect_keys, load_state, save_state

SCRIPTS = str(Path(model_files.__file__).parents[2])
SETTINGS = {"RF": {"n_estimators": 10}, "ExtraTrees": {"n_estimators": 10}, "AdaBoost": {"n_estimators": 5}}
SETTINGS |= {"XGBoost": {"n_estimators": 5}, "LightGBM": {"n_estimators": 5}}


@pytest.fixture(scope="module")
def rows():
    draw = np.random.default_rng(3)
    x = draw.normal(size=(60, 4))
    return x, (x[:, 0] + draw.normal(size=60) > 0).astype(int)


def rewritten(folder, name, content):
    """The folder with another content of one file, whose sum fits."""
    (folder / name).write_bytes(content)
    lines = [
        f"{hashlib.sha256((folder / one).read_bytes()).hexdigest()}  {one}"
        for one in sorted(p.name for p in folder.iterdir() if p.name != "SHA256SUMS")
    ]
    (folder / "SHA256SUMS").write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize("name", sorted(ESTIMATORS))
def test_every_estimator_is_kept_and_predicts_the_same_bytes(name, rows, tmp_path):
    x, y = rows
    model = fit_estimator(name, x[:40], y[:40], 1, **SETTINGS.get(name, {}))
    for folder in ("one", "two"):
        save_state(tmp_path / folder, "method", {"classifier": model})
    again = load_state(tmp_path / "one", "method")["classifier"]
    assert predicted(again, x[40:]).tobytes() == predicted(model, x[40:]).tobytes()
    files = sorted(p.name for p in (tmp_path / "one").iterdir())
    assert [(tmp_path / "one" / f).read_bytes() for f in files] == [(tmp_path / "two" / f).read_bytes() for f in files]
    # What was read is kept as it was, with equal bytes.
    save_state(tmp_path / "three", "method", {"classifier": again})
    assert [(tmp_path / "three" / f).read_bytes() for f in files] == [
        (tmp_path / "one" / f).read_bytes() for f in files
    ]
    assert predicted(load_state(tmp_path / "three", "method")["classifier"], x[40:]).tobytes() == (
        predicted(model, x[40:]).tobytes()
    )


def test_a_model_is_the_same_before_and_after_it_has_predicted(rows, tmp_path):
    x, y = rows
    model = fit_estimator("KNN", x[:40], y[:40], 1)
    save_state(tmp_path / "before", "m", {"c": model})
    predicted(model, x[40:])
    save_state(tmp_path / "after", "m", {"c": model})
    assert (tmp_path / "before" / "SHA256SUMS").read_text() == (tmp_path / "after" / "SHA256SUMS").read_text()


def test_the_bytes_are_those_of_another_process(rows, tmp_path):
    x, y = rows
    program = (
        "import sys, numpy as np; from pathlib import Path\n"
        "from hcc_recurrence.learning.estimators import fit_estimator\n"
        "from hcc_recurrence.learning.model_files import save_state\n"
        "draw = np.random.default_rng(3); x = draw.normal(size=(60, 4))\n"
        "y = (x[:, 0] + draw.normal(size=60) > 0).astype(int)\n"
        "names = ('LR', 'SVM', 'MLP', 'KNN')\n"
        "save_state(Path(sys.argv[1]), 'm', {n: fit_estimator(n, x[:40], y[:40], 1) for n in names})\n"
    )
    subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "there")], check=True, env={**os.environ, "PYTHONPATH": SCRIPTS}
    )
    save_state(tmp_path / "here", "m", {n: fit_estimator(n, x[:40], y[:40], 1) for n in ("LR", "SVM", "MLP", "KNN")})
    assert (tmp_path / "here" / "SHA256SUMS").read_text() == (tmp_path / "there" / "SHA256SUMS").read_text()


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(min_size=1).filter(lambda key: not key.startswith("$")), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(state=st.dictionaries(st.sampled_from(["a", "b", "c"]), VALUES))
def test_numbers_words_and_lists_come_back_as_they_were(state, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    save_state(folder, "m", state)
    assert load_state(folder, "m") == state


def test_arrays_come_back_bit_for_bit(tmp_path):
    arrays = {"mean": np.array([0.1, np.inf, np.nan]), "weights": np.arange(6, dtype=np.float32).reshape(2, 3)[:, ::-1]}
    save_state(tmp_path, "m", {"scale": arrays, "cutoff": float("nan")})
    again = load_state(tmp_path, "m")
    assert np.isnan(again["cutoff"])
    for name, array in arrays.items():
        found = again["scale"][name]
        assert found.dtype == array.dtype
        assert np.array_equal(found, array, equal_nan=True)


def test_what_is_no_model_is_refused_when_it_is_written(tmp_path):
    with pytest.raises(TypeError, match="rows/1: a set is nothing that a model file holds"):
        save_state(tmp_path, "m", {"rows": [1, {2}]})
    with pytest.raises(TypeError, match="no word"):
        save_state(tmp_path, "m", {"$array": 1})


def test_another_kind_and_a_newer_schema_are_refused(tmp_path):
    save_state(tmp_path, "zhao2024", {"a": 1})
    with pytest.raises(ModelFileError, match=r"is a model of zhao2024, not of cui2022. What to do"):
        load_state(tmp_path, "cui2022")
    document = json.loads((tmp_path / "model.json").read_text())
    rewritten(tmp_path, "model.json", json.dumps({**document, "schema_version": 2}).encode())
    with pytest.raises(ModelFileError, match=r"schema version 2, this workflow reads 1. What to do"):
        load_state(tmp_path, "zhao2024")


@pytest.mark.parametrize("name", ["model.json", "arrays.safetensors", "c.skops"])
def test_a_changed_byte_is_refused(name, rows, tmp_path):
    save_state(tmp_path, "m", {"a": np.arange(3.0), "c": fit_estimator("LR", *rows, 1)})
    content = bytearray((tmp_path / name).read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelFileError, match=f"{name}: was changed since the model was saved. What to do"):
        load_state(tmp_path, "m")


@pytest.mark.parametrize("name", ["model.json", "c.skops"])
def test_a_pickle_is_refused_though_its_sum_fits(name, rows, tmp_path):
    save_state(tmp_path, "m", {"c": fit_estimator("LR", *rows, 1)})
    rewritten(tmp_path, name, pickle.dumps({"a": 1}))
    with pytest.raises(ModelFileError, match=f"{name}: is a pickle, which could run any program"):
        load_state(tmp_path, "m")


def test_arrays_whose_file_begins_as_a_pickle_does_are_read(tmp_path):
    """A file of safetensors begins with the length of its header, of which one in 32 has the first byte of a pickle."""
    first = []
    for length in range(1, 300):
        folder, name = tmp_path / str(length), "a" * length
        save_state(folder, "m", {name: np.arange(3.0)})
        first.append((folder / "arrays.safetensors").read_bytes()[:1])
        assert load_state(folder, "m")[name].tolist() == [0, 1, 2]
    assert b"\x80" in first
    rewritten(tmp_path / "1", "arrays.safetensors", pickle.dumps({"a": 1}))
    with pytest.raises(ModelFileError, match=r"arrays.safetensors: is a pickle"):
        load_state(tmp_path / "1", "m")


def test_two_arrays_of_one_place_are_refused_when_they_are_written(tmp_path):
    with pytest.raises(TypeError, match="a/b stands twice"):
        save_state(tmp_path, "m", {"a": {"b": np.arange(3.0)}, "a/b": np.arange(2.0)})


class Harmful:
    """What no file may bring back to life."""

    def __init__(self):
        self.a = 1


def test_an_unknown_type_is_refused_without_being_imported(rows, tmp_path):
    import skops.io

    save_state(tmp_path, "m", {"c": fit_estimator("LR", *rows, 1)})
    rewritten(tmp_path, "c.skops", skops.io.dumps(Harmful()))
    with pytest.raises(ModelFileError, match=r"Harmful, which is not among the types that are read"):
        load_state(tmp_path, "m")


def test_an_unknown_key_is_refused_at_every_place(rows, tmp_path):
    save_state(tmp_path, "m", {"a": {"b": 1}})
    document = json.loads((tmp_path / "model.json").read_text())
    rewritten(tmp_path, "model.json", json.dumps({**document, "hook": "x"}).encode())
    with pytest.raises(ModelFileError, match="key hook"):
        load_state(tmp_path, "m")
    document["state"]["a"] = {"$import": "os"}
    rewritten(tmp_path, "model.json", json.dumps(document).encode())
    with pytest.raises(ModelFileError, match=r"unknown key \$import at a"):
        load_state(tmp_path, "m")
    with pytest.raises(ModelFileError, match="has the unknown key hook"):
        expect_keys({"a": 1, "hook": 2}, {"a"}, "model")
    with pytest.raises(ModelFileError, match="lacks the key b"):
        expect_keys({"a": 1}, {"a", "b"}, "model")


def test_a_missing_and_an_added_file_are_refused(rows, tmp_path):
    save_state(tmp_path, "m", {"a": np.arange(3.0)})
    (tmp_path / "more.txt").write_text("x")
    with pytest.raises(ModelFileError, match=r"more.txt: is not one of the model's files"):
        load_state(tmp_path, "m")
    (tmp_path / "more.txt").unlink()
    (tmp_path / "arrays.safetensors").unlink()
    with pytest.raises(ModelFileError, match=r"arrays.safetensors: is missing"):
        load_state(tmp_path, "m")
