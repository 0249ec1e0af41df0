# What the jobs of this run do and cost: for the target `cost`, the start of a run, its report, and limits of jobs.
from hcc_recurrence.cost.planned import megabytes_there, planned_jobs
from hcc_recurrence.cost.sums import start_words
from hcc_recurrence.cost.table import CostTable
from hcc_recurrence.cost.work import Workload
from hcc_recurrence.snakemake_inside import run_resource


def simulated_scanners():
    """Those of simulated patients; every job reads this file, and few need them."""
    from hcc_recurrence.simulation.anatomy import SCANNERS

    return SCANNERS


COSTS = HOME / "workflow" / "costs.csv"
COST_TABLE = CostTable.read(COSTS)
WORKLOAD = Workload(FULL_CONFIG, PLAN, simulated_scanners)
# A dry run for the target `cost` writes them down (snakemake_records).
workflow.jobs_of_plan = lambda dag: planned_jobs(dag, WORKLOAD, PAPERS)


def reckoned_minutes(rule):
    """Minutes that a job of a rule may take, by the table of costs; more with each attempt."""

    def needed(wildcards, attempt):
        units = WORKLOAD.units(rule, wildcards)
        return COST_TABLE.limit_minutes(units, bool(GPUS)) * attempt

    return needed


def gpus_of_run():
    """GPUs that the run may take at once: those of `--resources gpu=N`, else one."""
    return int(run_resource(workflow, "gpu") or 1)


def say_cost(dag):
    """Print what the run costs where that is more than an hour of a core, before its first job."""
    said = start_words(
        planned_jobs(dag, WORKLOAD, PAPERS),
        COST_TABLE,
        workflow.cores or 1,
        gpus_of_run(),
    )
    if said:
        print(said, file=sys.stderr)


def reckoned_memory(rule, more=lambda wildcards: 0):
    """MB that a job of a rule may take, by the table of costs; doubles with each attempt.

    Args: more: what grows with images and patients, MB, by the wildcards.
    """
    least = COST_TABLE.limit_memory_mb(rule)
    return lambda wildcards, attempt: round(least + more(wildcards)) * 2 ** (
        attempt - 1
    )


def run_cost(dag):
    """What the run was to cost beside what it did cost, by method and stage."""
    # Few processes ask, and pandas takes half a second.
    from hcc_recurrence.cost.of_run import cost_of_run

    jobs = planned_jobs(dag, WORKLOAD, PAPERS)
    return cost_of_run(jobs, COST_TABLE, megabytes_there(dag))


# For the list of the report (the plugin of `list_report`).
workflow.cost_of_run = run_cost
