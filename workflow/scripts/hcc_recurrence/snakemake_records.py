"""Snakemake keeps its records of finished jobs with the results, not in `.snakemake`.

Snakemake (9.27) has a setting for the kind of
store but none for where it is; its records in `.snakemake/metadata` are lost with that folder, and a file without a
record counts as up to date. Here such a file runs again, or the run is refused, and so does a file that was replaced.
`tests/workflow/test_results_elsewhere.py` fails where a later Snakemake does otherwise.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from hcc_recurrence.cost.planned import JOBS_TO
from hcc_recurrence.leftovers import OUTPUTS_TO
from hcc_recurrence.rerun_reasons import (
    REPLACED,
    UNKNOWN,
    WHY_OUTPUT,
    WHY_TO,
    job_reasons,
    named_parameters,
    steps_of_one_kind,
    upstream_reasons,
)
from hcc_recurrence.result_records import (
    Records,
    Seen,
    are_times_as_recorded,
    content_mark,
    is_as_recorded,
    look,
)
from hcc_recurrence.snakemake_inside import (
    NO_PARAMS_CHANGE,
    RECORD_FORMAT_VERSION,
    ApiError,
    ExecMode,
    FilePersistence,
    Mtime,
    ParamsChange,
    deciding_parameters,
    replace_store,
)

# In records, in place of the path of the results.
RESULTS = "<results>/"
# Longer parameters are kept as a hash, longer lists of inputs as one hash: equal is all that is asked of them. So are
# parameters with a path in them: a hospital's folders may bear the names of persons.
LONGEST_PARAMETER, MOST_INPUTS = 120, 12
# What of Snakemake's record is kept.
FIELDS = (
    *("rule", "input", "params", "code", "log", "starttime", "endtime", "job_hash", "software_stack_hash"),
    *("input_checksums", "record_format_version", "conda_env", "container_img_url", "shellcmd"),
)
# A target of its own, which `all` may leave out.
NULL_CONTROL = re.compile("/null/|/null_control")


class Record(dict):
    """A record as Snakemake reads and writes it: by attribute and by key; what is not there is None."""

    def __getattr__(self, name: str) -> Any:
        return self.get(name)

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __missing__(self, name: str) -> None:
        return None


def keep_records_with_results() -> None:
    """Have the Snakemake of this process keep its records with the results. Called before it makes its store."""
    replace_store(ResultPersistence)


def are_kept_with_results(workflow: Any) -> bool:
    """Whether a workflow's store is ours: another can be asked for on the command line."""
    return isinstance(workflow.persistence, ResultPersistence)


class ResultPersistence(FilePersistence):
    """Snakemake's store of files, but for the records of what lies below `<results>`."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        workflow = self.dag.workflow
        # One of its jobs, on this machine or on a cluster, neither needs a record nor writes one.
        is_run = workflow.exec_mode == ExecMode.DEFAULT
        self.root = workflow.pathvars.apply("<results>").rstrip("/") + "/" if is_run else ""
        self.records = Records(Path(self.root) if is_run else None)
        self._read_already: dict[str, Record | None] = {}
        self._unknown: dict[str, float] = {}
        self._replaced: set[str] = set()
        self._elsewhere: dict[str, Seen] = {}
        self._benchmarks: dict[str, str] = {}
        # Of a job's outputs, until their records are written: its parameters by name, and why it ran.
        self._named_of: dict[str, tuple[dict[str, Any], list[str]]] = {}
        if is_run:
            self._look_at_copies()
            self.lock = self._around(self.lock)

    # -- where the results are -------------------------------------------------------------------

    def _below(self, key: str) -> str | None:
        """A path below the results, or None."""
        return key[len(self.root) :].lstrip("/") if self.root and key.startswith(self.root) else None

    def _portable(self, path: str) -> str:
        below = self._below(path)
        return path if below is None else RESULTS + below

    def _here(self, path: str) -> str:
        return self.root + path[len(RESULTS) :] if path.startswith(RESULTS) else path

    def _look_at_copies(self) -> None:
        """Copied files have other times. Where they are what was recorded, they count as of the time they were made."""
        cache = self.dag.workflow.iocache.mtime
        copied = bool(len(self.records)) and self.records.were_copied()
        for below in self.records if copied else self.records.having("seen"):
            record, path = self.records.get(below), self.root + below
            if record is None:
                continue
            try:
                now = look(path)
                if not is_as_recorded(record, now):
                    if content_mark(path) != record.get("mark"):
                        self._replaced.add(path)
                        continue
                    self._elsewhere[below] = now
            except OSError:
                # Not there, or half of it: made again.
                continue
            if now.mtime != record["endtime"]:
                cache[path] = Mtime(local=record["endtime"])

    # -- reading and writing records -------------------------------------------------------------

    def _read_record(self, key: str) -> Any:
        below = self._below(key)
        if below is None:
            return super()._read_record(key)
        if key not in self._read_already:
            self._read_already[key] = self._find_record(key, below)
        return self._read_already[key]

    def _find_record(self, key: str, below: str) -> Record | None:
        kept = self.records.get(below)
        if kept is not None:
            record = Record(kept)
            record["log"] = [self._here(path) for path in record.get("log") or []]
            sums = record.get("input_checksums") or {}
            record["input_checksums"] = {self._here(path): found for path, found in sums.items()}
            record["conda_env"] = self.records.text_named(record.get("conda_env", ""))
            record["named"] = self._names(record.get("named") or {})
            return record
        # Of a run before results had records: taken over while there are none, where it is about this very file.
        old = super()._read_record(key) if self.records.since is None else None
        if old is None or not os.path.lexists(key) or look(key).mtime != old.endtime:
            return None
        record = Record({name: getattr(old, name) for name in FIELDS})
        record["input"] = _short_list([self._portable(path) for path in old.input or []])
        record["params"] = [_short(parameter) for parameter in old.params or []]
        return record

    async def finished(self, job: Any) -> None:
        if self.root:
            named, because = self._named(job), self._own_reasons(job)
            self._named_of |= {str(f): (named, because) for f in job.output}
        if job.benchmark:
            self._benchmarks |= dict.fromkeys(map(str, job.output), str(job.benchmark))
        await super().finished(job)

    def _write_record(self, key: str, record: Any) -> None:
        below = self._below(key)
        if below is None:
            super()._write_record(key, record)
            return
        self._read_already.pop(key, None)
        try:
            now = look(key)
        except OSError:
            # `--touch` passes by what is not there.
            return
        kept = {name: record.get(name) for name in FIELDS if record.get(name)}
        if "log" in kept:
            kept["log"] = [self._portable(path) for path in kept["log"]]
        if benchmark := self._benchmarks.pop(key, ""):
            kept["benchmark"] = self._portable(benchmark)
        if known := self._named_of.pop(key, None):
            kept |= {"named": self._kept_names(known[0]), "because": known[1]}
        if "input_checksums" in kept:
            kept["input_checksums"] = {self._portable(path): sums for path, sums in kept["input_checksums"].items()}
        if "conda_env" in kept:
            kept["conda_env"] = self.records.name_of_text(kept["conda_env"])
        kept |= {"size": now.size, "files": now.files, "mark": content_mark(key)}
        if now.times:
            kept["times"] = now.times
        if self.dag.workflow.touch:
            kept["adopted"] = time.strftime("%Y-%m-%d")
        self.records.put(below, kept)

    def _delete_record(self, key: str) -> bool:
        below = self._below(key)
        if below is None:
            return super()._delete_record(key)
        self._read_already.pop(key, None)
        return self.records.remove(below)

    # -- what makes a file valid -----------------------------------------------------------------

    def _input(self, job: Any) -> list[str]:
        return _short_list([self._portable(path) for path in super()._input(job)])

    def _params(self, job: Any) -> list[Any]:
        return [_short(parameter) for parameter in super()._params(job)]

    def has_metadata(self, job: Any) -> bool:
        # Without a record Snakemake asks no further, and takes a file as it is.
        return all(self._below(str(f)) is not None or self.metadata(f) is not None for f in job.output)

    def has_outdated_metadata(self, job: Any) -> bool:
        return False

    def params_changed(self, job: Any, file: Any = None) -> bool | ParamsChange:
        changes = super().params_changed(job, file)
        for f in job.output if file is None else [file]:
            if fault := self._fault(f):
                changes |= ParamsChange(only_old={fault}, files={f})
        return changes or NO_PARAMS_CHANGE

    def _fault(self, f: Any) -> str:
        """Why the record of a file that is there does not vouch for it; empty where it does, or no file is there."""
        key = str(f)
        if self._below(key) is None:
            return ""
        known = self.dag.workflow.iocache.mtime.get(f)
        try:
            mtime = known.local() if known else look(key).mtime
            record = self._read_record(key)
            if record is None or record.record_format_version != RECORD_FORMAT_VERSION:
                self._unknown[key] = mtime
                return UNKNOWN
            if key in self._replaced:
                return REPLACED
            # A file of an old record has no mark; its time was looked at.
            other = mtime not in (record.endtime, record.seen)
            if not other and record.times:
                other = not are_times_as_recorded(record, look(key))
            if other and record.mark and content_mark(key) != record.mark:
                return REPLACED
        except OSError:
            # Not there, and made again; or a folder that holds what cannot be read.
            return REPLACED if os.path.isdir(key) else ""
        return ""

    # -- why a job runs --------------------------------------------------------------------------

    def _named(self, job: Any) -> dict[str, Any]:
        return named_parameters(deciding_parameters(job))

    def _kept_names(self, named: dict[str, Any]) -> dict[str, str]:
        """The same with the parts of hashes, such as modules, as texts that the records of many jobs share."""
        texts = self.records.name_of_text
        return {name: value if isinstance(value, str) else texts(json.dumps(value)) for name, value in named.items()}

    def _names(self, kept: dict[str, str]) -> dict[str, Any]:
        found = {name: self.records.text_named(value) for name, value in kept.items()}
        return {name: json.loads(text) if text else kept[name] for name, text in found.items()}

    def _own_reasons(self, job: Any) -> list[str]:
        return job_reasons(self.dag.reason(job), [self._read_record(str(f)) for f in job.output], self._named(job))

    def _say_why(self, output: str, destination: Path) -> None:
        jobs = [job for job in self.dag.jobs if output in map(str, job.output)]
        if not jobs:
            return
        job, record = jobs[0], self._read_record(output) or {}
        runs = self.dag.needrun(job)

        def running(other: Any) -> list[Any]:
            return [before for before in self.dag.job_dependencies(other) if self.dag.needrun(before)]

        steps = upstream_reasons(job, running, self._own_reasons) if runs else []
        made = record.get("endtime")
        about = {
            "output": output,
            "rule": job.rule.name,
            "runs": runs,
            "reasons": self._own_reasons(job) if runs else [],
            "upstream": steps_of_one_kind([(j.rule.name, str(next(iter(j.output), "")), own) for j, own in steps]),
            "made": time.strftime("%Y-%m-%d %H:%M", time.localtime(made)) if made else "",
            "because": record.get("because") or [],
        }
        destination.write_text(json.dumps(about))

    # -- around a run ----------------------------------------------------------------------------

    def _around(self, lock: Callable[[], AbstractContextManager]) -> Callable[[], AbstractContextManager]:
        """Snakemake asks for its lock when it knows all jobs and has started none, and lets it go in the end."""

        @contextmanager
        def checked() -> Iterator[None]:
            workflow = self.dag.workflow
            if destination := os.environ.get(OUTPUTS_TO):
                Path(destination).write_text(json.dumps(self._made_by_jobs()))
            if destination := os.environ.get(JOBS_TO):
                # The Snakefile knows the config and the plan (cost.smk).
                Path(destination).write_text(json.dumps(workflow.jobs_of_plan(self.dag)))
            if destination := os.environ.get(WHY_TO):
                self._say_why(os.environ[WHY_OUTPUT], Path(destination))
            if not workflow.touch:
                self._refuse_unknown()
            if not workflow.dryrun:
                self._settle()
            try:
                with lock():
                    yield
            finally:
                self._say_what_is_left()

        return checked

    def _made_by_jobs(self) -> dict[str, list[str]]:
        jobs = list(self.dag.jobs)
        logs = {str(f) for job in jobs for f in [*job.log, *([job.benchmark] if job.benchmark else [])]}
        return {"outputs": sorted({str(f) for job in jobs for f in job.output}), "logs": sorted(logs)}

    def _refuse_unknown(self) -> None:
        since = self.records.since
        before = sorted(key for key, mtime in self._unknown.items() if since is None or mtime < since)
        if before:
            # Of this kind Snakemake prints the words alone.
            raise ApiError(_refusal(self.root.rstrip("/"), before))

    def _settle(self) -> None:
        """Write down what was found about results that were copied, and about those of before there were records."""
        fresh = self.records.since is None
        try:
            self.records.begin()
            if fresh:
                for key in self._keys_of_old():
                    if (record := self._read_already.get(key)) or (record := self._old_record(key)):
                        self._write_record(key, record)
            self.records.put_all(
                {
                    below: {
                        **self.records.get(below),
                        "seen": now.mtime,
                        **({"seen_times": now.times} if now.times else {}),
                    }
                    for below, now in self._elsewhere.items()
                }
            )
            if self.records.were_copied():
                self.records.stay()
        except OSError as error:
            # Where nothing is to be done, nothing is to be written.
            if not len(self.dag):
                return
            raise ApiError(
                f"{self.records.path} cannot be written to ({error.strerror}). It says what made each result; without "
                "it none can be believed. What to do: give yourself the right to write there, or name another folder "
                "for the results in the config: pathvars: {results: FOLDER}"
            ) from None

    def _old_record(self, key: str) -> Record | None:
        since, self.records.since = self.records.since, None
        try:
            return self._find_record(key, self._below(key) or "")
        finally:
            self.records.since = since

    def _keys_of_old(self) -> list[str]:
        """Paths below the results that Snakemake's own store has a record of, also of patients who are gone."""
        found = []
        for where, _, names in os.walk(self._metadata_path):
            parents = [part.removeprefix("@") for part in Path(where).relative_to(self._metadata_path).parts]
            for name in names:
                try:
                    key = base64.urlsafe_b64decode("".join([*parents, name])).decode()
                except ValueError:
                    continue
                if self._below(key) is not None:
                    found.append(key)
        return sorted(found)

    def _say_what_is_left(self) -> None:
        settings = self.dag.workflow.dag_settings
        # With these Snakemake forgets the jobs that are not to run.
        partly = settings.until or settings.omit_from
        if partly or not any(rule.name == "all" for rule in self.dag.targetrules):
            return
        made = {self._below(str(f)) for job in self.dag.jobs for f in job.output}
        left = [
            below
            for below in self.records
            if below not in made and not NULL_CONTROL.search(below) and os.path.lexists(self.root + below)
        ]
        if left:
            print(
                f"{self.root} still holds {len(left)} files or folders of patients or settings that are no part of "
                f"this run, such as {min(left)}: `leftovers` lists them, `remove_leftovers` deletes them",
                file=sys.stderr,
            )
        adopted = [below for below in self.records.having("adopted") if below in made]
        if adopted:
            print(
                f"{len(adopted)} results, such as {self.root}{min(adopted)}, were adopted as they are (--touch): "
                "nothing shows that this input and this code made them",
                file=sys.stderr,
            )


def _short(parameter: Any) -> Any:
    if not isinstance(parameter, str) or (len(parameter) <= LONGEST_PARAMETER and not set(parameter) & set("/\\")):
        return parameter
    return f"hash {hashlib.blake2b(parameter.encode(), digest_size=16).hexdigest()}"


def _short_list(paths: Sequence[str]) -> list[str]:
    ordered = sorted(paths)
    return ordered if len(ordered) <= MOST_INPUTS else [f"{len(ordered)} files, {_short(' '.join(ordered))}"]


def _refusal(root: str, files: Sequence[str]) -> str:
    examples = ", ".join(files[:3]) + (", ..." if len(files) > 3 else "")
    return (
        f"{len(files)} files in {root}/ were there before ({examples}), and nothing says what made them: they are "
        f"older than {root}/_provenance, or came without it. Whether they belong to these patients, this outcome and "
        "this code, nobody can tell, so nothing was run. What to do, one of three: copy the folder _provenance along "
        "with the results; or move the results away (or name another folder, pathvars: {results: FOLDER}) to make them "
        "anew; or, only if you know that this input and this code made them, adopt them as they are: the same command "
        "with --touch"
    )
