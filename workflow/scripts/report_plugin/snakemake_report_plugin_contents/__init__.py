"""What Snakemake's report would show, as JSON: the marks and captions of the rules are the report's one source.

Snakemake finds the plugin where PYTHONPATH names its folder (`list_report.py`): nothing has to be installed.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

from snakemake.report import FileRecord
from snakemake.report.rulegraph_spec import rulegraph_spec
from snakemake_interface_report_plugins.reporter import ReporterBase
from snakemake_interface_report_plugins.settings import ReportSettingsBase

_render = FileRecord.render


def _render_alone(record, env, rst_links, categories, files):
    """Snakemake puts a link target of every category and every file below each caption, for captions that link to one.

    Ours link to none (a test), and their HTML is the same without; to read the targets of 600 files 600 times is most
    of the time of the list.
    """
    return _render(record, env, "", categories, files)


FileRecord.render = _render_alone


@dataclass
class ReportSettings(ReportSettingsBase):
    # Snakemake's command line does not understand `Path | None`.
    path: Optional[Path] = field(  # noqa: UP045
        default=None,
        metadata={"help": "The JSON file", "env_var": False, "required": True},
    )


class Reporter(ReporterBase):
    def __post_init__(self) -> None:
        pass

    def render(self) -> None:
        entries = [
            {
                "path": str(record.path),
                "category": category.name,
                "labels": dict(record.labels or {}),
                "caption": record.caption,
                "rule": record.job.rule.name,
            }
            for category, parts in self.results.items()
            for records in parts.values()
            for record in records
        ]
        graph, _, _ = rulegraph_spec(self.dag)
        rules = [node["rule"] for node in graph["nodes"]]
        links = {(link["source"], link["target"]) for link in [*graph["links"], *graph["links_direct"]]}
        jobs: dict[str, int] = {}
        for record in self.jobs:
            jobs[record.rule] = jobs.get(record.rule, 0) + 1
        contents = {
            "entries": sorted(entries, key=lambda entry: entry["path"]),
            "rules": [{"name": rule, "jobs": jobs.get(rule, 0)} for rule in rules],
            # Another workflow that has this one as a module may not say it.
            "costs": getattr(self.dag.workflow, "cost_of_run", lambda dag: [])(self.dag),
            "links": sorted([rules[source], rules[target]] for source, target in links),
        }
        self.settings.path.write_text(json.dumps(contents, indent=1, sort_keys=True), encoding="utf-8")
