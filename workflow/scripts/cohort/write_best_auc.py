"""Write the oracle AUC of a simulated cohort."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"cohort {snakemake.wildcards.cohort}"):
    import pandas as pd

    from hcc_recurrence.files import write_csv
    from hcc_recurrence.simulation.risk import RiskModel, best_reachable_auc

    model = RiskModel(effect=0.0) if snakemake.params.null_outcome else RiskModel()
    write_csv(pd.DataFrame({"best_auc": [best_reachable_auc(model)]}), snakemake.output[0])
