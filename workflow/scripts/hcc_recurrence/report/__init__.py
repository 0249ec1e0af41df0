"""The report: one page that opens without a network: overview, warnings, tables, figures and the graph of rules."""
