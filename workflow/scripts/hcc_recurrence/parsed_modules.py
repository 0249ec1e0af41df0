"""What was found of modules of these very bytes, kept from one start of Snakemake to the next.

Each start asks for the meaning of every module that a job reaches, and so does each job of a cluster, twice. Parsing
some 400 modules was half of what reading the Snakefile took (docs/speed.md).
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from hcc_recurrence.files import write_in_one_rename

Found = tuple[str, frozenset[str]]


class ParsedModules:
    """The hash of a module's meaning and the modules it names, by its bytes: another byte is another module.

    What was found by another version of Python, or by other code, is not looked at. A file that cannot be read or
    written costs time alone.

    Args: code: files of the code that finds the facts.
    """

    def __init__(self, code: Iterable[Path]):
        own = b"".join(file.read_bytes() for file in code)
        self.version = hashlib.blake2b(f"{sys.version_info[:2]}".encode() + own, digest_size=16).hexdigest()
        self._path: Path | None = None
        self._known: dict[str, Found] = {}
        self._used: dict[str, Found] = {}

    def read(self, path: Path) -> None:
        """Take what a file holds, and remember where it is."""
        self._path, self._known = path.absolute(), {}
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
            stored = json.loads(path.read_text())
            if stored["version"] == self.version:
                self._known = {key: (str(digest), frozenset(named)) for key, (digest, named) in stored["found"].items()}

    def keep_in(self, path: Path) -> None:
        """Take what a file holds, and write what this process finds there when it ends."""
        self.read(path)
        atexit.register(self.write)

    def get(self, content: bytes, about: str, find: Callable[[bytes], Found]) -> Found:
        """What is found of a module's bytes. about: what else it follows from, such as the module's name."""
        key = hashlib.blake2b(f"{about}\0".encode() + content, digest_size=16).hexdigest()
        self._used[key] = found = self._known.get(key) or find(content)
        return found

    def write(self) -> None:
        """Keep what was asked for, where that is not what the file holds already. Without `read` nothing is kept."""
        if self._path is None or self._used.keys() <= self._known.keys():
            return
        found = {key: [digest, sorted(named)] for key, (digest, named) in self._used.items()}
        with contextlib.suppress(OSError):
            write_in_one_rename(self._path, json.dumps({"version": self.version, "found": found}))
