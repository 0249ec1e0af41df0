"""Files of weights: read in torchvision's and in safetensors' format, and fetched where there is a network."""

from __future__ import annotations

import hashlib
import os
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import nn


def read_weights(path: str | Path) -> dict[str, torch.Tensor]:
    """Parameters by name, from `.safetensors` or from a state dict that torch saved; no pickled object is loaded.

    The caller has checked the file's SHA-256.

    Raises: ValueError where the file holds something else.
    """
    import torch

    if Path(path).suffix == ".safetensors":
        from safetensors.torch import load_file

        return load_file(path)
    stored = torch.load(path, weights_only=True, map_location="cpu")
    if not all(isinstance(value, torch.Tensor) for value in stored.values()):
        raise ValueError(f"{path} is no state dict of weights: save `model.state_dict()`")
    return stored


def fill_network(network: nn.Module, weights: Mapping[str, torch.Tensor], path: str | Path, words: str) -> None:
    """Fill a network strictly.

    Args:
        path: where the weights are from. words: what the network is, for the message.

    Raises: ValueError where names or shapes do not fit.
    """
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise ValueError(f"{path} does not fit {words}: {str(error).splitlines()[-1].strip()}") from None


def file_sha256(path: str | Path) -> str:
    """SHA-256 of a file, read in pieces."""
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        for piece in iter(lambda: stream.read(1 << 20), b""):
            digest.update(piece)
    return digest.hexdigest()


def fetch_weights(url: str, sha256_start: str, target: str | Path) -> str:
    """Download a file of weights, check it, and put it in its place; a file that does not fit is not kept.

    Args:
        sha256_start: the first digits of its SHA-256, which torchvision publishes in the file's name.

    Returns: the whole SHA-256.

    Raises: OSError where the network does not answer; ValueError where the file is another one.
    """
    target = Path(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    half = target.with_suffix(".half")
    try:
        with urllib.request.urlopen(url, timeout=60) as answer, open(half, "wb") as stream:
            while piece := answer.read(1 << 20):
                stream.write(piece)
        found = file_sha256(half)
        if not found.startswith(sha256_start):
            raise ValueError(f"{url} has the SHA-256 {found}, expected {sha256_start}...: the file was not kept")
        os.replace(half, target)
    finally:
        half.unlink(missing_ok=True)
    return found


def gather_weights(files: Sequence[Mapping[str, str]], folder: Path) -> str:
    """Fetch the files that are not there, and check those that are.

    Args:
        files: architecture, file, url, sha256_start of each.

    Returns: lines of YAML for the config, one network an entry.

    Raises: ValueError that lists every file that could not be fetched or is another one, and what to do.
    """
    lines, problems = ["# For `overrides: {<paper>: {networks: {<name>: ...}}}`."], []
    for row in files:
        target = folder / row["file"]
        print(f"{target}: {'is there' if target.is_file() else 'fetching ' + row['url']}")
        try:
            found = file_sha256(target) if target.is_file() else fetch_weights(row["url"], row["sha256_start"], target)
        except (OSError, ValueError) as error:
            problems.append(
                f"{target} for {row['architecture']}: {error}. It is {row['url']}, and its SHA-256 begins with "
                f"{row['sha256_start']}"
            )
            continue
        if not found.startswith(row["sha256_start"]):
            problems.append(f"{target} has the SHA-256 {found}, expected {row['sha256_start']}...: remove it")
            continue
        lines.append(f"# {row['url']}\n- {{architecture: {row['architecture']}, weights: {target}, sha256: {found}}}")
    if problems:
        raise ValueError(
            "\n"
            + "\n".join(problems)
            + "\nWhat to do: fetch what is missing where there is a network, put it into that place, and run this again"
        )
    return "\n".join(lines) + "\n"
