"""Reasons of a run by name."""

from __future__ import annotations

from types import SimpleNamespace

from hcc_recurrence.provenance import code_version, hash_of_parts, parts_of
from hcc_recurrence.rerun_reasons import (
    REPLACED,
    differences,
    explain,
    job_reasons,
    named_parameters,
    steps_of_one_kind,
    upstream_reasons,
)


def snakemakes(**named):
    empty = {
        "forced": False,
        "missing_output": (),
        "incomplete_output": (),
        "updated_input": (),
        "updated_input_run": (),
    }
    return SimpleNamespace(**{**empty, "params_changed": None, "input_changed": False, **named})


def changed(*only_old: str) -> SimpleNamespace:
    return SimpleNamespace(only_old=set(only_old), only_new=set())


def test_a_hash_is_told_by_its_parts_and_a_setting_by_its_value():
    before = hash_of_parts("module", "a" * 32, {"learning.folds": "1" * 32, "files": "2" * 32, "old": "3" * 32})
    after = hash_of_parts("module", "b" * 32, {"learning.folds": "9" * 32, "files": "2" * 32, "new": "4" * 32})
    values = hash_of_parts("column", "c" * 32, {"afp": "5" * 32, "ast": "6" * 32})
    other = hash_of_parts("column", "d" * 32, {"afp": "7" * 32, "ast": "6" * 32})
    old = named_parameters({"code": before, "clinical": values, "settings": {"epochs": 5, "names": ["x"] * 30}})
    new = named_parameters({"code": after, "clinical": other, "settings": {"epochs": 7, "names": ["y"] * 30}})
    assert differences(old, new) == [
        "afp of the patients sheet has another value",
        "module learning.folds was changed",
        "module new is used now",
        "module old is not used any more",
        "setting settings.epochs: 5 before, 7 now",
        "setting settings.names is another",
    ]
    assert differences(old, old) == []
    assert differences({}, {"horizon": "24.0"}) == ["setting horizon is new"]


def test_files_of_a_patient_are_named_and_neither_paths_nor_hashes_are_kept_in_words():
    named = named_parameters({"fingerprint": {"portal": "abc 1.2.3", "portal.R1": "def"}, "root": "/data/Mr Smith"})
    assert set(named) == {"fingerprint.portal", "fingerprint.portal.R1", "root"}
    assert all(value.startswith("hash ") and "Smith" not in value and "1.2.3" not in value for value in named.values())
    again = named_parameters({"fingerprint": {"portal": "abc 1.2.3", "portal.R1": "xyz"}, "root": "/data/Mr Smith"})
    assert differences(named, again) == ["the files of portal.R1 are others"]


def test_modules_of_a_script_are_known_by_name(tmp_path):
    package = tmp_path / "hcc_recurrence"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "one.py").write_text("A = 1\n")
    script = tmp_path / "script.py"
    script.write_text("from hcc_recurrence import one\n")
    kind, parts = parts_of(code_version(script, tmp_path))
    assert kind == "module" and set(parts) == {"script.py", "hcc_recurrence", "one"}
    # An edit of one module changes its part alone.
    other = tmp_path / "other"
    other.mkdir()
    (other / "hcc_recurrence").mkdir()
    (other / "hcc_recurrence/__init__.py").write_text("")
    (other / "hcc_recurrence/one.py").write_text("A = 2\n")
    (other / "script.py").write_text(script.read_text())
    _, edited = parts_of(code_version(other / "script.py", other))
    assert {name for name in parts if parts[name] != edited[name]} == {"one"}


def test_reasons_of_a_job():
    old = {"named": {"settings.epochs": "5"}}
    new = {"settings.epochs": "7"}
    assert job_reasons(snakemakes(params_changed=changed("5")), [old, None], new) == [
        "setting settings.epochs: 5 before, 7 now"
    ]
    # A file that was put there by somebody is that, whatever else differs.
    assert job_reasons(snakemakes(params_changed=changed(REPLACED)), [old], old["named"]) == [REPLACED]
    assert job_reasons(snakemakes(params_changed=changed("5")), [{"named": {}}], new) == [
        "a parameter is another; the record is older than names of parameters"
    ]
    assert job_reasons(snakemakes(missing_output=["results/a"], forced=True), [None], new) == [
        "it is asked for by name (--forcerun or --forceall)",
        "results/a is not there",
    ]
    # What another job makes again is that job's reason.
    updated = snakemakes(updated_input=["a", "b"], updated_input_run=["b"])
    assert job_reasons(updated, [old], old["named"]) == ["a is newer"]


def test_the_jobs_before_are_told_nearest_first_and_once():
    waits = {"table": ["fit", "labels"], "fit": ["labels", "features"], "labels": [], "features": []}
    own = {"fit": [], "labels": ["age is another"], "features": ["module x was changed"], "table": []}
    found = upstream_reasons("table", waits.get, own.get)
    assert found == [("labels", ["age is another"]), ("features", ["module x was changed"])]
    steps = steps_of_one_kind([("convert", "a", ["m"]), ("convert", "b", ["m"]), ("convert", "c", ["n"])])
    assert [(step["output"], step["reasons"]) for step in steps] == [("a", ["m"]), ("c", ["n"])]


def test_the_words_for_an_output():
    about = {"output": "results/t.csv", "rule": "write", "runs": True, "reasons": [], "made": "2026-01-01 10:00"}
    about |= {"upstream": [{"rule": "fit", "output": "results/f", "reasons": ["module x was changed"]}], "because": []}
    said = explain(about)
    assert said.splitlines() == [
        "results/t.csv will be made again by write:",
        "  its input is made again",
        "  before it fit runs, such as for results/f:",
        "    module x was changed",
        "It was last made at 2026-01-01 10:00: no reason was kept: it was made for the first time, or adopted.",
    ]
    said = explain({**about, "runs": False, "upstream": [], "because": ["afp of the patients sheet has another value"]})
    assert said.startswith("results/t.csv is up to date") and said.endswith(
        "10:00: afp of the patients sheet has another value."
    )
