# Before the first job and after the last: the folder is claimed, and who is left out is said.
import atexit

from snakemake.logging import logger

from hcc_recurrence.left_jobs import claim_folder
from hcc_recurrence.problems import counted
from hcc_recurrence.submissions import SubmissionCount

# What a run for a cluster submits, or a dry run would, it says in the end.
if workflow.is_main_process:
    # Of a dry run Snakemake calls every job local.
    SUBMISSIONS = SubmissionCount(lambda rule: is_local_rule(workflow, rule))
    logger.addHandler(SUBMISSIONS)
    # Which steps go together, the profile of a cluster says.
    atexit.register(
        lambda: workflow.group_settings.group_components
        and print(SUBMISSIONS, file=sys.stderr)
    )


onstart:
    if not are_kept_with_results(workflow):
        raise WorkflowError(
            "The records of what made each result lie with the results. Start Snakemake without --persistence-backend."
        )
    # Held as long as this process lives.
    workflow.claim, ended = claim_folder(
        Path(".snakemake", "hcc_claim"), Path.cwd()
    )
    if ended:
        print(
            f"Cancelled jobs that an interrupted run had left on the cluster: {', '.join(ended)}",
            file=sys.stderr,
        )
    # The draft of sheets is of no cohort of the config.
    for name in [] if "discover" in WORDS else sorted(PLAN.cohorts):
        used = PLAN.patients(name)
        left_out = len(PLAN.cohorts[name].patients) - len(used)
        print(
            f"{name}: {counted(len(used), 'patient')} used, {left_out} left out",
            file=sys.stderr,
        )
        for patient, reason in sorted(PLAN.excluded[name].items()):
            print(f"  {patient} left out: {reason}", file=sys.stderr)
    if not FULL_CONFIG["models"]:
        say_cost(workflow.persistence.dag)
