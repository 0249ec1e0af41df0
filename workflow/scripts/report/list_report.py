"""Have Snakemake list what the report shows: files, captions and the graph of the rules."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], "report"), tempfile.TemporaryDirectory() as folder:
    import json

    import pandas as pd

    from hcc_recurrence.cost.of_run import COLUMNS
    from hcc_recurrence.files import write_csv

    config = Path(folder, "config.json")
    config.write_text(json.dumps(snakemake.params.config))
    # The running workflow holds the lock; the list only reads what finished jobs left.
    command = [
        *(sys.executable, "-m", "snakemake", "studies", "--nolock"),
        *("--snakefile", snakemake.params.snakefile, "--configfile", str(config)),
        *("--reporter", "contents", "--report-contents-path", snakemake.output.contents),
    ]
    paths = [snakemake.params.plugin, os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    print(done.stdout, done.stderr)
    if done.returncode != 0:
        raise RuntimeError("Snakemake could not list the report; its message stands above")
    contents = json.loads(Path(snakemake.output.contents).read_text(encoding="utf-8"))
    write_csv(pd.DataFrame(contents["costs"], columns=COLUMNS), snakemake.output.costs)
