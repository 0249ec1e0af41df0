"""Write what made the results of the run."""

from pathlib import Path

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], "provenance"):
    from datetime import UTC, datetime

    from hcc_recurrence.files import read_csv
    from hcc_recurrence.report.provenance import provenance, write_provenance
    from hcc_recurrence.version import commit_and_changes

    # None where no network was trained.
    machines = [read_csv(file) for file in snakemake.input.machines]
    commit = commit_and_changes(Path(snakemake.params.home))
    content = provenance(snakemake.params.facts, machines[0] if machines else None, commit, datetime.now(UTC))
    write_provenance(Path(snakemake.output[0]), content)
    print(f"config {content['config']['digest']}, commit {content['workflow']['commit'] or 'unknown'}")
