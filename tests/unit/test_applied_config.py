"""A run that applies exported models: what its config may say, and what is refused before the first job."""

from __future__ import annotations

import copy
import json
import pickle
import shutil
from dataclasses import asdict

import numpy as np
import pytest
import SimpleITK as sitk
from made_bundle import CLINICAL, CROP, GRID, UNET, about_of, write_made
from small_cohort import AFP, patient_row, write_cohort, write_rows
from workflow_runner import REPOSITORY

from hcc_recurrence.cohort.labels import make_labels
from hcc_recurrence.configuration import load_configuration
from hcc_recurrence.endpoint import EARLY_RECURRENCE
from hcc_recurrence.exported import given
from hcc_recurrence.exported.bundle import ABOUT, SUMS
from hcc_recurrence.exported.entries import join_models
from hcc_recurrence.exported.given import GivenModel
from hcc_recurrence.plan import Plan
from hcc_recurrence.problems import InputError

SEX = {"column": "sex", "timing": "pre", "kind": "categorical", "levels": ["F", "M"]}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Two patients in one CT phase, without outcomes, and a model of that phase beside them."""
    monkeypatch.chdir(tmp_path)
    rows = [patient_row(n, sex="F") for n in (1, 2)]
    kept = ("patient_id", "centre", "AFP", "sex")
    write_cohort(tmp_path, [{column: row[column] for column in kept} for row in rows])
    return tmp_path


def model(folder, **changes):
    """The path of a model's zip."""
    own = {"modality": "CT", "phases": ["portal"], "reads": {"features": [], "clinical": ["afp", "sex"], "images": []}}
    return str(write_made(folder, about_of(**{**own, **changes})))


def config_of(path, **cohort):
    own = {
        **{"title": "new", "modality": "CT", "patients": "patients.csv", "series": "series.csv", "masks": "masks.csv"},
        "clinical": {"afp": AFP, "sex": SEX},
        **cohort,
    }
    return {"models": [path], "cohorts": {"new": own}}


def load(config):
    return load_configuration(config, REPOSITORY / "config/papers", REPOSITORY / "workflow/schemas")


def planned(config, folder):
    return Plan(load(config), folder, None)


def refused(config, folder):
    """All problems of a run, as they are printed."""
    with pytest.raises(InputError) as error:
        planned(config, folder)
    return str(error.value)


def test_a_cohort_without_outcomes_is_planned_whole(folder):
    plan = planned(config_of(model(folder)), folder)
    assert plan.patients("new") == ["P1", "P2"] and not plan.has_outcomes("new")
    # Nothing is split or compared, and no network is trained.
    assert plan.comparisons() == [] and plan.unet_parts("new", "any") == {}
    assert plan.phases("zhao2024.mine", "new") == ["portal"]
    assert plan.radiomics_phases("new", "zhao2024_demo") == ["portal"]


def test_some_outcomes_are_read_and_one_that_is_wrong_is_named(folder):
    rows = [patient_row(n, sex="M") for n in (1, 2)]
    rows[0] |= {"resection_date": "", "recurrence_date": "", "last_follow_up_date": ""}
    write_rows(folder / "patients.csv", rows)
    path = model(folder)
    plan = planned(config_of(path), folder)
    assert plan.patients("new") == ["P1", "P2"] and plan.has_outcomes("new")
    # Whoever has none has no label, and nobody stumbles over it; the day of the operation alone is no outcome.
    for start in ("", "2026-01-10"):
        write_rows(folder / "patients.csv", [{**rows[0], "resection_date": start}, rows[1]])
        plan = planned(config_of(path), folder)
        reasons = plan.without_label("new")
        assert reasons == {"P1": "no outcome in the patients sheet"} and plan.has_outcomes("new")
        labels = make_labels(plan.cohorts["new"].patients, excluded=reasons).set_index("patient_id")
        assert np.isnan(labels.at["P1", "er"]) and labels.at["P2", "er"] == 0
        assert labels["excluded_because"].to_dict() == {**reasons, "P2": ""}
    rows[1]["last_follow_up_date"] = "2017-01-01"
    write_rows(folder / "patients.csv", rows)
    assert "patient P2, patients.csv: last_follow_up_date lies before resection_date" in refused(
        config_of(path), folder
    )


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"recurrence_date": "2018-09-10"}, "has recurrence_date and no column resection_date, last_follow_up_date"),
        ({"rfs_months": "9"}, "has rfs_months and no column rfs_event: no outcome can be read"),
        # The day of the operation is known of a patient whose outcome is not.
        ({"resection_date": "2018-01-10"}, ""),
        ({"recurrence_date": ""}, ""),
        # A study's label is no column of ours, and other columns are nobody's business.
        ({"er": "1", "remark": "see letter; 2"}, ""),
    ],
)
def test_half_an_outcome_is_no_outcome_and_is_said(folder, columns, words):
    write_rows(folder / "patients.csv", [{**row, **columns} for row in _without_outcomes()])
    config = config_of(model(folder))
    if words:
        assert words in refused(config, folder)
    else:
        assert not planned(config, folder).has_outcomes("new")


def _without_outcomes():
    return [{"patient_id": f"P{n}", "centre": "A", "AFP": "10", "sex": "F"} for n in (1, 2)]


@pytest.mark.parametrize("name", ["P 1", "Müller", "P.1", "../P1"])
def test_a_name_that_cannot_be_a_files_is_refused_with_its_row(folder, name):
    rows = _without_outcomes()
    write_rows(folder / "patients.csv", [{**rows[0], "patient_id": name}, rows[1]])
    said = refused(config_of(model(folder)), folder)
    assert f"row 2: patient_id {name!r} is not a usable name. What to do: use letters, digits, - and _ only" in said


def test_one_patient_is_enough(folder):
    write_rows(folder / "patients.csv", _without_outcomes()[:1])
    for sheet in ("series", "masks"):
        lines = (folder / f"{sheet}.csv").read_text().splitlines()
        (folder / f"{sheet}.csv").write_text("\n".join(lines[:2]) + "\n")
    assert planned(config_of(model(folder)), folder).patients("new") == ["P1"]


def test_an_empty_mask_and_images_that_are_no_ct_are_refused(folder):
    image, mask = (sitk.ReadImage(str(folder / name)) for name in ("P1.nii.gz", "P2_mask.nii.gz"))
    # T1-weighted: nothing is below 0, and air is 0.
    signal = np.random.default_rng(0).integers(0, 900, sitk.GetArrayFromImage(image).shape).astype(np.int16)
    for file, like, values in (("P1.nii.gz", image, signal), ("P2_mask.nii.gz", mask, np.zeros_like(signal, np.uint8))):
        written = sitk.GetImageFromArray(values)
        written.CopyInformation(like)
        sitk.WriteImage(written, str(folder / file))
    said = refused(config_of(model(folder)), folder)
    assert "patient P1, portal series P1.nii.gz: is no CT in Hounsfield units" in said
    assert "patient P2, portal mask of R1 P2_mask.nii.gz: is empty" in said


def test_an_outcome_without_times_may_come_later(folder):
    rows = [{"patient_id": f"P{n}", "centre": "A", "AFP": "10", "sex": "F"} for n in (1, 2)]
    endpoint = {"endpoint": {"name": "death", "column": "died"}}
    words = {**asdict(EARLY_RECURRENCE), "name": "death", "column": "dead"}
    own = {"name": "death", "horizon_months": None, "horizon": "", "inclusive": True, "words": words}
    config = config_of(model(folder, endpoint=own), **endpoint)
    write_rows(folder / "patients.csv", rows)
    assert not planned(config, folder).has_outcomes("new")
    write_rows(folder / "patients.csv", [{**row, "died": cell} for row, cell in zip(rows, ("", "1"), strict=True)])
    assert planned(config, folder).has_outcomes("new")
    write_rows(folder / "patients.csv", [{**row, "died": "perhaps"} for row in rows])
    assert "column died: 'perhaps' is not 0 or 1" in refused(config, folder)


def test_an_outcome_that_the_model_does_not_predict_is_refused(folder):
    """It would be validated on it; what a person does not write is the model's."""
    path = model(folder)
    full = load(config_of(path))["cohorts"]["new"]
    assert full["endpoint"] == asdict(EARLY_RECURRENCE) and (full["er_days"], full["er_inclusive"]) == (730, True)
    for cohort, words in (
        ({"endpoint": {"name": "death"}}, "predicts early recurrence, and the cohort's endpoint.name is 'death'"),
        ({"endpoint": {"column": "early"}}, "its outcome came from dates or months, the cohort's does from a column"),
        ({"er_days": 365}, "was fitted with er_days: 730, and the cohort has er_days: 365"),
    ):
        assert words in refused(config_of(path, **cohort), folder)
    death = {**asdict(EARLY_RECURRENCE), "name": "death", "event": "death", "start": "TACE"}
    endpoint = {"name": "death", "horizon_months": 24.0, "horizon": "24 months", "inclusive": True, "words": death}
    (folder / "other").mkdir()
    other = model(folder / "other", name="yan2023.mine", endpoint=endpoint)
    config = {**config_of(path), "models": [path, other]}
    assert "yan2023.mine: predicts death, and the cohort's endpoint.name is 'early recurrence'" in refused(
        config, folder
    )
    assert load(config_of(other))["cohorts"]["new"]["endpoint"] == death


def test_what_decides_inputs_comes_from_the_model(folder):
    full = load(config_of(model(folder)))
    assert full["radiomics"] == about_of()["config"]["radiomics"] and full["grids"] == {"iso2": GRID}
    # Of the variables that the fit could choose from, those that it reads.
    assert full["papers"]["zhao2024.mine"]["settings"]["clinical"] == {"afp": 400, "sex": None}
    assert set(full["papers"]) == {"zhao2024.mine"} and full["splits"] == {}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: c.update(studies=[{"paper": "zhao2024", "cohort": "new"}]), "both models, which are applied, and"),
        (lambda c: c.update(grids={"iso2": GRID}), "grids is set, and the models that are applied bring their own"),
        (lambda c: c.update(overrides={"zhao2024": {"epochs": 3}}), "overrides is set"),
        (lambda c: c["cohorts"]["new"].update(thresholds={"afp": 20}), "cohorts.new.thresholds is set"),
        (lambda c: c.update(models=["nowhere.zip"]), "nowhere.zip: is missing. What to do: name the folder or the zip"),
        (lambda c: c.update(models="model.zip"), "write [model.zip]"),
        # What is wrong inside an entry is named, and not the entry alone.
        (lambda c: c.update(models=[{"path": "x"}]), "unknown key 'path' in models[1]"),
        (lambda c: c.update(models=[{"path": "x"}]), "models[1]: lacks the key 'model'"),
        (
            lambda c: c.update(models=[{"model": c["models"][0], "without": "afp"}]),
            "models[1].without: 'afp' is text; a",
        ),
        (
            lambda c: c.update(models=[{"model": c["models"][0], "phases": {"portal": "venous"}}]),
            "models[1].phases.portal: 'venous' is not one of",
        ),
        (lambda c: c.update(models=[3]), "a folder or zip, or {model: folder or zip, phases, without}"),
        (lambda c: c.update(models=[]), "models is empty, and there are no studies: nothing would be applied"),
        (lambda c: c.update(models=None), "models is empty, and there are no studies: nothing would be applied"),
        # What a colleague's copy of the study's own config may bring.
        (lambda c: c["cohorts"]["new"].update(null_outcome=True), "would be validated on outcomes drawn by chance"),
        (lambda c: c["cohorts"]["new"].update(images_of="other"), "images_of names 'other', which is not a cohort"),
        (lambda c: c["models"].append(c["models"][0]), "are both called zhao2024.mine"),
        # Another modality, another phase, no phase twice.
        (lambda c: c["cohorts"]["new"].update(modality="MR"), "was fitted on CT, and the cohort is MR"),
        (
            lambda c: c.update(models=[{"model": c["models"][0], "phases": {"delayed": "portal"}}]),
            "phases maps delayed, which the model does not take. What to do: it takes portal",
        ),
        (lambda c: c["cohorts"]["new"].update(lesions="all"), "set cohorts.new.lesions: largest"),
        # A variable that is not there, or means something else.
        (
            lambda c: c["cohorts"]["new"]["clinical"].pop("afp"),
            "the cohort has no clinical variable 'afp', which it takes. What to do: add it to cohorts.new.clinical "
            "with its unit, such as ng/mL; or, if no patient has it",
        ),
        (lambda c: c["cohorts"]["new"]["clinical"]["afp"].pop("unit"), "afp has no unit"),
        (lambda c: c["cohorts"]["new"]["clinical"]["afp"].update(timing="post"), "known only after the operation here"),
        (lambda c: c["cohorts"]["new"]["clinical"]["afp"].update(kind="binary"), "afp is continuous where the model"),
        # The code of a level is its place.
        (lambda c: c["cohorts"]["new"]["clinical"]["sex"].update(levels=["M", "F"]), "sex has the levels ['F', 'M']"),
        (
            lambda c: c.update(models=[{"model": c["models"][0], "without": ["alt"]}]),
            "without names 'alt', which it does not take. What to do: it takes afp, sex",
        ),
        (lambda c: c.update(masks={"source": "unet"}), "none of the models has a segmentation network"),
    ],
)
def test_what_cannot_be_is_refused_in_words_before_the_first_job(folder, change, words):
    config = copy.deepcopy(config_of(model(folder)))
    change(config)
    assert words in refused(config, folder)


def test_a_variable_that_no_patient_has_may_be_named(folder):
    config = config_of(model(folder), clinical={"sex": SEX})
    config["models"] = [{"model": config["models"][0], "without": ["afp"]}]
    plan = planned(config, folder)
    assert list(plan.settings("zhao2024.mine", "new")["clinical"]) == ["sex"]


def test_a_missing_cell_stops_nothing(folder):
    rows = [{"patient_id": f"P{n}", "centre": "A", "AFP": "", "sex": "F"} for n in (1, 2)]
    write_rows(folder / "patients.csv", rows)
    assert planned(config_of(model(folder)), folder).patients("new") == ["P1", "P2"]


def test_another_unit_is_taken_to_the_models(folder):
    afp = {**AFP, "unit": "IU/mL"}
    plan = planned(config_of(model(folder), clinical={"afp": afp, "sex": SEX}), folder)
    own = plan.clinical_definitions("new", ["afp"])["afp"]
    # 1.21 ng an IU: cohort/units.py names the source.
    assert own["unit"] == "ng/mL" and own["factor"] == 1.21


def test_a_phase_that_the_patients_lack_is_named(folder):
    said = refused(config_of(model(folder, phases=["arterial"])), folder)
    assert "patient P1, series.csv: has no arterial series" in said
    # One that is given on purpose takes its place, and everything is made of it.
    config = config_of(model(folder, name="cui2022.mine", phases=["arterial"]))
    config["models"] = [{"model": config["models"][0], "phases": {"arterial": "portal"}}]
    assert planned(config, folder).phases("cui2022.mine", "new") == ["portal"]


def test_hounsfield_units_without_their_offset_are_refused(folder):
    file = folder / "P2.nii.gz"
    image = sitk.ReadImage(str(file))
    # 1024 too high: what a reader makes of stored values without the header's intercept.
    shifted = sitk.GetImageFromArray(sitk.GetArrayFromImage(image) + np.int16(1024))
    shifted.CopyInformation(image)
    sitk.WriteImage(shifted, str(file))
    said = refused(config_of(model(folder)), folder)
    assert "1 problem in the input" in said
    assert "patient P2, portal series P2.nii.gz: is no CT in Hounsfield units" in said


def test_a_diameter_in_cm_that_is_called_mm_is_refused_by_the_mask(folder):
    rows = [{"patient_id": f"P{n}", "centre": "A", "AFP": "10", "sex": "F", "size": "0.9"} for n in (1, 2)]
    write_rows(folder / "patients.csv", rows)
    about = {"config": {"clinical": {**CLINICAL, "diameter": {"kind": "continuous", "timing": "pre", "unit": "mm"}}}}
    path = model(folder, reads={"features": [], "clinical": ["diameter"], "images": []}, **about)
    diameter = {"column": "size", "unit": "mm", "timing": "pre", "kind": "continuous"}
    said = refused(config_of(path, clinical={"diameter": diameter}), folder)
    assert "fit cm and not mm" in said or "'0.9' mm" in said, said


# -- patients whom nobody outlined ----------------------------------------------------------------


def with_network(folder, **cohort):
    """A model of radiomics, and one with a segmentation network of the same phase, and no sheet of masks."""
    about = about_of("wang2022.mine", modality="CT", phases=["portal"], config={"unets": {"net": UNET}})
    about["config"]["settings"] |= {"unet": "net", "radiomics": "", "clinical": {}}
    about["reads"] = {"features": ["portal__f1"], "clinical": [], "images": []}
    config = config_of(model(folder), **cohort)
    config["models"].append(str(write_made(folder, about)))
    config["cohorts"]["new"].pop("masks")
    return {**config, "masks": {"source": "unet"}}


def test_patients_whom_nobody_outlined_get_the_networks_mask(folder):
    config = with_network(folder)
    plan = planned(config, folder)
    assert plan.patients("new") == ["P1", "P2"] and plan.mask_readers("new", "P1") == {"portal": "unet"}
    assert plan.has_predicted_masks("new", "P2") and plan.unet_phases("new", "net") == ["portal"]
    # Whoever has an outline keeps it.
    lines = (folder / "masks.csv").read_text().splitlines()
    (folder / "masks.csv").write_text("\n".join(lines[:2]) + "\n")
    config["cohorts"]["new"]["masks"] = "masks.csv"
    readers = [planned(config, folder).mask_readers("new", patient) for patient in ("P1", "P2")]
    assert readers == [{"portal": "R1"}, {"portal": "unet"}]


def test_without_a_network_a_sheet_of_masks_is_needed(folder):
    config = config_of(model(folder))
    config["cohorts"]["new"].pop("masks")
    assert "masks names no sheet. What to do: set cohorts.new.masks" in refused(config, folder)


def test_a_phase_that_the_network_does_not_know_is_refused_before_anything_is_drawn(folder):
    config = with_network(folder)
    config["models"][0] = str(write_made(folder / "more", {**about_of(phases=["arterial", "portal"], modality="CT")}))
    assert (
        "masks.source is unet, and the network of wang2022.mine draws the tumour in portal: zhao2024.mine takes "
        "arterial as well. What to do: outline the tumours yourself"
    ) in refused(config, folder)


def test_a_reader_who_is_called_as_the_network_is_refused(folder):
    config = with_network(folder)
    config["cohorts"]["new"]["masks"] = "masks.csv"
    (folder / "masks.csv").write_text((folder / "masks.csv").read_text().replace(",R1,", ",unet,"))
    assert "has masks of a reader called unet, which is what the network is called" in refused(config, folder)


def broken(folder, file, change):
    """A model as a folder in which one file is another, and the list of files still the old one."""
    path = model(folder)
    own = folder / "zhao2024.mine"
    change(own / file)
    return str(own) if path else ""


def test_a_model_with_a_changed_byte_is_refused(folder):
    def one_byte(file):
        content = bytearray(file.read_bytes())
        content[-1] ^= 1
        file.write_bytes(content)

    said = refused(config_of(broken(folder, "LICENSE", one_byte)), folder)
    assert "zhao2024.mine/LICENSE: was changed since the model was exported. What to do: take the model from" in said


def test_a_pickle_in_a_model_is_never_read(folder):
    said = refused(
        config_of(broken(folder, "reference/reference.json", lambda f: f.write_bytes(pickle.dumps({"a": 1})))), folder
    )
    assert "is a pickle, which could run any program and is never read" in said


def test_a_model_of_a_newer_schema_is_refused(folder):
    about = {**about_of(modality="CT"), "schema_version": 99, "something_new": 1}
    said = refused(config_of(str(write_made(folder, about))), folder)
    assert "is of schema version 99, this workflow reads 1 to 3. What to do: use the version" in said


def test_a_zip_that_is_replaced_is_read_anew_and_one_that_is_not_is_unpacked_once(folder, monkeypatch):
    path = model(folder)
    first = load(config_of(path))["models"]["zhao2024.mine"]
    calls, unpack = [], given.read_bundle
    monkeypatch.setattr(given, "read_bundle", lambda p, f: calls.append(p.name) or unpack(p, f))
    assert load(config_of(path))["models"]["zhao2024.mine"] == first
    assert calls == ["zhao2024.mine"], "the unpacked folder"
    (folder / "zhao2024.mine.zip").unlink()
    for file in (ABOUT, SUMS):
        (folder / "zhao2024.mine" / file).unlink()
    shutil.rmtree(folder / "zhao2024.mine")
    model(folder, title="another")
    again = load(config_of(path))["models"]["zhao2024.mine"]
    assert again["about"]["title"] == "another" and again["sums"] != first["sums"]


# -- several models in one run -------------------------------------------------------------------


def made(name, **config):
    return GivenModel("", "", "", about_of(name, config=config))


def test_equal_entries_are_shared_and_others_bear_the_name_of_their_model():
    other = {**GRID, "spacing_mm": [1.0, 1.0, 1.0]}
    one = made("zhao2024.a", crops={"box": CROP})
    same = made("zhang2025.a", crops={"box": CROP})
    differs = made("zhao2024.b", crops={"box": CROP}, grids={"iso2": other})
    sections, settings, called = join_models([one, same, differs])
    assert set(sections["grids"]) == {"iso2", "zhao2024_b_iso2"}
    # A crop on another grid is another crop, whatever it is called.
    assert set(sections["crops"]) == {"box", "zhao2024_b_box"}
    assert sections["crops"]["zhao2024_b_box"] == {**CROP, "grid": "zhao2024_b_iso2"}
    assert sections["radiomics"]["zhao2024_b_zhao2024_demo"]["grid"] == "zhao2024_b_iso2"
    assert [own["crops"] for own in settings.values()] == ["box", "box", "zhao2024_b_box"]
    assert called["zhao2024.b"]["crops"] == {"box": "zhao2024_b_box"} and called["zhang2025.a"]["crops"]["box"] == "box"


def test_each_model_has_its_own_segmentation_network_whatever_its_entry_says():
    models = [made("wang2022.a", unets={"net": UNET}), made("wang2022.b", unets={"net": UNET})]
    for one in models:
        one.about["config"]["settings"]["unet"] = "net"
    sections, settings, _ = join_models(models)
    assert set(sections["unets"]) == {"net", "wang2022_b_net"}
    assert [own["unet"] for own in settings.values()] == ["net", "wang2022_b_net"]


def test_phases_that_take_the_place_of_others_are_named_in_all_entries():
    config = {
        "grids": {"iso2": {**GRID, "register_to": "arterial"}},
        "crops": {"box": {**CROP, "phases": ["arterial"]}},
        "unets": {"net": {**UNET, "windows": {"arterial": [-50, 200]}}},
    }
    about = about_of("cui2022.a", config=config)
    sections, *_ = join_models([GivenModel("", "", "", about, {"arterial": "portal"})])
    assert sections["grids"]["iso2"]["register_to"] == "portal" and sections["crops"]["box"]["phases"] == ["portal"]
    assert sections["unets"]["net"]["windows"] == {"portal": [-50, 200]}
    # The model's own is as it came.
    assert json.dumps(about["config"]["crops"]["box"]["phases"]) == '["arterial"]'
