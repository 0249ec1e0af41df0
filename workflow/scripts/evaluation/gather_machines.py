"""One table of what all networks of a run were trained on."""

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], "what the networks were trained on"):
    from hcc_recurrence.figures.html import write_html
    from hcc_recurrence.files import write_csv
    from hcc_recurrence.machines import kinds_table, kinds_warning, machines_table

    output = snakemake.output
    table = machines_table(snakemake.input)
    write_csv(table, output.csv)
    warning = kinds_warning(table)
    print(warning or "all networks are of one kind")
    kinds = kinds_table(table).astype(str).set_index("kind").T.rename_axis("kind").reset_index()
    note = "What the networks of this run were trained on; networks.csv beside this file has a row for each."
    write_html(kinds, "Machines", output.html, note, mark=warning)
