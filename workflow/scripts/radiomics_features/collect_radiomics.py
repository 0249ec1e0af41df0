"""Join the feature rows of all patients of a phase into one table."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"cohort {snakemake.wildcards.cohort}"):
    import pyarrow as pa
    import pyarrow.parquet as pq

    # For a thousand columns of one row threads take twice the time that they save.
    tables = [
        pq.ParquetFile(f"{folder}/{snakemake.wildcards.phase}.parquet").read(use_threads=False)
        for folder in snakemake.input
    ]
    pq.write_table(pa.concat_tables(tables), snakemake.output[0], compression="none")
    print(f"{len(tables)} patients")
