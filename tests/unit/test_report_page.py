"""The report's page: what stands where, what it warns of, and that one file holds all of it."""

from __future__ import annotations

import importlib
import re
import zipfile
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image, PngImagePlugin

from hcc_recurrence.cohort.changes import FIRST, SAME
from hcc_recurrence.cost.of_run import COLUMNS
from hcc_recurrence.endpoint import EARLY_RECURRENCE, Endpoint
from hcc_recurrence.figures.html import write_html
from hcc_recurrence.figures.quality import thumbnail_page
from hcc_recurrence.presets import WARNING
from hcc_recurrence.report.build import facts_of
from hcc_recurrence.report.contents import figure_of, part_of, views
from hcc_recurrence.report.outcomes import outcomes_of, outcomes_words, question, title
from hcc_recurrence.report.overview import (
    changes_of,
    comparison_table,
    identical_models,
    models_of_nothing,
    sizes,
    small_sets,
)
from hcc_recurrence.report.page import Apart, Writer, write_zip
from hcc_recurrence.report.rule_graph import drawing, layers
from hcc_recurrence.statistics.degenerate import NOTHING

TEMPLATES = Path(__file__).parents[2] / "workflow/report/page"
TITLES = {"yan2023": "Yan 2023", "zhao2024": "Zhao 2024"}
COHORTS = {"c1": "Cohort one"}


def metric(model, protocol="strict", split="train", estimate="out_of_fold", auc=0.7, n=40, n_pos=20, remark=""):
    row = {"model": model, "protocol": protocol, "split": split, "estimate": estimate, "auc": auc}
    return {**row, "auc_low": auc - 0.15, "auc_high": auc + 0.15, "n": n, "n_pos": n_pos, "remark": remark}


@pytest.fixture
def metrics():
    return pd.DataFrame(
        [
            metric("zhao2024:RCR"),
            metric("zhao2024:RCR", split="validation", estimate="held_out", auc=0.8, n=16, n_pos=9),
            metric("zhao2024:RCR", "as_published", estimate="apparent", auc=0.95),
            metric("yan2023:AP", auc=0.6),
            metric("yan2023:CR", auc=np.nan, remark=NOTHING),
            metric("BCLC", auc=0.55),
            metric("Volume", auc=0.65),
        ]
    )


def test_scores_and_volume_stand_below_the_methods(metrics):
    table = comparison_table(metrics, TITLES)
    assert table["model"].tolist() == ["AP", "CR", "RCR", "BCLC", "Volume"]
    assert table["method"].tolist() == ["Yan 2023", "Yan 2023", "Zhao 2024", "clinical score", "tumour volume"]
    rcr = table.set_index("model").loc["RCR"]
    assert rcr["training, out of fold"] == "0.700 (0.550-0.850)" and rcr["validation"] == "0.800 (0.650-0.950)"
    assert rcr["training, as published"].startswith("0.950")
    # A centre that is the same for all of a set says nothing, another one does.
    for remark, there in ((NOTHING, False), ("", True)):
        rows = [*metrics.to_dict("records"), metric("Centre", remark=remark)]
        assert ("Centre" in comparison_table(pd.DataFrame(rows), TITLES)["model"].tolist()) is there
    # No external patients, no column; both protocols where there are.
    assert not [column for column in table if "external" in column]
    outside = [
        metric("zhao2024:RCR", protocol, split="external", estimate="held_out", auc=auc)
        for protocol, auc in (("strict", 0.66), ("as_published", 0.72))
    ]
    rcr = comparison_table(pd.DataFrame([*metrics.to_dict("records"), *outside]), TITLES).set_index("model").loc["RCR"]
    assert rcr["external"].startswith("0.660") and rcr["external, as published"].startswith("0.720")


def test_small_sets_say_how_far_an_auc_is_uncertain(metrics):
    assert sizes(metrics) == {"training": (40, 20), "validation": (16, 9)}
    (one,) = small_sets(metrics, "here", "early recurrence")
    assert "training 40 patients, 20 with early recurrence: an AUC is uncertain by about 0.15" in one.text
    enough = metrics.assign(n=250, n_pos=120)
    assert small_sets(enough, "here", "death") == []
    # 99 events of 300 are one too few.
    assert small_sets(metrics.assign(n=300, n_pos=99), "here", "death") != []


def test_models_of_one_score_and_models_that_are_one_are_named(metrics):
    (one,) = models_of_nothing(metrics, TITLES, "here")
    assert one.text == "here: Yan 2023 CR gives all patients the same score."
    # A model that tells nobody apart out of fold, and tells validation patients apart.
    partly = metrics.assign(remark=[f"{NOTHING} in 2 of 3 fits", *metrics["remark"][1:]])
    (both,) = models_of_nothing(partly, TITLES, "here")
    named = "Yan 2023 CR, Zhao 2024 RCR (in some sets or fits)"
    assert both.text == f"here: {named} give all patients the same score."
    (whole,) = models_of_nothing(partly[partly["split"] == "train"], TITLES, "here")
    assert whole.text == f"here: {named} give all patients the same score."
    rows = [
        {"protocol": "strict", "split": "train", "estimate": "out_of_fold", "repeat": 1}
        | {"patient_id": f"p{i}", "model": model, "probability": value}
        for model, values in (
            ("zhao2024:RCR", (0.1, 0.9)),
            ("zhao2024:DLRCR", (0.1, 0.9)),
            ("yan2023:AP", (0.2, 0.9)),
            ("BCLC", (0.5, 0.5)),
            ("CNLC", (0.5, 0.5)),
        )
        for i, value in enumerate(values)
    ]
    (same,) = identical_models(pd.DataFrame(rows), TITLES, "here")
    assert "Zhao 2024 DLRCR = Zhao 2024 RCR:" in same.text and "BCLC" not in same.text
    # AP has other risks and the same order: the same AUC, whatever the outcome.
    order = "Yan 2023 AP = Zhao 2024 {}: the same order of patients, and so the same AUC."
    assert same.text.endswith(f"the same risks for every patient. {order.format('DLRCR = Zhao 2024 RCR')}")
    (alike,) = identical_models(pd.DataFrame(rows[:2] + rows[4:]), TITLES, "here")
    assert alike.text == f"here: {order.format('RCR')}"
    other = pd.DataFrame(rows[:2] + rows[4:]).assign(probability=[0.1, 0.9, 0.9, 0.2, *[0.5] * 4])
    assert identical_models(other, TITLES, "here") == []


def test_changes_are_told_and_a_first_run_is_none():
    assert (
        changes_of(pd.DataFrame({"what": [FIRST]}), "here") == changes_of(pd.DataFrame({"what": [SAME]}), "here") == []
    )
    (one,) = changes_of(pd.DataFrame({"what": ["outcome changed", "mask changed"]}), "Cohort one")
    assert one.text == "Cohort one: outcome changed; mask changed."


def entry(path, what, protocol="both"):
    return {"path": str(path), "caption": f"<p>About {what}.</p>", "labels": {"what": what, "protocol": protocol}}


@pytest.fixture
def results(tmp_path):
    folder = tmp_path / "results"
    for name in ("c1/zhao2024/figures", "c1/zhao2024/tables", "c1/comparison/s/figures", "c1/quality/batch1"):
        (folder / name).mkdir(parents=True)
    about = PngImagePlugin.PngInfo()
    about.add_itxt("Title", "Protocol: strict.")
    for name in ("zhao2024/figures/roc.strict", "zhao2024/figures/roc.as_published", "comparison/s/figures/roc.strict"):
        Image.new("RGB", (600, 300), "white").save(folder / f"c1/{name}.png", dpi=(300, 300), pnginfo=about)
        (folder / f"c1/{name}.pdf").write_bytes(b"%PDF")
        (folder / f"c1/{name}.numbers.csv").write_text("x\n1\n")
    Image.new("RGB", (300, 200), "white").save(folder / "c1/zhao2024/figures/flow_chart.png")
    write_html(
        pd.DataFrame({"model": ["<b>"], "AUC": [0.5]}), "t", folder / "c1/zhao2024/tables/seeds.html", mark="Careful"
    )
    return folder


@pytest.fixture
def entries(results):
    own = results / "c1/zhao2024"
    return [
        entry(own / "tables/seeds.html", "spread over seeds, table"),
        entry(own / "figures/roc.as_published.png", "ROC curves", "as published"),
        entry(own / "figures/roc.strict.png", "ROC curves", "strict"),
        entry(own / "figures/flow_chart.png", "flow chart of patients"),
        entry(results / "c1/comparison/s/figures/roc.strict.png", "ROC curves", "strict"),
    ]


def test_what_is_of_no_cohort_has_a_view_of_its_own(results):
    found = views([entry(results / "machines/networks.html", "machines")], results, TITLES, COHORTS)
    assert [(view.group, view.title) for view in found] == [("Input and papers", "Machines that trained the networks")]


def test_the_table_of_costs_calls_papers_by_their_names(results):
    rows = [dict.fromkeys(COLUMNS, 1) | {"method": name, "stage": "networks"} for name in ("zhao2024", "all")]
    about = {"titles": TITLES, "citations": dict.fromkeys(TITLES, ""), "cohorts": COHORTS, "provenance": []}
    about |= {"preset": "demo", "random_weights": {}}
    listed = {"entries": [], "rules": {}, "links": []}
    tables = {"problems": pd.DataFrame(), "notices": pd.DataFrame()}
    tables["costs"] = pd.DataFrame(rows, columns=list(COLUMNS))
    facts, _ = facts_of(listed, about, [], tables, results)
    assert "<td>Zhao 2024</td>" in facts["costs"]["table"] and "zhao2024" not in facts["costs"]["table"]


def test_captions_call_papers_by_their_names(results):
    """Snakemake renders them with the keys of the config; what is no paper stays, and so does a file's name."""
    one = entry(results / "c1/zhao2024/figures/roc.strict.png", "ROC")
    one["caption"] = "<p>ROC of zhao2024 on c1, and of the comparison s on c1, from zhao2024/predictions.csv</p>"
    (view,) = views([one], results, TITLES, COHORTS)
    (item,) = view.parts["Main"]
    assert item.caption == "<p>ROC of Zhao 2024 on c1, and of the comparison s on c1, from zhao2024/predictions.csv</p>"


def test_each_thing_has_its_place_and_strict_stands_first(entries, results):
    found = views(entries, results, TITLES, COHORTS)
    assert [(view.group, view.title) for view in found] == [
        ("Comparison of methods", "Cohort one, split s"),
        ("Zhao 2024", "Cohort one"),
    ]
    parts = found[1].parts
    assert list(parts) == ["Main", "Checks"]
    assert [item.what for item in parts["Main"]] == ["ROC curves", "flow chart of patients"]
    assert [file.protocol for file in parts["Main"][0].files] == ["strict", "as published"]
    assert [part_of(stem) for stem in ("roc", "checklist_CLEAR", "what_a_new_method_brings")] == [
        "Main",
        "Checks",
        "Supplement",
    ]
    assert figure_of(found, "Zhao 2024", "Cohort one", "roc").protocol == "strict"
    assert figure_of(found, "Zhao 2024", "Cohort one", "waterfall") is None


def facts(entries, metrics, results, **changed):
    about = {"preset": "demo", "titles": TITLES, "cohorts": COHORTS, "random_weights": ["Zhao 2024 ResNet-10"]}
    about["citations"] = {"yan2023": "Yan M.", "zhao2024": "Zhao Y."}
    about["provenance"] = [("Workflow", "hcc-recurrence 0.1.0"), ("Seed", "20240611")]
    predictions = pd.DataFrame(
        [{"protocol": "strict", "split": "train", "estimate": "x", "repeat": 1, "patient_id": "p", "model": "BCLC"}]
    ).assign(probability=0.5)
    own = {"cohort": "c1", "title": "Cohort one", "split": "s", "simulated": False, "horizon": "730 days"}
    own["endpoint"] = asdict(EARLY_RECURRENCE)
    own |= {"papers": ["zhao2024"], "used": 40, "left_out": 2, "best_auc": None}
    own |= {"metrics": metrics, "predictions": predictions, "changes": pd.DataFrame({"what": [FIRST]})}
    tables = {"problems": pd.DataFrame({"patient": ["p1", "p1"]}), "notices": pd.DataFrame({"patient": []})}
    contents = {"entries": entries, "rules": [{"name": "a", "jobs": 2}], "links": []}
    return facts_of(contents, {**about, **changed.pop("about", {})}, [{**own, **changed}], tables, results)


def test_the_first_page_warns_of_what_a_reader_must_know(entries, metrics, results):
    told, _ = facts(entries, metrics, results)
    assert list(told["warnings"]) == [
        "Input",
        "Demo preset",
        "Random weights",
        "Models without a variable",
        "Few patients",
    ]
    assert (
        WARNING in told["warnings"]["Demo preset"][0] and "2 problems of 1 patient left" in told["warnings"]["Input"][0]
    )
    assert "SIMULATED" not in told["lead"]
    # A model that has no AUC, in few words, which the note explains; every AUC has its interval.
    (shown,) = told["comparisons"]
    assert ">one score</td>" in shown["table"] and NOTHING not in shown["table"]
    assert shown["note"] == f"One score: the model gives {NOTHING}, and has no AUC."
    for preset, simulated in (("published", False), ("demo", True), ("published", True)):
        told, _ = facts(entries, metrics, results, simulated=simulated, best_auc=0.9, about={"preset": preset})
        assert "Demo preset" not in told["warnings"] and ("SIMULATED" in told["lead"]) is simulated
        assert "oracle AUC, the best that a method can have on average, is 0.900" in told["comparisons"][0]["facts"]


DEATH = Endpoint("death within 24 months", "death", "death", "overall survival", "TACE")
METASTASIS = Endpoint("lung metastasis", "LM", "lung metastasis", column="met")


def cohorts_with(*endpoints):
    return [
        {"title": f"Cohort {number}", "endpoint": asdict(one), "horizon": "730 days"}
        for number, one in enumerate(endpoints, 1)
    ]


@pytest.mark.parametrize(
    ("endpoints", "name", "asked", "told"),
    [
        (
            [EARLY_RECURRENCE, EARLY_RECURRENCE],
            "Early recurrence after resection",
            "Which method predicts early recurrence after resection, and better than a clinical score?",
            "Early: within 730 days.",
        ),
        (
            [DEATH],
            "Death within 24 months after TACE",
            "Which method predicts death within 24 months after TACE, and better than a clinical score?",
            "Outcome: death within 24 months (730 days after TACE). The methods were published for early recurrence "
            "after resection of hepatocellular carcinoma.",
        ),
        (
            [METASTASIS],
            "Lung metastasis",
            "Which method predicts lung metastasis, and better than a clinical score?",
            "Outcome: lung metastasis (no times). The methods were published for early recurrence after resection of "
            "hepatocellular carcinoma.",
        ),
        (
            [EARLY_RECURRENCE, METASTASIS],
            "Early recurrence after resection; lung metastasis",
            "Which method predicts the outcome of each cohort, and better than a clinical score?",
            "Cohorts have different outcomes. Cohort 1: early recurrence (730 days after resection); Cohort 2: lung "
            "metastasis (no times). The methods were published for early recurrence after resection of hepatocellular "
            "carcinoma.",
        ),
    ],
)
def test_the_headline_is_of_the_outcomes_of_the_run(endpoints, name, asked, told):
    comparisons = cohorts_with(*endpoints)
    outcomes = outcomes_of(comparisons)
    assert (title(outcomes), question(outcomes), outcomes_words(comparisons)) == (name, asked, told)


def test_a_page_of_another_outcome_calls_nothing_a_recurrence_but_what_the_papers_are_of(entries, metrics, results):
    told, found = facts(entries, metrics, results, endpoint=asdict(DEATH))
    page = Writer(TEMPLATES, results).page(told, found)
    assert page.count("Death within 24 months after TACE</") == 2, "title and sidebar"
    assert "20 with death within 24 months: an AUC is uncertain" in page
    left = [page[m.start() - 60 : m.end() + 60] for m in re.finditer("(?<!hcc-)recurrence", page)]
    assert len(left) == 2, left
    assert "The methods were published for early recurrence after resection of hepatocellular" in left[0]
    assert "What is predicted is death within 24 months, not early recurrence of a liver tumour." in page


def test_one_file_holds_every_picture_and_leads_to_the_files_for_print(entries, metrics, results):
    page = Writer(TEMPLATES, results).page(*facts(entries, metrics, results))
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page), "nothing is fetched"
    # Three pictures of ROC curves and a flow chart, the first of each on the first page as well; one of the dialog.
    assert page.count("<img ") == 4 + 2 + 1 and page.count("data:image/png;base64,") == 6
    assert 'alt="ROC curves, strict: Zhao 2024, Cohort one. Protocol: strict."' in page
    assert 'href="c1/zhao2024/figures/roc.strict.pdf"' in page and "roc.strict.svg" not in page
    # At half the size for the screen.
    assert 'width="300" height="150"' in page
    # Tables are those of their own pages; what they hold stays text.
    assert "&lt;b&gt;" in page and "Careful" in page and page.count("<h1>") == 2 + 1 + 2
    assert '<th scope="row">Seed</th><td>20240611</td>' in page and 'href="provenance.json"' in page


def test_the_zip_has_the_page_beside_its_pictures_and_every_file_that_it_leads_to(entries, metrics, results, tmp_path):
    (results / "provenance.json").write_text("{}")
    apart = Apart()
    page = Writer(TEMPLATES, results, apart).page(*facts(entries, metrics, results))
    assert "data:image/png" not in page
    for name in "ab":
        write_zip(tmp_path / f"{name}.zip", page, results, apart.files)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip") as kept:
        names = set(kept.namelist())
        written = kept.read("report/report.html").decode()
    assert {"report/report.html", "report/c1/zhao2024/figures/roc.strict.pdf"} <= names
    for link in re.findall(r'(?:src|href)="([^"#:]+)"', written):
        assert f"report/{link}" in names, link


def test_pictures_of_masks_lead_to_larger_ones_in_their_own_folder(entries, metrics, results):
    small, folder = b"not a jpeg", results / "c1/quality"
    rows, larger = {"P1": {"portal": small}}, {("P1", "portal"): "batch1/P1.portal.jpg"}
    (folder / "all_patients.html").write_text(thumbnail_page(rows, "T", "note", {}, larger))
    masks = entry(folder / "all_patients.html", "masks on images, all patients")
    page = Writer(TEMPLATES, results).page(*facts([*entries, masks], metrics, results))
    assert page.count('href="c1/quality/batch1/P1.portal.jpg"') == 1 and page.count("data:image/jpeg;base64,") == 1
    assert "Patients and images: Cohort one" in page


def test_a_rule_stands_right_of_all_that_it_needs():
    names, links = ["a", "b", "c", "d"], [["a", "b"], ["b", "c"], ["a", "d"], ["c", "d"], ["a", "a"]]
    assert layers(names, links) == [["a"], ["b"], ["c"], ["d"]]
    drawn = drawing([{"name": name, "jobs": 1} for name in names], links)
    assert [box["x"] for box in drawn["boxes"]] == sorted({box["x"] for box in drawn["boxes"]})
    assert len(drawn["lines"]) == 4 and drawing([], [])["boxes"] == []


def test_the_list_of_the_report_has_every_rule_once_and_every_line_whatever_job_comes_first(monkeypatch):
    """Snakemake's own graph has one job of a rule and level, any one: lines went and came from run to run."""
    monkeypatch.syspath_prepend(TEMPLATES.parents[1] / "scripts/report_plugin")
    plugin = importlib.import_module("snakemake_report_plugin_contents")

    def dag_of(jobs: dict[str, list[str]], levels: list[str]):
        made = {name: SimpleNamespace(rule=SimpleNamespace(name=name[0])) for name in jobs}
        needs = {id(made[name]): [made[other] for other in others] for name, others in jobs.items()}
        dependencies = type("Needs", (), {"__getitem__": lambda self, job: needs[id(job)]})()
        levels = [[made[name] for name in level.split()] for level in levels]
        return SimpleNamespace(jobs=list(made.values()), dependencies=dependencies, toposorted=lambda: levels)

    # Two jobs of rule d on one level: one needs b, the other c, and a job of c itself comes late.
    jobs = {"a1": [], "b1": ["a1"], "c1": ["b1"], "d1": ["b1"], "d2": ["c1"], "d3": ["d2"]}
    for order in (list(jobs), list(reversed(jobs))):
        dag = dag_of({name: jobs[name] for name in order}, ["a1", "b1", "c1 d1", "d2", "d3"])
        links = plugin.rule_links(dag)
        assert links == {("a", "b"), ("b", "c"), ("b", "d"), ("c", "d"), ("d", "d")}
        assert plugin.needed_first(dag, links) == ["a", "b", "c", "d"]
    circle = dag_of({"a1": [], "b1": ["a1"], "a2": ["b1"]}, ["a1", "b1", "a2"])
    assert plugin.needed_first(circle, plugin.rule_links(circle)) == ["a", "b"]


def test_captions_link_to_no_other_figure_and_are_the_same_without_the_targets_of_all():
    """The list of the report renders each caption without the targets that Snakemake puts below it."""
    from docutils.core import publish_parts

    files = sorted((TEMPLATES.parent).glob("*.rst"))
    assert len(files) > 50
    texts = {file.name: re.sub(r"{{.*?}}|{%.*?%}", "x", file.read_text(encoding="utf-8"), flags=re.S) for file in files}
    links = re.compile(r"`_|\w_(?=[\s.,;:)]|$)")
    assert links.search("see Figures_ and") and links.search("`All files`_")
    assert [name for name, text in texts.items() if links.search(text)] == []
    targets = "\n\n.. _Workflow: javascript:show_panel('workflow')\n.. _roc.png: javascript:app.showResultInfo('roc')\n"
    for name in ("roc.rst", "metrics.rst", "nomogram.rst"):
        alone, below = (publish_parts(texts[name] + more, writer_name="html")["body"] for more in ("", targets))
        assert alone == below, name
