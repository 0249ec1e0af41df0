"""Edits of sheets and config that change no value of any patient run nothing."""

from __future__ import annotations

import pandas as pd
import yaml


def edit_sheet(workspace, name, change):
    path = workspace.folder / "sheets" / f"{name}.csv"
    change(pd.read_csv(path, dtype=str, keep_default_na=False)).to_csv(path, index=False)


def test_another_order_of_rows_and_columns_and_other_names_of_columns(finished_copy):
    run = finished_copy
    for name in ("patients", "series", "masks"):
        edit_sheet(run, name, lambda sheet: sheet.sample(frac=1, random_state=3)[sorted(sheet.columns, reverse=True)])
    assert run.jobs() == {}

    # In the sheet and in the config: clinical variables, their readings, strata, the outcome and the patients.
    clinical = {
        "ast_u_l": "AST",
        "age_years": "age at operation",
        "diameter_mm": "d1",
        "diameter_r2": "d2",
        "mvi": "MVI",
    }
    other = {"patient_id": "ID", "recurrence_date": "date of recurrence"}
    edit_sheet(run, "patients", lambda sheet: sheet.rename(columns={**clinical, **other}).assign(site=sheet["centre"]))
    cohort = yaml.safe_load((run.folder / "tiny.yaml").read_text())["cohorts"]["tiny"]
    for definition in cohort["clinical"].values():
        definition["column"] = clinical.get(definition["column"], definition["column"])
        definition["readings"] = {r: clinical.get(c, c) for r, c in definition.get("readings", {}).items()}
    run.cohort(clinical=cohort["clinical"], columns=other, strata={"centre": "site"})
    assert run.jobs() == {}

    # Two patients' values exchanged are other values.
    def exchange(sheet):
        both = sheet["ID"].isin(["T001", "T002"])
        sheet.loc[both, "AST"] = sheet.loc[both, "AST"].to_numpy()[::-1]
        return sheet

    edit_sheet(run, "patients", exchange)
    jobs = run.jobs()
    assert jobs["fit_method"] == 9
    assert "write_labels" not in jobs
