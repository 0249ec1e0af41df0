"""What decides whether a step runs again: the content of source files, and the meaning of our code.

Snakemake compares modification times and parameters. These functions turn "the bytes of a DICOM
series" and "the code that a script reaches" into short strings that a rule carries as parameters.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from hcc_recurrence.files import write_in_one_rename
from hcc_recurrence.parsed_modules import ParsedModules

PACKAGE = "hcc_recurrence"
PARSED = ParsedModules([Path(__file__)])


class FileCache:
    """Facts about files, kept by (path, size, mtime, ctime) as git's index does.

    A fact is anything JSON can hold. The cache file is read once and written by `save`; a broken or
    foreign cache file is ignored, because every fact can be found again.

    Args:
        path: the cache file; None keeps the facts in memory only.
        version: facts of another version are ignored.
    """

    def __init__(self, path: Path | None, version: str):
        self.path = path
        self.version = version
        self._facts: dict[str, list[Any]] = {}
        self._changed = False
        self._stamps: dict[str, list[int]] = {}
        self.computed = 0
        if path is not None:
            with contextlib.suppress(OSError, ValueError):
                stored = json.loads(path.read_text())
                if stored.get("version") == version:
                    self._facts = stored["facts"]

    def get(self, file: Path, compute: Callable[[Path], Any]) -> Any:
        """The fact that a function finds about `file`, from the cache if size and times are as they were."""
        key = self._key(file, compute)
        # `lacking` has just asked the disk.
        stamp = self._stamps.pop(key, None) or self._stamp(file)
        known = self._facts.get(key)
        if known is not None and known[0] == stamp:
            return known[1]
        fact = compute(file)
        self._facts[key] = [stamp, fact]
        self.computed += 1
        self._changed = True
        return fact

    def lacking(self, files: Sequence[Path], compute: Callable[[Path], Any]) -> list[Path]:
        """Those of the files whose fact is not known, or that have changed since."""
        lacking = []
        for file in files:
            key = self._key(file, compute)
            self._stamps[key] = stamp = self._stamp(file)
            if self._facts.get(key, [None])[0] != stamp:
                lacking.append(file)
        return lacking

    def put(self, file: Path, compute: Callable[[Path], Any], fact: Any) -> None:
        """Keep a fact that was found elsewhere, such as in another process."""
        key = self._key(file, compute)
        self._facts[key] = [self._stamps.get(key) or self._stamp(file), fact]
        self.computed += 1
        self._changed = True

    def forget(self, file: Path, compute: Callable[[Path], Any]) -> None:
        """Drop a fact that may be another one soon, though the file stays as it is."""
        self._facts.pop(self._key(file, compute), None)

    @staticmethod
    def _key(file: Path, compute: Callable[[Path], Any]) -> str:
        # A file may be looked at as an image and as a mask.
        return f"{compute.__name__} {os.path.abspath(file)}"

    @staticmethod
    def _stamp(file: Path) -> list[int]:
        status = os.stat(file)
        # Archives give all their files one date, and a mask in its place may have the same size. No program sets ctime.
        return [status.st_size, status.st_mtime_ns, status.st_ctime_ns]

    def save(self) -> None:
        """Write the cache in one rename, so that a killed run never leaves half of it."""
        if self.path is None or not self._changed:
            return
        # A cache is a convenience: a read-only folder must not stop the run.
        with contextlib.suppress(OSError):
            write_in_one_rename(self.path, json.dumps({"version": self.version, "facts": self._facts}))
            self._changed = False


def content_hash(file: Path) -> str:
    """BLAKE2b (128 bit) of a file's bytes, as hexadecimal text."""
    with open(file, "rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def combine_hashes(hashes: Iterable[str]) -> str:
    """One hash for a set of file contents: names, order and exact copies do not count."""
    joined = "\n".join(sorted(set(hashes)))
    return hashlib.blake2b(joined.encode(), digest_size=16).hexdigest()


# What hashes of this process are made of: hash -> kind of its parts, and the hash of each by its name.
_PARTS: dict[str, tuple[str, dict[str, str]]] = {}
PART_DIGITS = 12


def hash_of_parts(kind: str, digest: str, parts: Mapping[str, str]) -> str:
    """The digest, whose parts are known by name from now on (`parts_of`).

    Args: kind: what the parts are: `module`, `column` or `patient`. parts: name -> hash of each.
    """
    _PARTS[digest] = (kind, {name: part[:PART_DIGITS] for name, part in sorted(parts.items())})
    return digest


def parts_of(digest: str) -> tuple[str, dict[str, str]] | None:
    """Kind and parts of such a hash of this process; None of any other text."""
    return _PARTS.get(digest)


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body
            if (
                body
                and isinstance(body[0], ast.Expr)
                and isinstance(body[0].value, ast.Constant)
                and isinstance(body[0].value.value, str)
            ):
                node.body = body[1:] or [ast.Pass()]
    return tree


@cache
def _module_file(root: Path, dotted: str) -> Path | None:
    base = root.joinpath(*dotted.split("."))
    for candidate in (base.with_suffix(".py"), base / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


@cache
def _parsed(file: Path, dotted: str) -> tuple[str, frozenset[str]]:
    """The hash of a file's syntax tree without docstrings, and the package modules it names."""
    package = file.name == "__init__.py"
    return PARSED.get(file.read_bytes(), f"{dotted} {package}", lambda content: _parse(content, file, dotted))


def _parse(content: bytes, file: Path, dotted: str) -> tuple[str, frozenset[str]]:
    tree = ast.parse(content, filename=str(file))
    parents = dotted.split(".") if file.name == "__init__.py" else dotted.split(".")[:-1]
    named: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            named.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = parents[: len(parents) - node.level + 1]
                base = ".".join([*above, base] if base else above)
            named.add(base)
            # `from package import module` names a module; `from module import name` does not:
            # _module_file tells which.
            named.update(f"{base}.{alias.name}" for alias in node.names)
    ours = frozenset(n for n in named if n == PACKAGE or n.startswith(PACKAGE + "."))
    # ast.dump of one Python version differs from another's; the version is part of the meaning.
    dump = ast.dump(_without_docstrings(tree)) + f"{sys.version_info[:2]}"
    return hashlib.blake2b(dump.encode(), digest_size=16).hexdigest(), ours


@cache
def code_version(script: Path, root: Path, modules: tuple[str, ...] = ()) -> str:
    """Hash of a script and of every package module that it imports, directly or not.

    Comments, docstrings and formatting do not count; imports inside functions do.

    Args:
        script: the adapter script of a rule.
        root: the folder that holds the package.
        modules: further modules that the script imports by a name that it is given, such as those of one method.

    Raises:
        SyntaxError: where a file cannot be parsed. ModuleNotFoundError: where one of `modules` is not there.
    """
    for name in modules:
        if _module_file(root, name) is None:
            raise ModuleNotFoundError(f"{script}: there is no module {name}")
    pieces = {"": _parsed(script, "")[0]}
    waiting = [*_parsed(script, "")[1], *modules]
    while waiting:
        dotted = waiting.pop()
        if dotted in pieces:
            continue
        file = _module_file(root, dotted)
        if file is None:
            continue
        pieces[dotted], imported = _parsed(file, dotted)
        waiting.extend(imported)
        if "." in dotted:  # importing a.b.c runs a and a.b as well
            waiting.append(dotted.rpartition(".")[0])
    text = "\n".join(f"{name} {digest}" for name, digest in sorted(pieces.items()))
    named = {name.removeprefix(f"{PACKAGE}.") or script.name: digest for name, digest in pieces.items()}
    return hash_of_parts("module", hashlib.blake2b(text.encode(), digest_size=16).hexdigest(), named)
