"""Say, and delete where that was asked for, what the results hold of patients and settings that are gone."""

import sys
from pathlib import Path

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], "leftovers"):
    from hcc_recurrence.leftovers import describe, find_leftovers, planned_outputs, remove_leftovers

    params = snakemake.params
    planned, results = planned_outputs(params.snakefile, params.config), Path(params.results)
    found = find_leftovers(results, planned["outputs"])
    if params.delete:
        found = remove_leftovers(results, found, planned["logs"])
        said = "\n".join([f"{len(found)} files or folders were deleted", *[f"  {x.path}" for x in found]])
    else:
        said = describe(found)
    print(said)
# The log holds it as well.
print(said, file=sys.stderr)
