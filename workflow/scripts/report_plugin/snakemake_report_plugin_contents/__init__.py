"""What Snakemake's report would show, as JSON: the marks and captions of the rules are the report's one source.

Snakemake finds the plugin where PYTHONPATH names its folder (`list_report.py`): nothing has to be installed.
"""

import functools
import json
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from types import SimpleNamespace
from typing import Optional

import snakemake.report as snakemake_report
import yaml
from snakemake.report import FileRecord
from snakemake_interface_report_plugins.reporter import ReporterBase
from snakemake_interface_report_plugins.settings import ReportSettingsBase

_render = FileRecord.render


def _render_alone(record, env, rst_links, categories, files):
    """Snakemake puts a link target of every category and every file below each caption, for captions that link to one.

    Ours link to none (a test), and their HTML is the same without; to read the targets of 600 files 600 times is most
    of the time of the list.
    """
    if "from_string" not in vars(env):
        env.from_string = functools.cache(env.from_string)
    return _render(record, env, "", categories, files)


FileRecord.render = _render_alone


# What Snakemake does anew for each of thousands of jobs and hundreds of files, of few different texts: an environment
# of conda read from its YAML, a caption's template compiled, a caption brought into HTML. All cores wait for the list.
@functools.cache
def _environment(text, Loader):
    return yaml.load(text, Loader=Loader)


snakemake_report.yaml = SimpleNamespace(load=_environment, Loader=yaml.Loader)
snakemake_report.publish_parts = functools.cache(snakemake_report.publish_parts)


def rule_links(dag):
    """(rule that is needed, rule) of all jobs of a run."""
    return {(needed.rule.name, job.rule.name) for job in dag.jobs for needed in dag.dependencies[job]}


def needed_first(dag, links):
    """Names of the rules, each once, after all that it needs.

    Where rules of a user need each other in a circle, by way of different files: in the order of their first jobs.
    """
    before = {name: set() for name in sorted({job.rule.name for job in dag.jobs})}
    for needed, rule in sorted(links):
        if needed != rule:
            before[rule].add(needed)
    try:
        return list(TopologicalSorter({rule: sorted(names) for rule, names in before.items()}).static_order())
    except CycleError:
        levels = [sorted({job.rule.name for job in level}) for level in dag.toposorted()]
        return list(dict.fromkeys(name for level in levels for name in level))


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
        links = rule_links(self.dag)
        jobs: dict[str, int] = {}
        for record in self.jobs:
            jobs[record.rule] = jobs.get(record.rule, 0) + 1
        contents = {
            "entries": sorted(entries, key=lambda entry: entry["path"]),
            "rules": [{"name": rule, "jobs": jobs.get(rule, 0)} for rule in needed_first(self.dag, links)],
            # Another workflow that has this one as a module may not say it.
            "costs": getattr(self.dag.workflow, "cost_of_run", lambda dag: [])(self.dag),
            "links": sorted(map(list, links)),
        }
        self.settings.path.write_text(json.dumps(contents, indent=1, sort_keys=True), encoding="utf-8")
