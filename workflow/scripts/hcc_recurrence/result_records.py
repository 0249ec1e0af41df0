"""The records of what made each result, in one file that lies with the results.

Results are valid as long as the parameters, the code and the inputs that made them are those of today. What they were
stands in `<results>/_provenance/records.txt`, and so it goes wherever the results go: `.snakemake` may be deleted, the
results may be copied, moved, linked to or named by another path. A cohort cannot bear the folder's name.

One line a file or folder that a job made: its path below the results, a tab, and the record as JSON. A line that comes
later replaces an earlier one; a line without a record takes it back. Lines are only ever appended, each by one write,
so that a killed run leaves no more than half a last line, which counts as not there.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

FOLDER, FILE, PLACE = "_provenance", "records.txt", "place.txt"
# The first line is about the file itself, some are of texts that many records share; no path begins so.
HEADER = "#"
FORMAT = 1
# Names of such texts in records.
NAME = re.compile(rb'"(#[0-9a-f]{16})"')
# Snakemake's own mark of when a folder was made, which is no part of what is in it.
TIME_OF_FOLDER = ".snakemake_timestamp"
# Of a longer file its first and last bytes are looked at: those of NIfTI, NumPy, Parquet, PNG and torch files that are
# compressed or end in a table of contents with checksums change wherever a byte changes.
SAMPLE_BYTES = 65536
# Lines beyond those in use that are not worth writing the file anew.
SPARE_LINES = 1000


class Seen(NamedTuple):
    """What the disk says of a file, or of all files below a folder: time of change (s), bytes and number of files; of a
    folder also the sum of its files' times (ns), as it does not tell that one of them was written to. 0 of a file."""

    mtime: float
    size: int
    files: int
    times: int = 0


def look(path: str | Path) -> Seen:
    """Time, size and number of files of a result; of a folder the time is that of Snakemake's mark in it.

    Raises: OSError where there is none.
    """
    own = os.lstat(path)
    if not os.path.isdir(path):
        return Seen(own.st_mtime, os.stat(path).st_size, 1)
    mtime = own.st_mtime
    with contextlib.suppress(OSError):
        mtime = os.stat(os.path.join(path, TIME_OF_FOLDER)).st_mtime
    files = [os.stat(file) for file in _files_below(path)]
    return Seen(mtime, sum(f.st_size for f in files), len(files), sum(f.st_mtime_ns for f in files))


def is_as_recorded(record: Mapping[str, Any], now: Seen) -> bool:
    """Whether time, size and number of files are those of a record: of when it was made, or was last looked at."""
    times = (record.get("endtime"), record.get("seen"))
    same = (now.size, now.files) == (record.get("size"), record.get("files"))
    return same and now.mtime in times and are_times_as_recorded(record, now)


def are_times_as_recorded(record: Mapping[str, Any], now: Seen) -> bool:
    """Whether the times of the files below a folder are those of its record."""
    return now.times in (record.get("times", 0), record.get("seen_times", 0))


def content_mark(path: str | Path) -> str:
    """Hash of the names, the sizes and the first and last bytes of a file, or of all files below a folder."""
    found = hashlib.blake2b(digest_size=16)
    folder = os.path.isdir(path)
    for file in _files_below(path) if folder else [str(path)]:
        with open(file, "rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            found.update(f"{os.path.relpath(file, path) if folder else ''} {size}\n".encode())
            found.update(stream.read(SAMPLE_BYTES))
            if size > SAMPLE_BYTES:
                stream.seek(max(SAMPLE_BYTES, size - SAMPLE_BYTES))
                found.update(stream.read())
    return found.hexdigest()


def _files_below(folder: str | Path) -> list[str]:
    return sorted(
        os.path.join(where, name) for where, _, names in os.walk(folder) for name in names if name != TIME_OF_FOLDER
    )


class Records:
    """Records of the results in one folder, read once and appended to.

    Args: results: the folder, which need not exist; None reads nothing.

    Attributes: since: when the file of records was begun (s); None where there is none. What is older than that and has
    no record was made before, or elsewhere.
    """

    def __init__(self, results: Path | None):
        folder = (results or Path()) / FOLDER
        self.path, self.place = folder / FILE, folder / PLACE
        self.since: float | None = None
        self._lines: dict[str, bytes] = {}
        self._surplus = 0
        self._ends_whole = True
        if results is not None:
            self._read()

    def _read(self) -> None:
        try:
            content = self.path.read_bytes()
        except OSError:
            return
        lines = content.split(b"\n")
        self._ends_whole = not lines.pop()
        for line in lines:
            key, tab, text = line.partition(b"\t")
            if not tab:
                continue
            if text:
                self._lines[key.decode(errors="replace")] = text
            else:
                self._lines.pop(key.decode(errors="replace"), None)
        self._surplus = len(lines) - len(self._lines)
        header = self._lines.pop(HEADER, b"")
        with contextlib.suppress(ValueError, KeyError, TypeError):
            self.since = float(json.loads(header)["since"])

    def __iter__(self) -> Iterator[str]:
        """Paths below the results that have a record."""
        return iter([key for key in self._lines if not key.startswith(HEADER)])

    def __len__(self) -> int:
        return len(self._lines)

    def __contains__(self, key: str) -> bool:
        return key in self._lines

    def get(self, key: str) -> dict[str, Any] | None:
        """The record of a path below the results; None where there is none that can be read."""
        with contextlib.suppress(KeyError, ValueError):
            return json.loads(self._lines[key])
        return None

    def having(self, name: str) -> list[str]:
        """Paths whose record has a field, found without reading all records."""
        wanted = f'"{name}":'.encode()
        return [key for key, text in self._lines.items() if wanted in text]

    def put(self, key: str, record: dict[str, Any]) -> None:
        """Keep a record in place of an earlier one. Raises: OSError where it cannot be written."""
        self.put_all({key: record})

    def put_all(self, records: Mapping[str, dict[str, Any]]) -> None:
        """The same for many, in one write."""
        texts = {key: json.dumps(record, separators=(",", ":")).encode() for key, record in records.items()}
        self._append(b"".join(key.encode() + b"\t" + text + b"\n" for key, text in texts.items()))
        self._lines |= texts

    def remove(self, key: str) -> bool:
        """Take a record back; whether there was one."""
        if key not in self._lines:
            return False
        self._append(key.encode() + b"\t\n")
        del self._lines[key]
        return True

    def name_of_text(self, text: str) -> str:
        """A short name for a text that many records hold, which is kept once. Raises: OSError as `put`."""
        # As NAME has it.
        name = f"{HEADER}{hashlib.blake2b(text.encode(), digest_size=8).hexdigest()}"
        if name not in self._lines:
            self.put(name, {"text": text})
        return name

    def text_named(self, name: str) -> str | None:
        """The text of such a name; None where there is none."""
        return (self.get(name) or {}).get("text") if name.startswith(HEADER) else None

    def begin(self) -> None:
        """Before the first job: begin the file where there is none, write it anew where much of it is out of date.

        Raises: OSError where the results cannot be written to.
        """
        if self.since is None:
            self.since = time.time()
            self._append(self._header())
        elif self._surplus > len(self._lines) + SPARE_LINES:
            self._forget_texts()
            temporary = self.path.with_name(f"{FILE}.{os.getpid()}")
            with open(temporary, "wb") as stream:
                stream.write(self._header())
                stream.writelines(key.encode() + b"\t" + text + b"\n" for key, text in self._lines.items())
            os.replace(temporary, self.path)
            self._surplus, self._ends_whole = 0, True

    def _forget_texts(self) -> None:
        """Drop texts that no record holds any more."""
        held = {name for key, text in self._lines.items() if not key.startswith(HEADER) for name in NAME.findall(text)}
        kept = {key: text for key, text in self._lines.items() if not key.startswith(HEADER) or key.encode() in held}
        self._lines = kept

    def _header(self) -> bytes:
        return f"{HEADER}\t{json.dumps({'format': FORMAT, 'since': self.since})}\n".encode()

    def _append(self, line: bytes) -> None:
        if not line:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if not self._ends_whole:
            # Half a line of a killed run must not become the beginning of this one.
            line, self._ends_whole = b"\n" + line, True
        with open(self.path, "ab", buffering=0) as stream:
            stream.write(line)
        self._surplus += line.count(b"\n")

    # -- whether the results are where they were made --------------------------------------------

    def were_copied(self) -> bool:
        """Whether the files came from elsewhere since the last run: every copy is another file for the disk."""
        try:
            return self.place.read_text() != self._own_place()
        except OSError:
            return True

    def stay(self) -> None:
        """Note that the results were looked at where they are."""
        self.place.parent.mkdir(parents=True, exist_ok=True)
        # The mark of a file cannot stand in that file: writing it changes the time that is part of it.
        mark = self.place.with_suffix(".mark")
        mark.touch()
        self.place.write_text(self._own_place())

    def _own_place(self) -> str:
        # No copy keeps the number of the file and its time of creation or change of status; a rename keeps both.
        own = os.stat(self.place.with_suffix(".mark"))
        return f"{own.st_ino} {own.st_ctime_ns}\n"
