"""Plain functions behind the workflow: no Snakemake in here, so each can be called and tested alone.

Lower floors first, each importing only what stands below it: `problems`, `provenance`, `files`;
`statistics` and `imaging`; `cohort`, `simulation`, `radiomics`, `learning`; `figures`; `papers`.
"""
