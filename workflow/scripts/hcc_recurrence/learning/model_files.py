"""Fitted models as files: written with equal bytes, and read without ever running what stands in them.

A folder of a model holds `model.json` (numbers, words, lists), `arrays.safetensors` (arrays), one file an estimator
(skops for scikit-learn, the own formats of XGBoost and LightGBM), and `SHA256SUMS` of them all. No pickle is written,
and none is read.
"""

from __future__ import annotations

import copy
import hashlib
import io
import json
import math
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from hcc_recurrence.files import ModelFileError, write_in_one_rename

# Goes up with any change that makes older folders unreadable.
SCHEMA_VERSION = 1
DOCUMENT, ARRAYS, SUMS = "model.json", "arrays.safetensors", "SHA256SUMS"
# What a model file may hold beside the types that skops trusts by itself (numpy's and scikit-learn's estimators).
TRUSTED = (
    "hcc_recurrence.learning.own_estimators.LassoLogistic",
    "hcc_recurrence.learning.own_estimators.PlattSvm",
    "hcc_recurrence.learning.own_estimators.Prevalence",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.gaussian_process._gpc._BinaryGaussianProcessClassifierLaplace",
    "sklearn.gaussian_process.kernels.ConstantKernel",
    "sklearn.gaussian_process.kernels.Product",
    "sklearn.gaussian_process.kernels.RBF",
    "sklearn.metrics._dist_metrics.EuclideanDistance64",
    "sklearn.model_selection._split.StratifiedKFold",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.tree._tree.Tree",
)
# Keys of a document that stand for what JSON has no word for.
_ARRAY, _ESTIMATOR, _NUMBER = "$array", "$estimator", "$number"
_SUFFIXES = {"skops": ".skops", "xgboost": ".xgboost.json", "lightgbm": ".lightgbm.txt"}
# What a pickle of protocol 2 and later begins with, and the zip of a skops file.
_PICKLE, _ZIP = b"\x80", b"PK"


def save_state(folder: Path, kind: str, state: Mapping[str, Any]) -> None:
    """Write what a fitted model consists of.

    Args:
        folder: made where it is not there; must hold nothing else. kind: of the model, such as a method's name; the
            reader asks for it. state: nested dicts (keys are words) and lists of None, bool, int, float, str, numpy
            arrays of numbers, and fitted estimators (`learning.estimators`).

    Raises: TypeError naming the place of anything else.
    """
    arrays: dict[str, np.ndarray] = {}
    files: dict[str, bytes] = {}
    document = {"schema_version": SCHEMA_VERSION, "kind": kind, "state": _packed(state, "", arrays, files)}
    files[DOCUMENT] = (json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()
    if arrays:
        from safetensors.numpy import save

        files[ARRAYS] = save({name: np.ascontiguousarray(array) for name, array in sorted(arrays.items())})
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    sums = [f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in sorted(files.items())]
    write_in_one_rename(folder / SUMS, "".join(sums))


def load_state(folder: Path, kind: str) -> dict[str, Any]:
    """Read what `save_state` wrote.

    Raises: ModelFileError for a file that lacks, was changed or was added, another kind or a newer schema, an unknown
    key, a pickle, or a type that is not in TRUSTED.
    """
    files = _checked_files(folder)
    try:
        document = json.loads(files.pop(DOCUMENT))
    except ValueError as error:
        raise _fault(folder / DOCUMENT, f"is not JSON ({error})") from None
    unknown = sorted(set(document) ^ {"schema_version", "kind", "state"})
    if unknown:
        raise _fault(folder / DOCUMENT, f"has or lacks the key {', '.join(unknown)}")
    if document["schema_version"] != SCHEMA_VERSION:
        raise ModelFileError(
            f"{folder / DOCUMENT}: is of schema version {document['schema_version']}, this workflow reads "
            f"{SCHEMA_VERSION}. What to do: use the version of the workflow that wrote it, or export it anew."
        )
    if document["kind"] != kind:
        raise ModelFileError(
            f"{folder / DOCUMENT}: is a model of {document['kind']}, not of {kind}. What to do: name the folder of "
            f"a model of {kind}."
        )
    arrays = _read_arrays(folder / ARRAYS, files.pop(ARRAYS)) if ARRAYS in files else {}
    used: set[str] = set()
    state = _unpacked(document["state"], "", arrays, files, folder, used)
    unused = sorted((set(arrays) | set(files)) - used)
    if unused:
        raise _fault(folder, f"holds {', '.join(unused)}, which {DOCUMENT} does not name")
    return state


def expect_keys(state: Mapping[str, Any], keys: set[str], where: str) -> None:
    """Refuse a part of a model's state that has other keys than the program that reads it knows.

    Raises: ModelFileError naming them.
    """
    if other := sorted(set(state) ^ keys):
        unknown = [key for key in other if key in state]
        words = f"has the unknown key {', '.join(unknown)}" if unknown else f"lacks the key {', '.join(other)}"
        raise ModelFileError(
            f"{where}: {words}. What to do: use the version of the workflow that wrote the model, or export it anew."
        )


def _fault(file: Path, what: str) -> ModelFileError:
    return ModelFileError(f"{file}: {what}. What to do: take the model from where it came from once more, unchanged.")


def _packed(value: Any, place: str, arrays: dict[str, np.ndarray], files: dict[str, bytes]) -> Any:
    if isinstance(value, Mapping):
        if odd := [key for key in value if not isinstance(key, str) or key.startswith("$")]:
            raise TypeError(f"{place or 'state'}: the key {odd[0]!r} is no word")
        return {key: _packed(one, f"{place}/{key}".lstrip("/"), arrays, files) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_packed(one, f"{place}/{i}", arrays, files) for i, one in enumerate(value)]
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else {_NUMBER: str(float(value))}
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        if place in arrays:
            raise TypeError(f"{place} stands twice: a key with / is another one's place")
        arrays[place] = value
        return {_ARRAY: place}
    form, content = _estimator_bytes(value, place)
    name = place.replace("/", ".") + _SUFFIXES[form]
    if name in files:
        raise TypeError(f"{name} stands twice: a key with / or . is another one's place")
    files[name] = content
    return {_ESTIMATOR: name}


def _unpacked(
    value: Any, place: str, arrays: Mapping[str, np.ndarray], files: Mapping[str, bytes], folder: Path, used: set[str]
) -> Any:
    if isinstance(value, list):
        return [_unpacked(one, f"{place}/{i}", arrays, files, folder, used) for i, one in enumerate(value)]
    if not isinstance(value, dict):
        return value
    special = [key for key in value if key.startswith("$")]
    if not special:
        return {k: _unpacked(v, f"{place}/{k}".lstrip("/"), arrays, files, folder, used) for k, v in value.items()}
    key, name = special[0], value[special[0]]
    if len(value) > 1 or key not in (_ARRAY, _ESTIMATOR, _NUMBER) or not isinstance(name, str):
        raise _fault(folder / DOCUMENT, f"has the unknown key {', '.join(value)} at {place or 'its head'}")
    if key == _NUMBER:
        if name not in ("nan", "inf", "-inf"):
            raise _fault(folder / DOCUMENT, f"has {name!r} at {place}, which is no number")
        return float(name)
    if name not in (arrays if key == _ARRAY else files):
        raise _fault(folder / DOCUMENT, f"names {name}, which is not there")
    used.add(name)
    return arrays[name] if key == _ARRAY else _estimator(folder / name, files[name])


def _checked_files(folder: Path) -> dict[str, bytes]:
    """The content of every file of a model, each as its sum says."""
    sums = folder / SUMS
    if not sums.is_file():
        raise _fault(sums, "is missing")
    wanted = {}
    for line in sums.read_text(encoding="utf-8", errors="replace").splitlines():
        digest, _, name = line.partition("  ")
        if not name or Path(name).name != name:
            raise _fault(sums, f"has a line that is no sum and file: {line[:80]!r}")
        wanted[name] = digest
    there = {p.name for p in folder.iterdir() if not p.name.startswith(".")} - {SUMS}
    if other := sorted(there ^ {*wanted, DOCUMENT}):
        raise _fault(folder / other[0], "is not one of the model's files" if other[0] in there else "is missing")
    files = {}
    for name, digest in wanted.items():
        content = (folder / name).read_bytes()
        # Arrays begin with the length of their header, which may have that byte, and go on with JSON. Their reader
        # never runs anything.
        if content[:1] == _PICKLE and not (name == ARRAYS and content[8:9] == b"{"):
            raise _fault(folder / name, "is a pickle, which could run any program and is never read")
        if hashlib.sha256(content).hexdigest() != digest:
            raise _fault(folder / name, "was changed since the model was saved")
        files[name] = content
    return files


def _read_arrays(file: Path, content: bytes) -> dict[str, np.ndarray]:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        return load(content)
    except SafetensorError as error:
        raise _fault(file, f"is not in the format safetensors ({error})") from None


def _estimator_bytes(value: Any, place: str) -> tuple[str, bytes]:
    """Format and content of one estimator's file."""
    origin = type(value).__module__.split(".")[0]
    if origin == "xgboost":
        return "xgboost", bytes(value.get_booster().save_raw("json"))
    if origin == "lightgbm":
        return "lightgbm", value.booster_.model_to_string().encode()
    if type(value).__name__ == "KeptLightGbm":
        return "lightgbm", value.text.encode()
    if not hasattr(value, "predict_proba") or origin not in ("sklearn", "hcc_recurrence"):
        raise TypeError(f"{place}: a {type(value).__name__} is nothing that a model file holds")
    import skops.io

    content = skops.io.dumps(_without_counters(value))
    if unknown := sorted(set(skops.io.get_untrusted_types(data=content)) - set(TRUSTED)):
        raise TypeError(f"{place}: {', '.join(unknown)} is not among the types that are read again")
    return "skops", _same_bytes(content)


# Where the state of scikit-learn's trees of neighbours has how often they were searched.
_SEARCHES = slice(7, 11)


def _without_counters(model: Any) -> Any:
    """The same model without the count of its searches: it is one and the same before and after it predicts."""
    tree = getattr(model, "_tree", None)
    if tree is None:
        return model
    again = copy.copy(tree)
    state = list(again.__getstate__())
    state[_SEARCHES] = [0] * len(state[_SEARCHES])
    again.__setstate__(tuple(state))
    model = copy.copy(model)
    model._tree = again
    return model


def _estimator(file: Path, content: bytes) -> Any:
    if file.name.endswith(_SUFFIXES["xgboost"]):
        from xgboost import XGBClassifier
        from xgboost.core import XGBoostError

        model = XGBClassifier(n_jobs=1)
        try:
            model.load_model(bytearray(content))
        except XGBoostError:
            raise _fault(file, "is no model of XGBoost") from None
        return model
    if file.name.endswith(_SUFFIXES["lightgbm"]):
        from hcc_recurrence.learning.own_estimators import KeptLightGbm

        return KeptLightGbm(content.decode())
    if not file.name.endswith(_SUFFIXES["skops"]) or content[:2] != _ZIP:
        raise _fault(file, "is in no format that is read")
    import skops.io

    # Names of unknown types are listed without importing them.
    if unknown := sorted(set(skops.io.get_untrusted_types(data=content)) - set(TRUSTED)):
        raise _fault(file, f"holds {', '.join(unknown)}, which is not among the types that are read")
    return skops.io.loads(content, trusted=list(TRUSTED))


def _same_bytes(content: bytes) -> bytes:
    """A skops file without what differs from run to run: addresses in memory as numbers of objects, and times.

    An object that stands at several places keeps one number; single values, which are shared by chance, have their own.
    """
    numbers: dict[int, int] = {}
    count = 0

    def renumbered(node: Any) -> Any:
        nonlocal count
        if isinstance(node, list):
            return [renumbered(one) for one in node]
        if not isinstance(node, dict):
            return node
        node = dict(node)
        if isinstance(node.get("__id__"), int):
            address = node["__id__"]
            if node.get("is_json") or address not in numbers:
                count += 1
                numbers[address] = count
            node["__id__"] = numbers[address]
        if isinstance(node.get("file"), str) and node["file"].endswith(".npy"):
            files[node["file"]] = node["file"] = f"{node['__id__']}.npy"
        return {key: renumbered(one) for key, one in node.items()}

    files: dict[str, str] = {}
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        schema = renumbered(json.loads(old.read("schema.json")))
        contents = {files.get(name, name): old.read(name) for name in old.namelist() if name != "schema.json"}
        contents = {name: _without_gaps(c) if name.endswith(".npy") else c for name, c in contents.items()}
        contents["schema.json"] = json.dumps(schema).encode()
        for name in sorted(contents):
            new.writestr(zipfile.ZipInfo(name), contents[name], zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _without_gaps(content: bytes) -> bytes:
    """An array's file with zeros in the bytes between the fields of a record: in the nodes of a tree these hold
    whatever was in memory there."""
    array = np.load(io.BytesIO(content), allow_pickle=False)
    if array.dtype.names is None:
        return content
    clean = np.zeros(array.shape, array.dtype)
    for name in array.dtype.names:
        clean[name] = array[name]
    found = io.BytesIO()
    np.save(found, clean, allow_pickle=False)
    return found.getvalue()
