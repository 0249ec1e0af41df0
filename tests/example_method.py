"""The example of docs/adding_a_method.md: laid over a copy of the workflow, as its author would."""

from __future__ import annotations

import shutil
from pathlib import Path

from workflow_runner import REPOSITORY, copy_workflow

EXAMPLE = REPOSITORY / "docs/example_method"
NAME = "volume2026"


def files_of_example() -> list[Path]:
    """Its files, relative to the repository that they belong into."""
    return sorted(f.relative_to(EXAMPLE) for f in EXAMPLE.rglob("*") if f.is_file() and "__pycache__" not in f.parts)


def copy_with_example(folder: Path) -> None:
    """The workflow with the example in `folder`; no file of the workflow is touched.

    Raises: AssertionError where the example would replace a file.
    """
    copy_workflow(folder)
    for file in files_of_example():
        assert not (folder / file).exists(), file
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(EXAMPLE / file, folder / file)
