"""What triggers a rerun: meaning of code and content of files, nothing else."""

from __future__ import annotations

import os

import pytest

from hcc_recurrence import provenance
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
