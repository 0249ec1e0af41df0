"""Looks at the words after `snakemake` before Snakemake does, where they start this workflow.

Snakemake reads config files before the Snakefile. One that is broken, or a target that `--configfile` takes for one,
ends there in a traceback or without a line number, and no workflow is asked. Plugins are what Snakemake loads earlier:
this one is no more than a hook. `make environment` copies it into .venv; what is looked at, and how it is said, stands
with the workflow itself, in workflow/scripts/hcc_recurrence/command_line.py. As a logger it prints nothing.
"""

import importlib.util
import sys
from pathlib import Path

from snakemake_interface_logger_plugins.base import LogHandlerBase


class LogHandler(LogHandlerBase):
    """A logger that nobody needs: Snakemake asks a plugin for one."""

    def emit(self, record):
        """Nothing is printed."""

    writes_to_stream = writes_to_file = has_filter = has_formatter = needs_rulegraph = False


def snakefile_of(argv: list[str]) -> Path:
    """The Snakefile that the words name, or the one of this folder."""
    for number, word in enumerate(argv):
        name, _, value = word.partition("=")
        if name in ("-s", "--snakefile"):
            return Path(value or (argv[number + 1] if number + 1 < len(argv) else ""))
    return Path("Snakefile")


def look(argv: list[str]) -> None:
    """End in plain words where the command line or a config file that it names cannot be used."""
    module = snakefile_of(argv).parent / "workflow/scripts/hcc_recurrence/command_line.py"
    # A job of a running workflow was looked at when the workflow began.
    if "--mode" in argv or not module.is_file():
        return
    spec = importlib.util.spec_from_file_location("hcc_command_line", module)
    checks = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(checks)
    if problems := checks.command_line_problems(argv, Path("config/config.yaml")):
        sys.exit("\n".join(["Nothing was run.", *(f"  {number}. {text}" for number, text in enumerate(problems, 1))]))


if Path(sys.argv[0]).stem == "snakemake" or Path(sys.argv[0]).parts[-2:] == ("snakemake", "__main__.py"):
    look(sys.argv[1:])
