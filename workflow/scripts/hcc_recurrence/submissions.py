"""How many jobs a run would submit to a cluster, counted from what a dry run of Snakemake logs."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable

# Rules of jobs that take hours each, however few they are.
TRAINING = "train_"


class SubmissionCount(logging.Handler):
    """Counts the jobs and groups of jobs that Snakemake announces.

    Args: is_local: whether the jobs of a rule, by its name, run where Snakemake runs.
    """

    def __init__(self, is_local: Callable[[str], bool]):
        super().__init__()
        self.is_local = is_local
        self.groups: Counter[str] = Counter()
        self.rules: Counter[str] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        """Count an announcement; any other message is none."""
        event = getattr(getattr(record, "event", None), "name", "")
        if event == "GROUP_INFO":
            self.groups[record.group_id] += 1
        # The jobs of a group are announced below it, indented.
        elif event == "JOB_INFO" and not record.indent and not self.is_local(record.rule_name):
            self.rules[record.rule_name] += 1

    def __str__(self) -> str:
        training = {rule: n for rule, n in self.rules.items() if rule.startswith(TRAINING)}
        short = {rule: n for rule, n in self.rules.items() if rule not in training}
        counts = (("steps together", self.groups), ("single jobs", short), ("jobs that train", training))
        lines = [f"  {what}: " + ", ".join(f"{n} {name}" for name, n in sorted(c.items())) for what, c in counts if c]
        fewer, more = self.groups.total() + sum(short.values()), sum(training.values())
        return "\n".join([f"Submissions to the cluster: {fewer}, and {more} jobs that train networks", *lines])
