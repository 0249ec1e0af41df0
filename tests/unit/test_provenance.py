"""What triggers a rerun: meaning of code and content of files, nothing else."""

from __future__ import annotations

import ast
import os
from pathlib import Path

import pytest

from hcc_recurrence import provenance
from hcc_recurrence.parsed_modules import ParsedModules
from hcc_recurrence.provenance import FileCache, code_version, combine_hashes, content_hash

FILES = {
    "rule.py": '"""A."""\n\ndef go():\n    from hcc_recurrence.a import f\n    return f()\n',
    "hcc_recurrence/__init__.py": "",
    "hcc_recurrence/a/__init__.py": "from hcc_recurrence.b import g\n\ndef f():\n    return g() + 1\n",
    "hcc_recurrence/b.py": "def g():\n    return 1\n",
    "hcc_recurrence/c.py": "X = 1\n",
}


@pytest.fixture
def package(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def version(folder):
    provenance.code_version.cache_clear()
    provenance._parsed.cache_clear()
    return code_version(folder / "rule.py", folder)


@pytest.mark.parametrize(
    ("file", "text", "changes"),
    [
        ("rule.py", FILES["rule.py"].replace("A.", "Another docstring.") + "# comment\n", False),
        ("rule.py", FILES["rule.py"].replace("return f()", "return  (f( ))"), False),
        ("rule.py", FILES["rule.py"].replace("return f()", "return f() + 1"), True),
        ("hcc_recurrence/b.py", "def g():\n    '''Doc.'''\n    return 1\n", False),
        ("hcc_recurrence/b.py", "def g():\n    return 2\n", True),
        ("hcc_recurrence/c.py", "X = 2\n", False),
        ("hcc_recurrence/__init__.py", "Y = 1\n", True),
        ("hcc_recurrence/a/__init__.py", FILES["hcc_recurrence/a/__init__.py"] + "from .. import c\n", True),
    ],
)
def test_only_reachable_meaning_counts(package, file, text, changes):
    before = version(package)
    (package / file).write_text(text)
    assert (version(package) != before) == changes


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """Starts of Snakemake that share a file of what was parsed: `kept()` begins the next one."""
    file = tmp_path / "kept/modules.json"
    file.parent.mkdir()

    def start(code=Path(provenance.__file__)):
        if provenance.PARSED is not ours:
            provenance.PARSED.write()
        monkeypatch.setattr(provenance, "PARSED", ParsedModules([code]))
        provenance.PARSED.read(file)
        return file

    ours = provenance.PARSED
    return start


def parsed_by(monkeypatch) -> list[str]:
    """Names of the files that are parsed from now on."""
    parsed, parse = [], ast.parse

    def recorded(source, filename="<unknown>", *more, **named):
        parsed.append(filename)
        return parse(source, filename, *more, **named)

    monkeypatch.setattr(ast, "parse", recorded)
    return parsed


def test_modules_of_the_same_bytes_are_parsed_once_and_others_anew(package, kept, monkeypatch):
    kept()
    without = version(package)
    file = kept()
    parsed = parsed_by(monkeypatch)
    assert version(package) == without and parsed == []
    (package / "hcc_recurrence/b.py").write_text("def g():\n    return 2\n")
    changed = version(package)
    assert changed != without and [Path(name).name for name in parsed] == ["b.py"]
    # The same bytes in a package and in a module name other modules, where an import is relative.
    kept()
    for name in ("a/d.py", "d.py"):
        (package / "hcc_recurrence" / name).write_text("from . import c\n")
    for _ in range(2):
        assert provenance._parsed(package / "hcc_recurrence/d.py", "hcc_recurrence.d")[1] > {"hcc_recurrence.c"}
        assert provenance._parsed(package / "hcc_recurrence/a/d.py", "hcc_recurrence.a.d")[1] > {"hcc_recurrence.a.c"}
        kept()
        provenance._parsed.cache_clear()
    # Back to the first bytes, after starts that did not ask for them; and without the file at all.
    (package / "hcc_recurrence/b.py").write_text(FILES["hcc_recurrence/b.py"])
    assert version(package) == without
    file.unlink()
    assert version(package) == without


@pytest.mark.parametrize(
    "damage", [lambda text: text[: len(text) // 2], lambda text: "[]", lambda text: '{"version": 1}']
)
def test_a_damaged_file_of_parsed_modules_is_not_looked_at(package, kept, damage):
    kept()
    without = version(package)
    file = kept()
    file.write_text(damage(file.read_text()))
    kept()
    assert version(package) == without


def test_what_other_code_found_of_modules_is_not_looked_at(package, kept, monkeypatch, tmp_path):
    kept()
    without = version(package)
    other = tmp_path / "other.py"
    other.write_text("# finds something else")
    kept(other)
    parsed = parsed_by(monkeypatch)
    assert version(package) == without and len(parsed) == 4


def test_a_module_reached_by_a_relative_import_counts(package):
    (package / "hcc_recurrence/a/__init__.py").write_text("from ..b import g\nfrom .. import c\n\nf = g\n")
    before = version(package)
    (package / "hcc_recurrence/c.py").write_text("X = 3\n")
    assert version(package) != before


def test_combined_hashes_ignore_order_and_copies():
    assert combine_hashes(["b", "a", "a"]) == combine_hashes(["a", "b"]) != combine_hashes(["a"])


def test_the_cache_asks_again_only_after_a_change(tmp_path):
    file, asked = tmp_path / "f", []
    file.write_bytes(b"one")

    def compute(path):
        asked.append(path)
        return content_hash(path)

    cache = FileCache(tmp_path / "cache.json", "1")
    first = cache.get(file, compute)
    cache.save()
    assert FileCache(tmp_path / "cache.json", "1").get(file, compute) == first and len(asked) == 1
    assert FileCache(tmp_path / "cache.json", "2").get(file, compute) == first and len(asked) == 2
    os.utime(file, ns=(1, 1))
    assert FileCache(tmp_path / "cache.json", "1").get(file, compute) == first and len(asked) == 3
    file.write_bytes(b"two")
    assert FileCache(tmp_path / "cache.json", "1").get(file, compute) != first


def test_a_broken_cache_is_ignored(tmp_path):
    (tmp_path / "cache.json").write_text("{half")
    (tmp_path / "f").write_bytes(b"x")
    assert FileCache(tmp_path / "cache.json", "1").get(tmp_path / "f", content_hash)


def test_a_file_replaced_by_one_of_the_same_size_and_date_is_looked_at_again(tmp_path):
    """As unpacked from an archive that gives all its files one date."""
    file = tmp_path / "mask.nii"
    for content in ("the old mask", "another mask"):
        other = tmp_path / "unpacked"
        other.write_text(content)
        os.utime(other, (315532800, 315532800))
        other.rename(file)
        cache = FileCache(tmp_path / "cache.json", "1")
        assert cache.get(file, content_hash) == content_hash(file)
        cache.save()


def test_modules_imported_by_a_given_name_count_and_those_of_others_do_not(package):
    for name in ("one", "two"):
        (package / f"hcc_recurrence/{name}.py").write_text(f"X = '{name}'\n")

    def of(name):
        provenance.code_version.cache_clear()
        provenance._parsed.cache_clear()
        return code_version(package / "rule.py", package, (f"hcc_recurrence.{name}",))

    before = of("one"), of("two")
    assert len({version(package), *before}) == 3
    (package / "hcc_recurrence/two.py").write_text("X = 3\n")
    assert of("one") == before[0] and of("two") != before[1]
    with pytest.raises(ModuleNotFoundError, match=r"there is no module hcc_recurrence\.three"):
        of("three")


def test_an_edit_of_one_method_changes_no_hash_of_another(tmp_path):
    """All modules of Cui 2022 changed: a fit of Zhao 2024 keeps its hash."""
    import shutil

    from workflow_runner import REPOSITORY

    scripts = tmp_path / "scripts"
    shutil.copytree(REPOSITORY / "workflow/scripts", scripts, ignore=shutil.ignore_patterns("__pycache__"))

    def of(paper):
        provenance.code_version.cache_clear()
        provenance._parsed.cache_clear()
        return code_version(scripts / "methods/fit_method.py", scripts, (f"hcc_recurrence.methods.{paper}.fit",))

    before = of("zhao2024"), of("cui2022")
    for module in (scripts / "hcc_recurrence/methods/cui2022").glob("*.py"):
        module.write_text(module.read_text() + "\nCHANGED = 1\n")
    assert of("zhao2024") == before[0] and of("cui2022") != before[1]
