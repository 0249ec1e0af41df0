"""Say why a result was made last, and why it would be made again."""

import sys

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], "why"):
    from hcc_recurrence.rerun_reasons import ask, explain

    params = snakemake.params
    said = explain(ask(params.snakefile, params.config, params.output))
    print(said)
# The log holds it as well.
print(said, file=sys.stderr)
