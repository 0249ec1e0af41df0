"""The tests' own Snakemake: files of rules that it translated before are those that Snakemake translates."""

from __future__ import annotations

import io
from types import SimpleNamespace

import snakemake.api  # noqa: F401 (first, since its modules import each other in a circle)
import snakemake_server
from snakemake import workflow as snakemake_workflow


def test_rules_that_were_translated_once_are_the_same_at_any_place(monkeypatch):
    translate = snakemake_workflow.parse
    monkeypatch.setattr(snakemake_workflow, "parse", translate)
    snakemake_server.translate_rules_once()
    files = sorted(snakemake_server.RULES.rglob("*.smk"))
    assert len(files) > 40 and snakemake_workflow.parse is not translate
    # The last one is as a test changes its copy: a rule that no file has.
    texts = [file.read_text(encoding="utf-8") for file in files] + ["rule own:\n    output:\n        'a'\n"]
    for text in texts:
        opened = SimpleNamespace(sourcecache=SimpleNamespace(open=lambda path, text=text: io.StringIO(text)))
        path = SimpleNamespace(get_path_or_uri=lambda secret_free: "/else/where/rules/x.smk")
        found = []
        for parse in (translate, snakemake_workflow.parse):
            lines = {}
            found.append((*parse(path, opened, linemap=lines, rulecount=7), lines))
        assert found[0] == found[1]
        assert ("/else/where/rules/x.smk" in found[0][0]) == ("rule " in text and "@workflow.rule" in found[0][0])
