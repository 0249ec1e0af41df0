"""Say what a run of this config costs on this machine."""

import sys

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], "cost"):
    from hcc_recurrence.cost.calibration import machine_speed
    from hcc_recurrence.cost.planned import ask_for_jobs
    from hcc_recurrence.cost.sums import cost_text
    from hcc_recurrence.cost.table import OF_KERNELS, CostTable

    params = snakemake.params
    table = CostTable.read(params.costs)
    jobs = ask_for_jobs(params.snakefile, params.config)
    speed = machine_speed(table)
    speed["networks"] *= OF_KERNELS[params.numerics]
    said = cost_text(jobs, table, speed, params.cores, gpus=params.gpus)
    print(said)
# The log holds it as well.
print(said, file=sys.stderr)
