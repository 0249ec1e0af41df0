"""Reading and writing tables so that equal content gives equal bytes."""

from __future__ import annotations

import contextlib
import filecmp
import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


# Ten digits are far beyond what any of these numbers means, and short of the last bits in which two numerical libraries
# may differ.
_FLOAT_FORMAT = "%.10g"


class ModelFileError(ValueError):
    """A folder that is not a model as it was saved; says which file, what is wrong and what to do."""


def write_csv(frame: pd.DataFrame, path: str | Path) -> None:
    """UTF-8, Unix line ends, no index, floats with 10 significant digits."""
    frame.to_csv(path, index=False, float_format=_FLOAT_FORMAT, lineterminator="\n", encoding="utf-8")


def as_written(values: Iterable[float]) -> list[float]:
    """Numbers as `read_csv` has them after `write_csv`, for a step that must agree with one that reads a table."""
    return [float(_FLOAT_FORMAT % value) for value in values]


def read_csv(path: str | Path, identifiers: tuple[str, ...] = ("patient_id",)) -> pd.DataFrame:
    """Read a table of ours; identifier columns stay text (a patient may be called 007).

    A table without a column, such as what nobody was found for, is an empty one.
    """
    import pandas as pd

    try:
        return pd.read_csv(path, dtype=dict.fromkeys(identifiers, str), float_precision="round_trip")
    except pd.errors.EmptyDataError:
        return pd.DataFrame()


def read_yaml(path: str | Path) -> Any:
    """A YAML file of the workflow, by libyaml where PyYAML has it: ten times as quick."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(Path(path).read_text(encoding="utf-8"), Loader=loader)


def write_in_one_rename(path: Path, text: str) -> None:
    """Write a file so that a killed process never leaves half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(text)
    # A temporary file is its maker's alone, and others of a group read results.
    mask = os.umask(0)
    os.umask(mask)
    os.chmod(temporary, 0o666 & ~mask)
    os.replace(temporary, path)


def read_best_auc(files: Sequence[str | Path]) -> float | None:
    """The oracle AUC of a simulated cohort from its file; None for a real one, which has no such file."""
    return float(read_csv(files[0])["best_auc"][0]) if files else None


def keep_one_copy(folder: Path, others: Sequence[Path]) -> int:
    """Files of a folder that stand under the same name in another one, with the same bytes, become links to it.

    Of folders that Snakemake keeps track of as a whole: it removes them before it makes them anew, so that a linked
    file is never written to.

    Args: others: folders of the same file system; those that are not there are passed over.

    Returns: how many files are links now.
    """
    linked = 0
    for file in sorted(p for p in folder.iterdir() if p.is_file() and not p.name.startswith(".")):
        for other in (folder_of / file.name for folder_of in others):
            # Another job may be writing it, or removing it.
            with contextlib.suppress(OSError):
                if os.path.samefile(file, other) or not filecmp.cmp(file, other, shallow=False):
                    continue
                handle, temporary = tempfile.mkstemp(dir=folder, prefix=f".{file.name}")
                os.close(handle)
                os.unlink(temporary)
                os.link(other, temporary)
                # What it was linked to may have been made anew since it was compared.
                if filecmp.cmp(file, temporary, shallow=False):
                    os.replace(temporary, file)
                    linked += 1
                    break
                os.unlink(temporary)
    return linked
