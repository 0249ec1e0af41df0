"""What other tools read of the workflow: editors the schema of the config, the catalog its own file."""

from __future__ import annotations

import json
import re

import jsonschema
import pytest
import yaml
from workflow_runner import REPOSITORY

EXAMPLE = REPOSITORY / "config/example_own_patients.yaml"


@pytest.fixture(scope="module")
def schema():
    return json.loads((REPOSITORY / "config/config.schema.json").read_text())


def test_the_schema_for_editors_is_that_of_the_workflow(monkeypatch):
    monkeypatch.syspath_prepend(str(REPOSITORY / "docs"))
    from config_schema import TARGET, schema_text

    assert TARGET.read_text() == schema_text(), "run `make docs`"


def test_editors_take_what_the_workflow_takes_and_mark_a_slip(schema):
    """By a validator of draft 7, which is what editors have."""
    check = jsonschema.Draft7Validator(schema)
    check.check_schema(schema)
    config = yaml.safe_load((REPOSITORY / "config/config.yaml").read_text())
    assert list(check.iter_errors(config)) == []
    assert list(check.iter_errors(yaml.safe_load(EXAMPLE.read_text()))) == []
    slip = {**config, "keep_goin": True, "studies": [{"paper": "zhao2024"}]}
    assert {error.validator for error in check.iter_errors(slip)} == {"additionalProperties", "required"}


def test_the_example_names_its_schema():
    (named,) = re.findall(r"^# yaml-language-server: \$schema=(\S+)$", EXAMPLE.read_text(), re.MULTILINE)
    assert (EXAMPLE.parent / named).is_file()


def test_the_catalog_finds_what_it_asks_for():
    """Its rules of inclusion: README, a Snakefile in workflow/, a description of the config, and the usage file."""
    for name in ("README.md", "workflow/Snakefile", "config/README.md", "LICENSE"):
        assert (REPOSITORY / name).is_file(), name
    usage = yaml.safe_load((REPOSITORY / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert {"mandatory-flags", "software-stack-deployment", "report"} <= set(usage)
    assert usage["software-stack-deployment"]["conda"] is True


def test_the_changelog_is_kept_as_keepachangelog_has_it():
    """One heading a version, the newest first, that of the package among them."""
    headings = re.findall(r"^## (.+)$", (REPOSITORY / "CHANGELOG.md").read_text(), re.MULTILINE)
    for heading in headings:
        assert re.fullmatch(r"(\[Unreleased\]|\[\d+\.\d+\.\d+\] - (\d{4}-\d\d-\d\d|unreleased))", heading), heading
    version = re.search(r'^version = "(.+)"$', (REPOSITORY / "pyproject.toml").read_text(), re.MULTILINE)[1]
    cited = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text())["version"]
    assert cited == version and any(f"[{version}]" in heading for heading in headings)
