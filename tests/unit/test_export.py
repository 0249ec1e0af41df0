"""Exported models: what is written, that nothing of a patient can be read out of it, and every refusal in words."""

from __future__ import annotations

import io
import json
import pickle
import re
import shutil
import stat
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from workflow_runner import REPOSITORY
from zhao_cohort import SETTINGS, make_data

from hcc_recurrence.cohort.fit import Fit
from hcc_recurrence.exported.bundle import SUMS, read_bundle, write_bundle
from hcc_recurrence.exported.card import model_card
from hcc_recurrence.exported.distribution import case_mix, clinical_items
from hcc_recurrence.exported.export import export_model
from hcc_recurrence.exported.reference import TOLERANCE
from hcc_recurrence.files import ModelFileError
from hcc_recurrence.learning.estimators import ESTIMATORS
from hcc_recurrence.methods.exporting import Rows, rows_in
from hcc_recurrence.methods.run import patients_of_split
from hcc_recurrence.methods.zhao2024.declare import fitted_models
from hcc_recurrence.methods.zhao2024.export import data_of
from hcc_recurrence.methods.zhao2024.fit import Zhao, fit
from hcc_recurrence.problems import Refused

DATA = make_data()
TRAINING = patients_of_split(DATA.split, "train")
DEFINITIONS = {
    "afp": {"kind": "continuous", "unit": "ng/mL", "timing": "pre", "levels": []},
    "age": {"kind": "continuous", "unit": "years", "timing": "pre", "levels": []},
}
MODELS = ["Radiomics LR", "Radiomics KNN", "Radiomics", "CR", "RCR"]


def about_of(settings):
    return {
        "method": "zhao2024",
        "cohort": "mine",
        "title": "Mine",
        "modality": "MR",
        "phases": ["a"],
        "horizon_months": 24.0,
        "horizon": "24 months",
        "seed": 3,
        "marks": ["Trained on simulated patients: of no use on real ones"],
        "config": {
            "settings": {**settings, "networks": {}},
            "clinical": DEFINITIONS,
            "cohort": {"er_inclusive": True},
            "paper": {"title": "Zhao 2024", "citation": "Zhao Y. Front Oncol 2024."},
        },
        "declared": {name: vars(model) for name, model in fitted_models(settings).items()},
    }


def metrics_of(models):
    rows = []
    for model in models:
        for protocol, split, estimate in (
            ("strict", "train", "out_of_fold"),
            ("strict", "validation", "held_out"),
            ("as_published", "train", "apparent"),
        ):
            row = {"model": model, "protocol": protocol, "split": split, "estimate": estimate, "repeats": 1, "n": 44}
            row |= {"n_pos": 22, "auc": 0.75, "auc_low": 0.6, "auc_high": 0.9, "auc_ci": "DeLong 95%", "remark": ""}
            row |= {"threshold": 0.4 if protocol == "strict" else 0.6, "auc_sd_over_repeats": np.nan, "f1": 0.7}
            row |= dict(tp=15, fn=7, tn=15, fp=7, accuracy_p=0.01, brier=0.2)
            for rate in ("accuracy", "sensitivity", "specificity", "ppv", "npv"):
                row |= {rate: 0.68, f"{rate}_low": 0.5, f"{rate}_high": 0.8}
            rows.append(row)
    return pd.DataFrame(rows)


MACHINE = {
    "network": "ResNet-10",
    "fit": "strict.1.0",
    "numerics": "portable",
    "processor": "Processor A",
    "system": "Linux",
    "gpu": "",
    "kernels": {"ATen": "AVX2", "oneDNN": "AVX2"},
    "versions": {"torch": "2.13.0", "numpy": "2.4.6"},
}


def machines_in(folder):
    """Of three networks, one of which is of a version that did not keep what it was trained on."""
    for name, processor in (("a", "Processor A"), ("b", "Processor B")):
        (folder / name).write_text(json.dumps({**MACHINE, "processor": processor}))
    files = {"ResNet-10.strict.1.0": "a", "DLRCR.strict.1.0": "b", "ResNet-18.strict.1.0": "absent"}
    return {name: folder / file for name, file in files.items()}


def exported(folder, settings=SETTINGS, leave_out_rows=False, seen=None):
    model, _ = fit(DATA, Fit(), settings, 1)
    model.save(folder / "kept")
    target = folder / "zhao2024.mine"
    export_model(
        about_of(settings),
        {"models": folder / "kept"},
        {},
        machines_in(folder),
        DATA.radiomics.values.loc[TRAINING],
        clinical_items(DATA.clinical.loc[TRAINING], DEFINITIONS),
        case_mix(DATA.labels, TRAINING),
        metrics_of([*MODELS, "Radiomics XGB"]),
        seen,
        leave_out_rows,
        target,
        folder / "zhao2024.mine.zip",
    )
    return target


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return exported(tmp_path_factory.mktemp("export"))


@pytest.fixture
def own(made, tmp_path):
    """A copy that a test may spoil."""
    return Path(shutil.copytree(made, tmp_path / "zhao2024.mine"))


def resum(folder):
    """Sums that fit, as somebody has who wants to slip a file in."""
    (folder / SUMS).unlink()
    import hashlib

    names = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    lines = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in names]
    (folder / SUMS).write_text("".join(lines))


def refusal(folder, place):
    with pytest.raises(ModelFileError, match="What to do: ") as error:
        read_bundle(folder, place)
    return str(error.value)


# -- what is written ---------------------------------------------------------------------------------------------------


def test_the_loaded_models_give_the_bytes_of_the_fitted_ones_to_all_patients(made, tmp_path):
    kept = Zhao.load(made.parent / "kept")
    patients = sorted(DATA.split["patient_id"])
    expected = kept.predict(DATA, patients)
    for path in (made, made.parent / "zhao2024.mine.zip"):
        bundle = read_bundle(path, tmp_path)
        assert bundle.name == "zhao2024.mine" and bundle.networks() is None
        rows = Rows(DATA.radiomics.values, DATA.clinical)
        found = bundle.fitted().predict(data_of(bundle.parts(), rows)["models"], patients)
        assert list(found.columns) == MODELS
        assert found.to_numpy().tobytes() == expected.to_numpy().tobytes()
        assert bundle.check_reference() == 0


def test_two_exports_have_the_same_bytes(made, tmp_path):
    exported(tmp_path)
    assert (tmp_path / "zhao2024.mine.zip").read_bytes() == (made.parent / "zhao2024.mine.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "zhao2024.mine.zip") as archive:
        names = archive.namelist()
        assert names == sorted(names) and {i.date_time for i in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {i.compress_type for i in archive.infolist()} == {zipfile.ZIP_STORED}


def test_the_licence_is_the_workflows(made):
    assert (made / "LICENSE").read_bytes() == (REPOSITORY / "LICENSE").read_bytes()


def test_what_a_model_says_of_itself(made):
    about = json.loads((made / "model.json").read_text())
    kept = Zhao.load(made.parent / "kept")
    assert about["schema_version"] == 3 and about["fit"] == "strict.1.0" and about["protocol"] == "strict"
    assert about["reads"]["features"] == list(kept.variables.features)
    # Age tells nothing in this cohort, and was not selected.
    assert about["reads"]["clinical"] == list(kept.variables.cuts) == ["afp"]
    # The strict cut-off, of out-of-fold probabilities, and not the published one.
    assert {model: own["cutoff"] for model, own in about["models"].items()} == dict.fromkeys(MODELS, 0.4)
    assert [model for model, own in about["models"].items() if own["main"]] == ["Radiomics", "CR", "RCR"]
    weights = about["selection"]["coefficients"]["CR"]["coefficients"]
    assert weights == pytest.approx(dict(kept.clinical.coefficients))
    assert about["training"] == {"patients": 44, "early_recurrence": 22, "none": 22}


def test_the_card_says_what_a_reader_must_know(made):
    text = (made / "README.md").read_text()
    front = text.split("---\n")[1]
    import yaml

    card = yaml.safe_load(front)
    assert card["license"] == "mit" and "early-recurrence" in card["tags"]
    results = card["model-index"][0]["results"]
    assert {r["metrics"][0]["value"] for r in results} == {0.75} and len(results) == 2 * 3
    for words in (
        "Research use only",
        "Trained on simulated patients",
        "fitted on all 44 training patients (22 of them with early recurrence)",
        "| CR | strict | train, out of fold | 44 (22) | 0.750 (0.600-0.900)",
        "| CR | as published | train, apparent",
        "Intended use, and what it is not",
        "are at a cut-off that was found on their own out-of-fold probabilities",
        "Rows of patients: these models hold scaled features of single training patients",
        "Radiomics KNN (up to 44 rows)",
        "- afp, ng/mL",
    ):
        assert words in text, words


# -- nothing of a patient ----------------------------------------------------------------------------------------------


def test_what_trained_each_network_comes_with_it(made, tmp_path):
    files = ["machines/DLRCR.strict.1.0.machine.json", "machines/ResNet-10.strict.1.0.machine.json"]
    found = read_bundle(made.with_name("zhao2024.mine.zip"), tmp_path)
    assert found.about["created_by"]["machines"] == files
    assert json.loads((found.folder / files[1]).read_text()) == MACHINE
    sums = dict(line.split()[::-1] for line in (found.folder / SUMS).read_text().splitlines())
    assert {name for name in sums if name.startswith("machines/")} == set(files)
    card = " ".join((found.folder / "README.md").read_text().split())
    assert "1 network: Processor B; `numerics: portable`; kernels ATen AVX2, oneDNN AVX2; torch 2.13.0." in card
    assert "1 network: Processor A" in card


def test_where_nothing_is_known_of_machines_the_card_says_nothing(made):
    document = json.loads((made / "model.json").read_text())
    card = model_card(document, metrics_of(MODELS), 5, True, [])
    assert "machines/" not in card and "What trained" not in card


def arrays_of(folder):
    """Every array of numbers in a bundle, whatever file it is in."""
    from safetensors.numpy import load_file

    for file in folder.rglob("*"):
        if file.suffix == ".safetensors":
            yield from ((file, array) for array in load_file(file).values())
        elif file.suffix == ".skops":
            with zipfile.ZipFile(file) as archive:
                for name in archive.namelist():
                    if name.endswith(".npy"):
                        array = np.load(io.BytesIO(archive.read(name)), allow_pickle=False)
                        if array.dtype.names is None:
                            yield file, array


def holds_rows(folder):
    """Files with the values of one training patient side by side, as they are or scaled."""
    about = json.loads((folder / "model.json").read_text())
    columns = about["reads"]["features"]
    raw = DATA.radiomics.values.loc[TRAINING, columns].to_numpy()
    tables = [raw, (raw - raw.mean(axis=0)) / raw.std(axis=0), (raw - raw.min(axis=0)) / np.ptp(raw, axis=0)]
    found = set()
    for file, array in arrays_of(folder):
        own = np.asarray(array, float).reshape(-1, array.shape[-1]) if array.ndim else np.zeros((0, 0))
        for one in (own, own.T):
            if one.shape[1] >= len(columns):
                part = one[:, : len(columns)]
                close = [np.isclose(part[:, None], table[None], atol=1e-6).all(axis=2).any() for table in tables]
                if any(close):
                    found.add(file.name)
    return found


def test_no_name_of_a_patient_is_in_any_file(made):
    everybody = set(DATA.split["patient_id"])
    for file in made.rglob("*"):
        if file.is_file():
            words = set(re.findall(rb"[A-Za-z0-9_]+", file.read_bytes()))
            assert not {p.encode() for p in everybody} & words, file
    # The kept model has them: the test can fail.
    assert {p.encode() for p in TRAINING} <= set(
        re.findall(rb"[A-Za-z0-9_]+", (made.parent / "kept/model.json").read_bytes())
    )


def test_rows_of_patients_are_in_the_models_that_say_so_and_in_no_other(made, tmp_path):
    about = json.loads((made / "model.json").read_text())
    assert about["kept_rows"] == {"Radiomics KNN": 44}
    assert holds_rows(made) == {"classifiers.1.model.skops"}, "the nearest neighbours, which are its second classifier"
    without = exported(tmp_path, leave_out_rows=True)
    about = json.loads((without / "model.json").read_text())
    assert about["kept_rows"] == {} and about["left_out"] == ["Radiomics KNN"]
    assert holds_rows(without) == set()
    assert [m for m in MODELS if m not in about["models"]] == ["Radiomics KNN"]
    assert "Left out for that reason: Radiomics KNN." in (without / "README.md").read_text()
    assert read_bundle(without, tmp_path).check_reference() == 0


def test_a_main_model_made_of_rows_is_not_left_out_in_silence(tmp_path):
    settings = {**SETTINGS, "classifiers": ["KNN"]}
    with pytest.raises(Refused, match=r"RCR, Radiomics are made by a classifier that holds rows .* What to do: name"):
        exported(tmp_path, settings, leave_out_rows=True)


@pytest.mark.parametrize("name", sorted(ESTIMATORS))
def test_which_classifiers_hold_rows_is_known_of_each(name):
    generator = np.random.default_rng(0)
    x, y = generator.normal(size=(30, 3)), np.tile([0, 1], 15)
    settings = {"n_estimators": 5} if "n_estimators" in ESTIMATORS[name].needs else {}
    model = ESTIMATORS[name].make(0).set_params(**settings).fit(x, y)
    expected = {"KNN": 30, "GP": 30}.get(name)
    found = rows_in(model)
    if name == "SVM":
        assert 0 < found <= 30
    else:
        assert found == (expected or 0)


# -- refusals ----------------------------------------------------------------------------------------------------------


def test_a_changed_byte_is_refused(own, tmp_path):
    for name in ("model/models/classifiers.0.model.skops", "training_distribution.json", "model.json", "README.md"):
        content = (own / name).read_bytes()
        (own / name).write_bytes(content[:-20] + b"x" + content[-19:])
        assert f"{name}: was changed since the model was exported" in refusal(own, tmp_path)
        (own / name).write_bytes(content)
    read_bundle(own, tmp_path)


def test_a_pickle_is_refused_also_where_its_sum_fits_and_is_never_run(own, tmp_path):
    class Evil:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "ran",))

    (own / "model/models/combined.skops").write_bytes(pickle.dumps(Evil()))
    resum(own)
    assert "model/models/combined.skops: is a pickle, which could run any program" in refusal(own, tmp_path)
    assert not (tmp_path / "ran").exists()


def test_a_newer_schema_is_refused_whatever_else_it_holds(own, tmp_path):
    about = json.loads((own / "model.json").read_text())
    (own / "model.json").write_text(json.dumps({**about, "schema_version": 4, "new": 1}))
    (own / "new_kind_of_file").write_text("")
    resum(own)
    assert "is of schema version 4, this workflow reads 1 to 3. What to do: use the version" in refusal(own, tmp_path)


def test_an_unknown_key_and_one_that_lacks_are_refused(own, tmp_path):
    about = json.loads((own / "model.json").read_text())
    (own / "model.json").write_text(json.dumps({**about, "new": 1}))
    resum(own)
    assert "has the unknown key new" in refusal(own, tmp_path)
    (own / "model.json").write_text(json.dumps({k: v for k, v in about.items() if k != "phases"}))
    resum(own)
    assert "lacks the key phases" in refusal(own, tmp_path)


@pytest.mark.parametrize("name", ["run.py", "model/models/evil.pkl", "weights/net.pt", "model/other.json"])
def test_an_unknown_file_is_refused_with_and_without_a_sum(own, tmp_path, name):
    (own / name).parent.mkdir(exist_ok=True)
    (own / name).write_text("print()")
    assert f"{name}: is not one of the model's files" in refusal(own, tmp_path)
    resum(own)
    assert f"{name}: is not one of the model's files" in refusal(own, tmp_path)


def test_the_mark_that_snakemake_leaves_in_a_folder_is_passed_over_while_it_is_empty(own, tmp_path):
    (own / ".snakemake_timestamp").touch()
    assert read_bundle(own, tmp_path).name == "zhao2024.mine"
    (own / ".snakemake_timestamp").write_text("something")
    assert ".snakemake_timestamp: is not one of the model's files" in refusal(own, tmp_path)


@pytest.mark.parametrize(
    "name", ["model.json", "SHA256SUMS", "reference/reference.json", "model/models/combined.skops"]
)
def test_a_missing_file_is_refused(own, tmp_path, name):
    (own / name).unlink()
    assert f"{name}: is missing" in refusal(own, tmp_path)


@pytest.mark.parametrize("name", ["../out.txt", "/tmp/out.txt", "model/../../out.txt", "..\\out.txt", "C:/out.txt"])
def test_a_path_outside_is_refused_and_nothing_is_unpacked(made, tmp_path, name):
    shutil.copy(made.parent / "zhao2024.mine.zip", tmp_path / "evil.zip")
    with zipfile.ZipFile(tmp_path / "evil.zip", "a") as archive:
        archive.writestr(zipfile.ZipInfo(name), "x")
    assert "which lies outside of the model's folder" in refusal(tmp_path / "evil.zip", tmp_path / "here")
    assert not (tmp_path / "out.txt").exists() and not (tmp_path / "here").exists()


def test_a_sum_of_a_file_outside_is_refused(own, tmp_path):
    with open(own / SUMS, "a") as stream:
        stream.write(f"{'0' * 64}  ../other\n")
    assert "has a line that is no sum and file of the model" in refusal(own, tmp_path)


def test_links_are_refused_in_a_folder_and_in_a_zip(made, own, tmp_path):
    (own / "LICENSE").unlink()
    (own / "LICENSE").symlink_to(made / "LICENSE")
    assert "LICENSE: is a link" in refusal(own, tmp_path)
    shutil.copy(made.parent / "zhao2024.mine.zip", tmp_path / "evil.zip")
    with zipfile.ZipFile(tmp_path / "evil.zip", "a") as archive:
        entry = zipfile.ZipInfo("weights/link.safetensors")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(entry, "/etc/passwd")
    assert "holds weights/link.safetensors, which is a link" in refusal(tmp_path / "evil.zip", tmp_path / "here")


def test_what_is_no_bundle_is_refused(tmp_path):
    (tmp_path / "text.zip").write_text("no zip")
    (tmp_path / "empty").mkdir()
    assert "is no zip" in refusal(tmp_path / "text.zip", tmp_path)
    assert "is missing" in refusal(tmp_path / "nothing.zip", tmp_path)
    assert "SHA256SUMS: is missing. What to do: name the folder or the zip" in refusal(tmp_path / "empty", tmp_path)


def test_a_zip_that_was_cut_off_is_refused(made, tmp_path):
    whole = (made.parent / "zhao2024.mine.zip").read_bytes()
    (tmp_path / "half.zip").write_bytes(whole[: len(whole) // 2])
    said = refusal(tmp_path / "half.zip", tmp_path / "here")
    assert f"half.zip: is no zip, or one that was cut off on its way ({len(whole) // 2} bytes)" in said


def test_a_model_in_a_folder_of_a_zip_or_of_another_folder_is_found_for_the_person(made, own, tmp_path):
    """What a file manager makes of a folder that is packed again, and the folder above the model's."""
    with zipfile.ZipFile(tmp_path / "again.zip", "w") as archive:
        for file in [file for file in made.rglob("*") if file.is_file()]:
            archive.write(file, f"{made.name}/{file.relative_to(made)}")
        archive.writestr(f"__MACOSX/._{made.name}", "x")
    said = refusal(tmp_path / "again.zip", tmp_path / "here")
    assert f"again.zip: holds a model in a folder of its own, {made.name}. What to do: unpack it" in said
    assert f"What to do: name {own}" in refusal(own.parent, tmp_path)
    assert f"model.json: is one file of an exported model. What to do: name its folder, {own}" in refusal(
        own / "model.json", tmp_path
    )
    (own / ".DS_Store").write_bytes(b"Bud1")
    assert ".DS_Store: is a file manager's and not the model's. What to do: remove it" in refusal(own, tmp_path)


def test_a_zip_of_something_else_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        archive.writestr("a.jpg", "x")
    assert "photos.zip: holds no SHA256SUMS. What to do: name the folder or the zip" in refusal(
        tmp_path / "photos.zip", tmp_path / "here"
    )


def test_what_would_be_refused_is_not_written(own, tmp_path):
    (own / "notes.txt").write_text("")
    with pytest.raises(ModelFileError, match=r"notes.txt: is not one of the model's files"):
        write_bundle(own, tmp_path / "new.zip")


# -- the self-test -----------------------------------------------------------------------------------------------------


def test_a_model_that_gives_other_scores_than_where_it_was_exported_is_refused(own, tmp_path):
    stored = json.loads((own / "reference/reference.json").read_text())
    first = stored["scores"]["CR"][0]
    for moved, holds in ((0.5 * TOLERANCE, True), (2 * TOLERANCE, False)):
        stored["scores"]["CR"][0] = first + moved
        (own / "reference/reference.json").write_text(json.dumps(stored))
        resum(own)
        bundle = read_bundle(own, tmp_path)
        if holds:
            assert bundle.check_reference() == pytest.approx(moved)
        else:
            with pytest.raises(
                ModelFileError, match=r"CR gives the made-up patients .* What to do: compare the versions"
            ):
                bundle.check_reference()


def test_made_up_patients_lie_inside_the_distribution_and_are_no_patients(made):
    reference = read_bundle(made, made.parent).reference()
    items = {i["item"]: i for i in json.loads((made / "training_distribution.json").read_text())["inputs"]}
    for name, values in {**reference.features, **reference.clinical}.items():
        known = list(items[name]["quantiles"].values())
        assert all(known[0] <= value <= known[-1] for value in values), name
    rows = pd.DataFrame(dict(reference.features)).to_numpy()
    own = DATA.radiomics.values.loc[TRAINING, list(reference.features)].to_numpy()
    assert np.abs(rows[:, None] - own[None]).max(axis=2).min() > 0.05
