"""What may know what: the floors of the package, and that nothing shared knows a method."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
from workflow_runner import REPOSITORY

from hcc_recurrence.config_ranges import WORDS
from hcc_recurrence.methods.wang2022.declare import SELECTIONS

SCRIPTS = REPOSITORY / "workflow/scripts"
PACKAGE = SCRIPTS / "hcc_recurrence"
# Each part imports only what stands on a lower floor (docs/architecture.md, section 1); `cohort` holds the types that
# the others of its floor share, such as Fit.
FLOORS = (
    ("statistics", "imaging"),
    ("cohort",),
    ("radiomics", "networks", "learning"),
    ("figures", "cost"),
    ("methods",),
)
# What any part may import: modules that import no part themselves.
GROUND = {"files", "problems", "provenance", "parsed_modules", "endpoint", "numerics"}
METHODS = sorted(file.stem for file in (REPOSITORY / "config/papers").glob("*.yaml"))
# Where a method may be named though the file is shared, and why.
NAMED = {
    "workflow/scripts/hcc_recurrence/published.py": "what the papers print, each with a table of its own",
    "workflow/scripts/hcc_recurrence/config_layers.py": "an example of a study in a message",
}


def imported(file: Path) -> set[str]:
    """Modules of the package that a file imports, without the package's own name: `cohort.fit`."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert not node.level, f"{file}: a relative import"
            # `from hcc_recurrence import cohort` names a part, too.
            found |= (
                {f"{node.module}.{a.name}" for a in node.names} if node.module == "hcc_recurrence" else {node.module}
            )
    return {name.removeprefix("hcc_recurrence.") for name in found if name.startswith("hcc_recurrence.")}


def floor_of(part: str) -> int:
    return next(number for number, parts in enumerate(FLOORS) if part in parts)


@pytest.mark.parametrize("part", [part for parts in FLOORS for part in parts])
def test_each_part_imports_only_what_stands_below(part):
    known = {p for parts in FLOORS for p in parts}
    wrong = []
    for file in sorted((PACKAGE / part).rglob("*.py")):
        for module in imported(file):
            other = module.split(".")[0]
            if other == part or other in GROUND or (other in known and floor_of(other) < floor_of(part)):
                continue
            wrong.append(f"{file.relative_to(PACKAGE)} imports {module}")
    assert wrong == []


def test_the_ground_imports_no_part():
    for name in GROUND:
        assert {module.split(".")[0] for module in imported(PACKAGE / f"{name}.py")} <= GROUND


@pytest.mark.parametrize("method", METHODS)
def test_a_method_imports_no_other(method):
    others = {f"methods.{m}" for m in METHODS if m != method}
    for file in sorted((PACKAGE / "methods" / method).rglob("*.py")):
        assert not [m for m in imported(file) if any(m == o or m.startswith(f"{o}.") for o in others)], file


def test_what_methods_share_imports_none_of_them():
    for file in (PACKAGE / "methods").glob("*.py"):
        assert not [m for m in imported(file) if any(m.startswith(f"methods.{method}") for method in METHODS)], file


def without_prose(text: str) -> str:
    """Code without comments and long strings, which may cite a paper as a source."""
    kept = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT or (token.type == tokenize.STRING and token.string.startswith('"""')):
            continue
        kept.append(token.string)
    return "\n".join(kept)


def shared_files() -> list[Path]:
    rules = sorted((REPOSITORY / "workflow/rules").glob("*.smk"))
    adapters = {name for file in rules for name in re.findall(r'"\.\./scripts/(\w+/\w+\.py)"', file.read_text())}
    package = [f for f in PACKAGE.rglob("*.py") if (PACKAGE / "methods") not in f.parents]
    return [REPOSITORY / "Snakefile", *rules, *(SCRIPTS / name for name in sorted(adapters)), *sorted(package)]


def test_no_shared_file_names_a_method():
    """A sixth method must not touch them (docs/adding_a_method.md). Citations in prose are no names."""
    names = re.compile("|".join(name[:-4] + "_?" + name[-4:] for name in METHODS), re.IGNORECASE)
    assert len(METHODS) == 5 and len(shared_files()) > 150
    found = {str(f.relative_to(REPOSITORY)) for f in shared_files() if names.search(without_prose(f.read_text()))}
    assert found == set(NAMED)


def test_no_shared_file_imports_a_method():
    """Adapters that methods share reach a method by the name that the rule gives."""
    for file in shared_files():
        if file.suffix == ".py":
            assert not [m for m in imported(file) if any(m.startswith(f"methods.{name}") for name in METHODS)], file


def test_each_file_is_read_in_one_sitting():
    long = {
        str(file.relative_to(REPOSITORY)): lines
        for file in [
            *PACKAGE.glob("planning/*.py"),
            PACKAGE / "plan.py",
            *(REPOSITORY / "workflow/rules").glob("*.smk"),
        ]
        if (lines := len(file.read_text().splitlines())) > 200
    }
    # Stages with ten rules and more.
    assert set(long) <= {f"workflow/rules/{name}.smk" for name in ("evaluation", "figures", "images")}
    assert len((REPOSITORY / "workflow/rules/input.smk").read_text().splitlines()) < 120
    assert len((REPOSITORY / "Snakefile").read_text().splitlines()) <= 60


def test_what_a_method_alone_has_is_short():
    rules = {file.stem: file for file in (REPOSITORY / "workflow/rules/methods").glob("*.smk")}
    assert sorted(rules) == METHODS
    lines = {name: len(file.read_text(encoding="utf-8").splitlines()) for name, file in rules.items()}
    assert {name: n for name, n in lines.items() if n >= 150} == {}


def test_words_that_a_method_declares_are_those_that_are_checked():
    assert WORDS["feature_selection"] == SELECTIONS


def test_what_copies_with_permuted_outcomes_do_without_is_said_once():
    files = [*(REPOSITORY / "workflow/rules").rglob("*.smk")]
    asking = {f.name for f in files if re.search(r'[!=]= base\(|\["null_control"\]\["networks"\]', f.read_text())}
    assert asking <= {"wildcards.smk", "targets.smk"}


@pytest.mark.parametrize("file", sorted(SCRIPTS.glob("*/*.py")), ids=lambda file: file.stem)
def test_every_name_that_a_job_imports_exists(file):
    """A job imports inside its log, long after the dry run: a name that moved would end a run in its last hour."""
    if file.parent == PACKAGE:
        return
    wanted = [
        (node.module, name.name)
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("hcc_recurrence")
        for name in node.names
    ]
    assert [f"{module}.{name}" for module, name in wanted if not _there(module, name)] == []


def _there(module: str, name: str) -> bool:
    if hasattr(import_module(module), name):
        return True
    return find_spec(f"{module}.{name}") is not None
