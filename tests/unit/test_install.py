"""envs/install.sh with a pip that writes down what it is asked for: nothing is installed."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ENVS = Path(__file__).parents[2] / "envs"
PIP = """#!/usr/bin/env bash
for word in "$@"; do
    case $word in
    */[012].txt)
        cat "$word" >>"$ASKED"
        grep -q "${FAILS:-nothing}" "$word" && { echo "no such version" >&2; exit 1; }
        ;;
    check) [ -z "${MISSING:-}" ] || { echo "one requires two, which is not installed."; exit 1; } ;;
    esac
done
exit 0
"""


@pytest.fixture
def install(tmp_path):
    envs = tmp_path / "envs"
    envs.mkdir()
    for name in ("install.sh", "requirements.lock", "torch.txt"):
        shutil.copy(ENVS / name, envs)
    python = tmp_path / "venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(PIP)
    python.chmod(0o755)

    def run(**environment):
        asked = tmp_path / "asked"
        asked.unlink(missing_ok=True)
        given = {**os.environ, "ASKED": str(asked), "TMPDIR": str(tmp_path), **environment}
        command = [str(envs / "install.sh"), str(tmp_path / "venv")]
        return subprocess.run(command, env=given, capture_output=True, text=True), asked.read_text().splitlines()

    return run


def test_the_parts_are_the_whole_lock_and_each_line_stands_in_one(install):
    ended, asked = install()
    assert ended.returncode == 0, ended.stderr
    lock = [line for line in (ENVS / "requirements.lock").read_text().splitlines() if not line.startswith("#")]
    assert sorted(asked) == sorted(lock) and len(set(lock)) == len(lock)


@pytest.mark.parametrize("package", ["annotated-types", "argparse-dataclass", "attrs"])
def test_a_part_that_fails_ends_it_with_what_pip_said(install, package):
    """The first three lines of the lock lie in three parts."""
    ended, _ = install(FAILS=f"^{package}==")
    assert ended.returncode == 1 and "no such version" in ended.stderr


def test_what_is_missing_is_named(install, tmp_path):
    ended, _ = install(MISSING="yes")
    assert ended.returncode == 1 and "one requires two, which is not installed." in ended.stderr
    assert not list(tmp_path.glob("tmp.*")), "its own files are left"
