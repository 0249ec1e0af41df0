"""Simulate one patient as DICOM series and masks."""

from pathlib import Path

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"patient {snakemake.wildcards.patient}"):
    from hcc_recurrence.simulation.patient import SimulatedPatient, simulate_patient

    simulate_patient(
        SimulatedPatient.from_row(snakemake.params.row),
        snakemake.params.phases,
        Path(snakemake.output[0]),
    )
