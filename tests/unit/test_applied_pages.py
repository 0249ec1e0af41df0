"""Pages of applied models: what stands on them, and in a browser that they sort, filter and lead to a patient."""

from __future__ import annotations

import html
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from applied_models import about_model, applied_tables, distribution_of_training, write_model
from browser import CHROMIUM, dump
from workflow_runner import REPOSITORY

from hcc_recurrence.exported.pages import (
    RESEARCH,
    AppliedModel,
    Picture,
    item_text,
    overview_page,
    patient_page,
    read_applied,
    render,
    short_names,
    strip,
    value_text,
)
from hcc_recurrence.files import write_csv

TEMPLATES = REPOSITORY / "workflow/report"
PATIENTS = ["P1", "P2", "P3", "P10"]
# Clicks through the overview and writes down what is then seen.
PROBE = """
<script>
(() => {
  const seen = () => [...document.querySelectorAll('#patients tbody tr')].filter((r) => !r.hidden)
    .map((r) => r.dataset.patient);
  const click = (n) => document.querySelectorAll('#patients thead button')[n].click();
  const set = (id, value) => {
    const control = document.getElementById(id);
    control.value = value;
    control.dispatchEvent(new Event('input'));
    const found = seen();
    control.value = '';
    control.dispatchEvent(new Event('input'));
    return found;
  };
  const result = {first: seen()};
  click(1); result.highest = seen();
  click(1); result.lowest = seen();
  result.order = document.querySelectorAll('#patients thead th')[1].getAttribute('aria-sort');
  click(0); result.names = seen();
  click(0); result.back = seen();
  result.searched = set('search', 'p1');
  result.outside = set('inputs', 'outside');
  result.missing = set('inputs', 'missing');
  result.high = set('group', 'high');
  result.count = document.getElementById('count').textContent;
  result.links = [...document.querySelectorAll('#patients tbody a')].map((a) => a.getAttribute('href'));
  const probe = document.createElement('pre');
  probe.id = 'probe';
  probe.textContent = JSON.stringify(result);
  document.body.appendChild(probe);
})();
</script></body>"""


@pytest.fixture
def models():
    distribution = distribution_of_training()
    found = []
    for seed, (name, own) in enumerate((("zhao2024.there", ("CR", "RCR")), ("yan2023.there", ("mp-MR",)))):
        about = about_model(name, own)
        found.append(AppliedModel(about, distribution, *applied_tables(about, distribution, PATIENTS, seed)))
    return found


def test_places_on_a_strip():
    quantiles = {"2.5": 10, "25": 20, "50": 30, "75": 40, "97.5": 50}
    found = strip(30, quantiles)
    # Symmetric: the median and the patient in the middle, the ends at equal distances.
    assert found["value"] == found["median"] == 50 and found["outer_low"] + found["outer_high"] == 100
    far = strip(90, quantiles)
    # A share of 6 % is margin on both sides of 10 to 90.
    assert far["value"] == pytest.approx(100 * (80 + 4.8) / (80 + 9.6), abs=0.01)
    assert far["outer_high"] < far["value"] < 100
    assert "value" not in strip(np.nan, quantiles) and "value" not in strip("M", quantiles)
    assert strip(3, {}) is None
    # All training patients had one value, and so has this one.
    assert strip(5, dict.fromkeys(quantiles, 5))["value"] == 50


@pytest.mark.parametrize(
    ("value", "unit", "text"), [(3.14159, "mm", "3.142 mm"), (np.nan, "mm", "-"), ("M", "", "M"), (None, "", "-")]
)
def test_values_as_they_are_printed(value, unit, text):
    assert value_text(value, unit) == text


def test_names_of_inputs():
    assert item_text("arterial__thickness_mm", "mm") == "Slice thickness, arterial"
    assert item_text("afp", "ng/mL") == "AFP" and item_text("portal__volume_ml", "mL") == "Tumour volume, portal"
    assert item_text("portal__wavelet-LHL_glcm_Idmn") == "portal, wavelet-LHL glcm Idmn"
    assert item_text("my_own_size_mm", "mm") == "my own size"


def test_the_page_of_a_patient_says_what_the_tables_say(models):
    picture = Picture("arterial", b"jpeg", "mask moved")
    models[0] = replace(models[0], drawn={"P1": [Picture("Nomogram, CR", b"png", kind="png")]})
    page = patient_page("P1", "Hospital <B>", models, [picture], simulated=True)
    assert page["outside"] == 1, "one slice thickness, though both models read it"
    text = render(TEMPLATES, "applied_patient.html.j2", page)
    assert RESEARCH in text and "SIMULATED patient" in text and "VGG19 has random weights" in text
    assert "Hospital &lt;B&gt;" in text and "Hospital <B>" not in text
    assert "thicker than any slice in training" in text and text.count('class="is-outside"') == 2
    assert "Nomogram, CR" in text and "data:image/png;base64,cG5n" in text
    assert "data:image/jpeg;base64,anBlZw==" in text and "mask moved" in text
    for model in models:
        own = model.predictions[model.predictions["patient_id"] == "P1"]
        for row in own.itertuples():
            assert f"{100 * row.probability:.1f} %" in text
            assert f'<span class="group {row.risk_group}">' in text
    # One file: nothing is loaded from elsewhere.
    assert not re.search(r"https?://|<link|src=\"(?!data:)", text)
    # What is missing is said, and not called outside.
    second = patient_page("P2", "B", models)
    assert second["outside"] == 0 and second["missing"] == 1
    assert "the median of training takes its place" in render(TEMPLATES, "applied_patient.html.j2", second)


def test_a_patient_without_scores_has_a_page(models):
    none = AppliedModel(models[0].about, models[0].distribution, models[0].predictions[:0], models[0].outside[:0])
    text = render(TEMPLATES, "applied_patient.html.j2", patient_page("P9", "B", [none]))
    assert "no score: see the inputs below" in text and "No inputs are listed" in text


def test_models_are_read_from_their_files(tmp_path, models):
    folder = write_model(tmp_path / "model", models[0].about, models[0].distribution)
    write_csv(models[0].predictions, tmp_path / "predictions.csv")
    write_csv(models[0].outside, tmp_path / "outside.csv")
    read = read_applied(folder, tmp_path / "predictions.csv", tmp_path / "outside.csv")
    page, expected = patient_page("P1", "B", [read]), patient_page("P1", "B", [models[0]])
    assert page["models"][0]["scores"] == expected["models"][0]["scores"]
    assert page["models"][0]["counts"] == expected["models"][0]["counts"]


def test_the_overview_has_a_row_a_patient_and_a_column_a_main_model(models):
    models[0].about["models"]["CR"]["main"] = False
    page = overview_page("B", PATIENTS, models)
    assert [c["model"] for c in page["columns"]] == ["RCR", "mp-MR"]
    assert [row["patient"] for row in page["rows"]] == PATIENTS
    text = render(TEMPLATES, "applied_overview.html.j2", page)
    # A column is as wide as the paper's name; the whole title is its tooltip.
    assert [c["short"] for c in page["columns"]] == ["Zhao2024", "Yan2023"]
    assert 'title="Yan2023, fitted on there (simulated): mp-MR"><small>Yan2023</small>mp-MR</button>' in text
    by = {row["patient"]: row for row in page["rows"]}
    assert by["P1"]["outside"] == 1 and by["P1"]["named"] == "Slice thickness, arterial"
    assert by["P2"]["missing"] == 1 and by["P3"]["outside"] == by["P3"]["missing"] == 0


def test_two_models_of_one_paper_are_told_apart_by_their_cohorts():
    distribution, found = distribution_of_training(), []
    for name in ("zhao2024.here", "zhao2024.there"):
        about = about_model(name, ("CR",))
        found.append(AppliedModel(about, distribution, *applied_tables(about, distribution, PATIENTS)))
    assert short_names(found) == ["Zhao2024, here", "Zhao2024, there"]


def test_no_green_frame_stands_under_the_red_one_of_a_training_patient(models):
    well = '<div class="well">'
    assert well in render(TEMPLATES, "applied_patient.html.j2", patient_page("P3", "B", models))
    of_patient = models[0].outside["patient_id"] == "P3"
    models[0].outside.loc[models[0].outside[of_patient].index[0], ["verdict", "words"]] = ["seen", "it learned from it"]
    text = render(TEMPLATES, "applied_patient.html.j2", patient_page("P3", "B", models))
    assert "This patient is no new patient" in text and well not in text


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="Debian's chromium is not installed")
def test_sort_filter_and_open_a_patient_in_a_browser(models, tmp_path):
    text = render(TEMPLATES, "applied_overview.html.j2", overview_page("B", PATIENTS, models))
    end = text.rindex("</body>")
    overview = tmp_path / "overview.html"
    overview.write_text(text[:end] + PROBE + text[end + len("</body>") :])
    dumped, console = dump(overview, tmp_path / "profile", 2000)
    assert not console, console
    found = json.loads(html.unescape(re.search(r'<pre id="probe">(.*?)</pre>', dumped, re.S).group(1)))
    scores = models[0].predictions.query("model == 'CR'").set_index("patient_id")["probability"]
    assert found["first"] == PATIENTS
    assert found["highest"] == list(scores.sort_values(ascending=False).index)
    assert found["lowest"] == found["highest"][::-1] and found["order"] == "ascending"
    # As people count: P2 before P10.
    assert found["names"] == PATIENTS and found["back"] == PATIENTS[::-1]
    assert sorted(found["searched"]) == ["P1", "P10"]
    assert found["outside"] == ["P1"] and found["missing"] == ["P2"]
    tables = [m.predictions for m in models]
    groups = {p: {g for t in tables for g in t.loc[t["patient_id"] == p, "risk_group"]} for p in PATIENTS}
    assert sorted(found["high"]) == sorted(p for p, own in groups.items() if own == {"high"})
    assert found["count"] == "4 of 4 patients"
    # Links lead to pages that are there, and that open without a word on the console.
    assert sorted(found["links"]) == sorted(f"patients/{p}.html" for p in PATIENTS)
    page = tmp_path / "patients/P1.html"
    page.parent.mkdir()
    page.write_text(render(TEMPLATES, "applied_patient.html.j2", patient_page("P1", "B", models)))
    dumped, console = dump(page, tmp_path / "profile", 500)
    assert not console and "Patient P1" in dumped
    back = re.search(r'href="(\.\./overview\.html)"', dumped).group(1)
    assert (page.parent / back).resolve() == overview
