"""Join the feature rows of all patients of a phase into one table."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"cohort {snakemake.wildcards.cohort}"):
    import pyarrow as pa
    import pyarrow.parquet as pq

    from hcc_recurrence.radiomics.tables import read_features

    tables = [read_features(f"{folder}/{snakemake.wildcards.phase}.feather") for folder in snakemake.input]
    pq.write_table(pa.concat_tables(tables), snakemake.output[0], compression="none")
    print(f"{len(tables)} patients")
