"""Have Snakemake write the report of the finished studies."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], "report"), tempfile.TemporaryDirectory() as folder:
    import json

    config = Path(folder, "config.json")
    config.write_text(json.dumps(snakemake.params.config))
    # The running workflow holds the lock; the report only reads what finished jobs left.
    command = [
        *(sys.executable, "-m", "snakemake", "studies", "--nolock"),
        *("--snakefile", snakemake.params.snakefile, "--configfile", str(config)),
        *("--report", snakemake.output[0]),
    ]
    start_page = str(Path(snakemake.input.start_page).absolute())
    environment = {**os.environ, "HCC_START_PAGE": start_page}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    print(done.stdout, done.stderr)
    if done.returncode != 0:
        raise RuntimeError("Snakemake could not write the report; its message stands above")
