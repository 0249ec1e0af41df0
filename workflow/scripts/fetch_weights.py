"""Fetch a file of weights, or say which file to put where."""

from pathlib import Path

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"weights {snakemake.wildcards.file}"):
    from hcc_recurrence.networks.weights import fetch_weights

    about = snakemake.params.about
    target = Path(snakemake.output.weights)
    try:
        found = fetch_weights(about["url"], about["sha256_start"], target)
    except OSError as error:
        raise ValueError(
            f"{about['url']} cannot be reached ({error}). What to do: fetch it on another machine, check that its "
            f"SHA-256 begins with {about['sha256_start']}, put it at {target}, and write under overrides, paper, "
            f"networks: the file as `weights` and its whole SHA-256 (sha256sum {target}) as `sha256`"
        ) from None
    text = f"# From {about['url']}\nweights: {target}\nsha256: {found}\n"
    Path(snakemake.output.about).write_text(text)
    print(text)
