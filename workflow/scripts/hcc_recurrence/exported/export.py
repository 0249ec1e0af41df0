"""Everything of an exported model from what a study has kept."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from hcc_recurrence.exported.about import bundle_name, describe, kept_rows, without_kept_rows
from hcc_recurrence.exported.bundle import (
    ABOUT,
    CARD,
    DISTRIBUTION,
    FINGERPRINTS,
    LICENCE,
    MACHINES,
    REFERENCE,
    exporting,
    write_bundle,
)
from hcc_recurrence.exported.card import model_card
from hcc_recurrence.exported.distribution import SMALLEST_CELL, distribution, numeric_item
from hcc_recurrence.exported.reference import make_reference
from hcc_recurrence.files import write_in_one_rename

# The same as the workflow's own: a copy of the package alone has it as well.
_LICENCE = Path(__file__).with_name("LICENSE.txt")


def export_model(
    about: Mapping[str, Any],
    folders: Mapping[str, Path],
    weights: Mapping[str, Path],
    machines: Mapping[str, Path],
    features: pd.DataFrame,
    items: Sequence[Mapping[str, Any]],
    learned: Mapping[str, Any],
    metrics: pd.DataFrame,
    fingerprints: Mapping[str, Any] | None,
    leave_out_rows: bool,
    folder: Path,
    archive: Path,
) -> None:
    """Write a bundle, as a folder and as a zip, and load it once.

    Args:
        about: as `about.describe`. folders: part of the model -> what its `save` wrote. weights: name -> file of a
            network beside the models. machines: name of a network -> file that says what it was trained on; those that
            are not there are left out: results of earlier versions have none. features: `<phase>__<feature>` of the
            training patients. items: distributions of all other inputs. learned: of `case_mix`. metrics: of
            `compute_metrics`. fingerprints: of the training images; None where they are left out. folder: must not be
            there.

    Raises: Refused and ModelFileError in words.
    """
    from hcc_recurrence.exported.bundle import read_bundle

    method, module = about["method"], exporting(about["method"])
    parts = {name: module.PARTS[name].load(path) for name, path in folders.items()}
    left_out = sorted(kept_rows(method, parts)) if leave_out_rows else []
    if left_out:
        parts = without_kept_rows(method, parts, about["declared"])
    folder.mkdir(parents=True)
    (folder / "weights").mkdir()
    sums = {name: _safetensors(file, folder / "weights" / f"{name}.safetensors") for name, file in weights.items()}
    if hasattr(module, "with_weights"):
        parts, own = module.with_weights(parts, folder / "weights")
        sums |= own
    trained_on = _machines(machines, folder)
    # Who learned is the study's, and nobody else's.
    parts = {name: replace(part, learned=()) for name, part in parts.items()}
    for name, part in parts.items():
        part.save(folder / "model" / name)
    reads = module.reads(parts, about["config"])
    known = [*items, *(numeric_item(name, "features", features[name]) for name in reads.features)]
    described = distribution(known, learned)
    reference = make_reference(about, parts, reads, described, folder / "weights", about["seed"])
    scored = list(reference.scores)
    document = describe(about, parts, reads, scored, metrics, learned, left_out, sums, described, list(trained_on))
    _write_json(folder / ABOUT, document)
    _write_json(folder / DISTRIBUTION, described)
    if fingerprints is not None:
        _write_json(folder / FINGERPRINTS, fingerprints)
    reference.write(folder / REFERENCE)
    card = model_card(document, metrics, SMALLEST_CELL, fingerprints is not None, list(trained_on.values()))
    write_in_one_rename(folder / CARD, card)
    write_in_one_rename(folder / LICENCE, _LICENCE.read_text(encoding="utf-8"))
    if not any((folder / "weights").iterdir()):
        (folder / "weights").rmdir()
    write_bundle(folder, archive)
    found = read_bundle(folder, folder.parent)
    print(f"{bundle_name(method, about['cohort'])}: {len(document['models'])} models, {len(reads.features)} features")
    print(f"self-test: the largest difference is {found.check_reference():.3g}")
    for model, rows in document["kept_rows"].items():
        print(f"{model} holds up to {rows} rows of training patients, without names (README.md)")


def _machines(files: Mapping[str, Path], folder: Path) -> dict[str, dict[str, Any]]:
    """Copy what networks were trained on into the bundle; returns the content by name in the bundle."""
    found = {}
    for name, file in sorted(files.items()):
        if not file.is_file():
            print(f"{name}: what it was trained on is not known, {file} is not there")
            continue
        found[f"{MACHINES}/{name}.machine.json"] = json.loads(file.read_text(encoding="utf-8"))
    for name, facts in found.items():
        (folder / MACHINES).mkdir(exist_ok=True)
        _write_json(folder / name, facts)
    return found


def _write_json(file: Path, document: Mapping[str, Any]) -> None:
    # NaN is no JSON: of a model without it, such as a baseline survival that does not apply.
    text = json.dumps(_without_nan(document), indent=1, ensure_ascii=False, allow_nan=False)
    write_in_one_rename(file, text + "\n")


def _without_nan(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _without_nan(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(one) for one in value]
    return None if isinstance(value, float) and value != value else value


def _safetensors(source: Path, target: Path) -> str:
    """Weights of a network as safetensors; returns the SHA-256 of what was written.

    Args:
        source: of the rules that train networks, or a file of weights with torchvision's names.
    """
    from hcc_recurrence.networks.weights import file_sha256, read_weights

    if source.suffix == ".safetensors":
        shutil.copyfile(source, target)
        return file_sha256(target)
    import torch
    from safetensors.torch import save_file

    stored = torch.load(source, weights_only=True, map_location="cpu")
    own = stored["weights"] if "weights" in stored else read_weights(source)
    save_file({name: value.contiguous() for name, value in sorted(own.items())}, target)
    return file_sha256(target)
