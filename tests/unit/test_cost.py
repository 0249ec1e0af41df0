"""What a run costs: the table, the units of jobs, the sums, and the time limits that come from them."""

from __future__ import annotations

import copy
import csv
import math
import re
from types import SimpleNamespace

import pandas as pd
import pytest
import yaml
from workflow_runner import REPOSITORY

from hcc_recurrence.configuration import load_configuration
from hcc_recurrence.cost.geometry import TYPICAL, simulated_geometry
from hcc_recurrence.cost.memory import unet_training_mb
from hcc_recurrence.cost.of_run import COLUMNS, cost_of_run, cost_words, shown_costs
from hcc_recurrence.cost.planned import IMAGES, MODELS, NETWORKS, NULL, RESULTS, megabytes_there, stage_of
from hcc_recurrence.cost.sums import Cost, cost_text, job_cost, peak_memory, spent, start_words, wall_seconds
from hcc_recurrence.cost.table import LEAST_MINUTES, LIMIT_OVER_COST, STEP, CostTable, Unit
from hcc_recurrence.cost.work import Workload, training_units
from hcc_recurrence.methods.cui2022.cost import training_mb as cui2022_mb
from hcc_recurrence.methods.yan2023.cost import cells_work, ranking_work
from hcc_recurrence.methods.zhang2025.cost import training_mb as zhang2025_mb
from hcc_recurrence.methods.zhao2024.cost import fusion_work
from hcc_recurrence.methods.zhao2024.cost import training_mb as zhao2024_mb
from hcc_recurrence.networks.architectures import judged_at_once, network_crop
from hcc_recurrence.planning.studies import Studies
from hcc_recurrence.simulation.anatomy import SCANNERS

TABLE = CostTable.read(REPOSITORY / "workflow/costs.csv")
CONFIG = yaml.safe_load((REPOSITORY / "config/config.yaml").read_text())
ROWS = [
    {"step": "other", "of": "", "size": "", "unit": "job", "seconds": "0.5", "megabytes": "1", "kind": "images"},
    {
        "step": "train",
        "of": "a",
        "size": "1x10x10",
        "unit": "example",
        "seconds": "2",
        "megabytes": "",
        "kind": "networks",
    },
    {
        "step": "train",
        "of": "a",
        "size": "1x100x100",
        "unit": "example",
        "seconds": "9",
        "megabytes": "",
        "kind": "networks",
    },
    {
        "step": "score",
        "of": "a",
        "size": "1x10x10",
        "unit": "example",
        "seconds": "1",
        "megabytes": "",
        "kind": "networks",
    },
    {"step": "fit", "of": "GP", "size": "100", "unit": "model", "seconds": "1", "megabytes": "", "kind": "learning"},
]
SMALL = CostTable(ROWS)


class Plan(Studies):
    """The studies of a config with so many patients each, and no sheets."""

    def __init__(self, config, number):
        super().__init__(config)
        self.number = number

    def patients(self, cohort):
        return [f"P{i:03d}" for i in range(self.number)]

    imaged = patients

    def external_patients(self, cohort):
        return []

    def is_simulated(self, cohort):
        return False

    def unet_parts(self, cohort, unit):
        drawn = self.number // 3
        return {f"P{i:03d}": "inner" if i < drawn // 5 else "fitted" for i in range(drawn)}


def published(number):
    """A workload of the published settings of the demo's studies, on so many patients."""
    config = load_configuration(
        {**copy.deepcopy(CONFIG), "preset": "published"}, REPOSITORY / "config/papers", REPOSITORY / "workflow/schemas"
    )
    for study in config["studies"]:
        if study["split"]:
            study["split"] = study["split"].removesuffix("_demo")
    return Workload(config, Plan(config, number), lambda: SCANNERS)


def test_a_size_in_between_is_on_the_line_between_its_neighbours():
    # 100 pixels take 2 s and 10,000 take 9 s: 400 take 2 and 7 * 300 / 9900. Outside it goes with the pixels.
    assert SMALL.price(Unit("train", 3, "example", "a", (1, 20, 20))).seconds == pytest.approx(3 * (2 + 7 * 300 / 9900))
    assert SMALL.price(Unit("train", 1, "example", "a", (1, 100, 100))).seconds == 9
    assert SMALL.price(Unit("train", 1, "example", "a", (1, 200, 200))).seconds == pytest.approx(9 * 4)
    assert SMALL.price(Unit("train", 1, "example", "a", (1, 5, 5))).seconds == pytest.approx(2 / 4)
    # A Gaussian process goes with the third power of its patients.
    assert SMALL.price(Unit("fit", 1, "model", "GP", (200,))).seconds == pytest.approx(8)
    assert SMALL.price(Unit("anything", 4)).seconds == 2
    with pytest.raises(KeyError, match=r"costs.csv has no row of anything series"):
        SMALL.price(Unit("anything", 4, "series"))


def test_a_method_or_network_that_is_added_has_a_price():
    """docs/adding_a_method.md: nothing shared, so not this table either, must know it."""
    for unit in (
        Unit("fit_method", 1, "fit, published", "new2030"),
        Unit("fit_method", 1, "fit, demo", "new2030"),
        Unit("train", 1, "example", "transformer", (3, 64, 64)),
        Unit("score", 1, "example", "transformer", (3, 64, 64)),
        Unit("fit", 1, "model", "Stacking", (100,)),
        Unit("rank", 1, "ranking", "Boruta", (100,)),
    ):
        assert TABLE.price(unit).seconds > 0


@pytest.mark.parametrize("change", [{"seconds": "much"}, {"seconds": "-1"}, {"kind": "other"}, {"seconds": "nan"}])
def test_a_row_that_means_nothing_is_refused_by_its_line(change):
    with pytest.raises(ValueError, match=r"costs.csv, line 3"):
        CostTable([ROWS[0], {**ROWS[1], **change}])


def test_the_table_says_where_each_number_is_from():
    with open(REPOSITORY / "workflow/costs.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert all(row["measured"] for row in rows)
    assert len({(r["step"], r["of"], r["size"], r["unit"]) for r in rows}) == len(rows)


def test_every_published_network_has_a_row_at_its_published_size():
    config = published(200).config
    for paper in ("zhao2024", "zhang2025", "cui2022"):
        for network in config["papers"][paper]["settings"]["networks"].values():
            assert ("train", network["architecture"], "example") in TABLE._rows


def test_trainings_of_one_network_are_counted_by_hand():
    """Cui 2022: 200 patients, 140 train (by date: seven of ten), four of five folds, 15 % stop it, seven versions."""
    work = published(200)
    start, read, train, steps, judge, score = work.units(
        "train_network", {"paper": "cui2022", "cohort": "demo_ct", "network": "SS", "fit": "strict.1.2"}
    )
    learn, inner = 112, 17
    assert train == Unit("train", 100 * (learn - inner) * 7, "example", "cui3d", (10, 150, 150))
    assert (judge.number, score.number) == (100 * inner, 200)
    # 665 boxes in batches of 8.
    assert steps == Unit("train", 100 * 84, STEP, "cui3d")
    assert start == Unit("train_network", 1)
    # One phase of all 200, in millions of voxels.
    assert read.step == "read_crops" and read.number == pytest.approx(200 * 10 * 150 * 150 / 1e6)
    # Zhang 2025: ten images a patient, each an example.
    wildcards = {"paper": "zhang2025", "cohort": "demo_ct", "network": "VGG19", "fit": "strict.1.1-3"}
    learn = round(140 * 3 / 5)
    assert work.units("train_scoring_network", wildcards)[2].number == 30 * (learn - round(0.15 * learn)) * 10


def test_phases_of_a_patient_go_through_a_resnet_one_by_one():
    """Zhao 2024: one phase of 51 patients is a third of the pixels of three; slices are colours."""
    work = published(51)
    wildcards = {"paper": "zhao2024", "cohort": "demo_mr", "network": "ResNet-18", "fit": "strict.1.1"}
    *_, train, steps, judge, score = work.units("train_network", wildcards)
    assert train.size == judge.size == score.size == (3, 256, 256) and steps.size == ()
    work.plan.phases = lambda paper, cohort: ["portal"]
    *_, train, steps, judge, score = work.units("train_network", wildcards)
    assert train.size == judge.size == score.size == (1, 256, 256)
    # A step costs the same whatever its batch, which is why few patients in large batches train faster than pixels say.
    assert TABLE.price(steps).seconds == pytest.approx(steps.number * TABLE.price(steps._replace(number=1)).seconds)
    assert TABLE.price(steps).seconds > 0 and TABLE.price(steps).gpu_seconds == 0


# Processor seconds of trainings of 51 real patients, 2 mm (docs/real_patients.md): means of five strict fits, one phase
# of 3 x 64 x 64, ten epochs of 28 patients in one batch, 5 judged and 51 scored; and of a box of 5 x 75 x 75, three
# epochs of seven versions.
REAL = {
    "resnet10_trunc": ((1, 64, 64), (10, 64, 28, 5), 2.5),
    "resnet18": ((1, 64, 64), (10, 64, 28, 5), 5.5),
    "resnet34": ((1, 64, 64), (10, 64, 28, 5), 9.9),
    "cui3d": ((5, 75, 75), (3, 8, 28 * 7, 5), 44.1),
}


@pytest.mark.parametrize("network", REAL)
def test_trainings_of_real_patients_took_what_the_table_says_within_half(network):
    size, (epochs, batch, fitted, inner), took = REAL[network]
    units = [Unit("train_network", 1), *training_units(network, size, epochs, batch, fitted, inner, 51)]
    reckoned = sum(TABLE.price(unit).seconds for unit in units)
    assert took / 1.5 < reckoned < 1.5 * took


def test_models_of_the_published_grid_are_those_of_its_page():
    """docs/methods/yan2023.md: 3,030 models a cell, 101 in each of 30 fits."""
    units = cells_work(published(195), {"cohort": "demo_mr", "phase": "portal", "selector": "RFE"})
    assert sum(u.number for u in units if u.of == "GP") == 3030
    assert sum(u.number for u in units if u.of == "RF") == 3000 * 100 + 30 * 500
    ranks = ranking_work(published(195), {"cohort": "demo_mr", "phase": "portal", "selector": "RFE"})
    assert sum(u.number for u in ranks if u.step == "rank") == 30 * 11


def test_the_published_grid_and_its_null_control_stay_under_their_hours():
    """195 patients, the table's core: the grid under 12 core-hours, 200 permuted copies of it under 48."""
    work, hours = published(195), {}
    for cohort, copies in (("demo_mr", 1), ("demo_mr/null/1", 200)):
        seconds = 0.0
        for selector in ("ANOVA", "RFE", "Relief"):
            wildcards = {"cohort": cohort, "phase": "portal", "selector": selector}
            units = [*ranking_work(work, wildcards), *cells_work(work, wildcards)]
            seconds += 3 * sum(TABLE.price(unit).seconds for unit in units)
        hours[cohort] = copies * seconds / 3600
    assert 1 < hours["demo_mr"] < 12
    assert 1 < hours["demo_mr/null/1"] < 48


@pytest.mark.parametrize("paper", ["zhao2024", "zhang2025", "wang2022"])
def test_null_controls_without_networks_stay_under_their_hours(paper):
    """200 permutations of one repeat: a fit without each fold and one on all, and as published as many at most."""
    work, fits = published(195), 200 * 2 * 6
    units = work.units("fit_method", {"paper": paper, "cohort": "demo_ct/null/1", "fit": "strict.1.0"})
    # As published only Wang's is cross-validated as well.
    number = fits if paper == "wang2022" else 200 * 7
    assert number * sum(TABLE.price(unit).seconds for unit in units) / 3600 < 48


def test_a_fit_costs_by_the_patients_who_learn_and_their_phases():
    """Zhao 2024: 120 of 150 patients train; four of five folds of them, three phases."""
    (unit,) = published(150).units("fit_method", {"paper": "zhao2024", "cohort": "demo_mr", "fit": "strict.1.1"})
    assert unit == Unit("fit_method", 1, "fit, published", "zhao2024", (96, 3))
    # Measured: 33 patients of one phase 0.84 s, 122 of three 2.6 s; between them a straight line. Others have one row.
    assert TABLE.price(unit).seconds == pytest.approx(0.84 + (2.6 - 0.84) * (288 - 33) / (366 - 33))
    other = unit._replace(of="zhang2025")
    assert TABLE.price(other) == TABLE.price(other._replace(size=()))


def test_no_fit_of_the_published_settings_meets_its_limit_at_300_patients():
    """At twice the seconds of the table, which a busy or older machine may take."""
    work = published(300)
    jobs = [
        ("train_network", {"paper": paper, "cohort": cohort, "network": network, "fit": "strict.1.0"})
        for paper, cohort in (("zhao2024", "demo_mr"), ("zhang2025", "demo_ct"), ("cui2022", "demo_ct"))
        for network in work.config["papers"][paper]["settings"]["networks"]
    ]
    jobs += [("train_unet", {"cohort": "demo_ct", "unet": "wang2022", "phase": "portal"})]
    jobs += [
        ("fit_method", {"paper": paper, "cohort": "demo_mr" if paper == "yan2023" else "demo_ct", "fit": "strict.1.0"})
        for paper in work.config["papers"]
    ]
    units = [work.units(rule, wildcards) for rule, wildcards in jobs]
    units.append(fusion_work(work, {"cohort": "demo_mr", "fit": "strict.1.0"}))
    units.append(cells_work(work, {"cohort": "demo_mr", "phase": "portal", "selector": "RFE"}))
    for own in units:
        needed = 2 * sum(TABLE.price(unit).seconds for unit in own) / 60
        assert needed < TABLE.limit_minutes(own)
    # Rules ask for exactly this.
    text = "".join(f.read_text() for f in (REPOSITORY / "workflow/rules").rglob("*.smk"))
    rules = ("train_network", "train_unet", "segment_patients", "fit_method")
    assert all(f'reckoned_minutes("{rule}")' in text for rule in rules)
    # So do the steps of one method that train, and those that say so: Yan's grid once for its two, Zhao's fusion.
    assert text.count("reckoned_minutes(script)") == 2
    assert text.count('"minutes": "reckoned"') == 1 and text.count('"trains": True') == 1


def limits_of_memory():
    """Rule -> MB of its first attempt, of rules whose memory is a number or the table's."""
    found, rule = {}, ""
    for file in sorted((REPOSITORY / "workflow/rules").rglob("*.smk")):
        for line in file.read_text().splitlines():
            if named := re.match(r"\s*rule (\w+)", line):
                rule = named[1]
            # A step that a method declares: the table's unless it says otherwise (own_steps_common.smk).
            if declared := re.match(r'    "(\w+)": \{$', line):
                rule = declared[1]
                found[rule] = TABLE.limit_memory_mb(rule)
            if said := re.search(r'"memory_mb": (\d+)', line):
                found[rule] = int(said[1])
            if '"trains": True' in line:
                del found[rule]
            if fixed := re.search(r"mem_mb=memory\((\d+)\)", line):
                found[rule] = int(fixed[1])
            if by_table := re.search(r'mem_mb=reckoned_memory\(\s*"(\w+)"', line):
                # A limit is the rule's own, not that of a rule it was copied from.
                assert by_table[1] == rule
                found[rule] = TABLE.limit_memory_mb(rule)
    return found


def test_no_rule_has_less_memory_than_its_largest_job_of_the_demo_took_with_a_third_to_spare():
    limits = limits_of_memory()
    measured = TABLE.measured_memory
    assert len(measured) > 60 and len(set(measured) & set(limits)) > 60
    assert {rule: mb for rule, mb in measured.items() if limits.get(rule, math.inf) < 4 / 3 * mb} == {}


def test_trainings_at_published_size_ask_for_more_than_they_were_measured_to_take():
    """MB of processes that read the images of 300 patients (a U-Net: of so many drawn) and learned and judged once."""
    config = published(300).config
    unet = config["unets"]["wang2022"]
    for drawn, mb in ((10, 9078), (30, 10543)):
        assert mb < unet_training_mb(unet, drawn, 100) < 1.5 * mb
    # By the same measurements 80 MB a patient more: of 300 patients 100 are drawn.
    assert unet_training_mb(unet, 100, 100) > 10543 + 70 * (10543 - 9078) / 20
    measured = {
        ("cui2022", "NSS"): (cui2022_mb, 3970),
        ("zhao2024", "ResNet-34"): (zhao2024_mb, 7721),
        ("zhang2025", "DenseNet121"): (zhang2025_mb, 8401),
        ("zhang2025", "ResNet101"): (zhang2025_mb, 9180),
        ("zhang2025", "VGG19"): (zhang2025_mb, 8868),
        ("zhang2025", "3D-DenseNet121"): (zhang2025_mb, 6961),
        ("zhang2025", "3D-ResNet18"): (zhang2025_mb, 11975),
    }
    for (paper, network), (needed, mb) in measured.items():
        settings = config["papers"][paper]["settings"]
        own = {**settings, **settings["networks"][network]}
        size = config["crops"][network_crop(settings, network)]["size_voxels"]
        assert mb < needed(settings, network, own["batch"], size)
    # 26 boxes judged at once took 16473 MB: 14 go through now and took 10890, less than what learns.
    assert judged_at_once(96**3) == 14 and judged_at_once(3 * 256 * 256) == judged_at_once(1) == 64
    assert 10890 < zhang2025_mb(settings, "3D-ResNet18", own["batch"], size) < 16473
    # Where a batch of one learns, judging decides: still more than was measured.
    assert zhang2025_mb(settings, "3D-ResNet18", 1, size) > 10890


def test_memory_comes_from_the_table():
    rows = [{**ROWS[0], "step": "plot", "memory_mb": "963"}, {**ROWS[0], "step": "small", "memory_mb": "217"}]
    table = CostTable(rows)
    # By hand: 963 * 1.5 = 1444.5, the next hundred; a small one and an unknown one have the least.
    assert [table.limit_memory_mb(rule) for rule in ("plot", "small", "unknown")] == [1500, 1000, 1000]


def test_a_limit_is_the_cost_some_times_over_and_some_minutes():
    units = [Unit("train", 600, "example", "a", (1, 10, 10)), Unit("anything", 120)]
    assert SMALL.limit_minutes(units) == math.ceil(LIMIT_OVER_COST * (1200 + 60) / 60) + LEAST_MINUTES
    # A GPU is taken for 100 cores at what it does: it learns and judges, and scores nobody.
    units += [Unit("judge", 300, "example", "a", (1, 10, 10)), Unit("score", 300, "example", "a", (1, 10, 10))]
    judged = SMALL.price(units[-1]).seconds
    assert judged == 300
    on_gpu = 12 + 3 + 300 + 60
    assert SMALL.limit_minutes(units, on_gpu=True) == math.ceil(LIMIT_OVER_COST * on_gpu / 60) + LEAST_MINUTES


def job(rule="anything", units=(("anything", 2, "job", "", ()),), after=(), **changed):
    about = {"rule": rule, "stage": RESULTS, "method": "m", "cohort": "c", "run": True, "threads": 1, "gpus": 0}
    return {
        **about,
        "memory_mb": 1000.0,
        "benchmark": "",
        "units": [list(u) for u in units],
        "after": list(after),
        **changed,
    }


def test_a_job_on_a_gpu_learns_there_at_the_tables_seconds_and_scores_on_a_processor():
    """By hand: 60 examples of 0.25 s learn, 30 are judged in a third of the 0.75 s of a step in single precision, 5 are
    scored in 1 s of a processor.
    """
    rows = [
        {**row, "gpu_seconds": "0.25", "gpu_single_seconds": "0.75"}
        if row["size"] == "1x10x10" and row["step"] == "train"
        else row
        for row in ROWS
    ]
    units = [("train", 60, "example", "a", (1, 10, 10)), ("judge", 30, "example", "a", (1, 10, 10))]
    own = job("train_network", [*units, ("score", 5, "example", "a", (1, 10, 10))], gpus=1)
    found = job_cost(own, CostTable(rows), {})
    assert found.gpu_seconds == pytest.approx(60 * 0.25 + 30 * 0.75 / 3 + 5)
    # Of another size both go with the pixels, once: 5 x 5 are a quarter.
    smaller = [CostTable(rows).price(Unit(step, 6, "example", "a", (1, 5, 5))) for step in ("train", "judge")]
    assert [price.gpu_seconds for price in smaller] == pytest.approx([6 * 0.25 / 4, 6 * 0.75 / 3 / 4])
    # Without a measurement it is taken for 100 cores; on a processor judging is scoring.
    assert job_cost(own, SMALL, {}).gpu_seconds == pytest.approx(60 * 2 / 100 + 30 * 2 / 300 + 5)
    assert job_cost({**own, "gpus": 0}, SMALL, {}).seconds == pytest.approx(120 + 35, abs=0.1)


def test_every_network_that_was_measured_on_a_gpu_was_so_in_both_precisions():
    with open(REPOSITORY / "workflow/costs.csv", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["gpu_seconds"] or row["gpu_single_seconds"]]
    assert len(rows) == 11 and all(row["gpu_seconds"] and row["gpu_single_seconds"] for row in rows)
    # docs/cost.md prints the same: ms of a step in bfloat16, and as the last column in single precision.
    text = (REPOSITORY / "docs/cost.md").read_text().split("## On a GPU")[1].split("\n\n")
    table = next(part for part in text if part.startswith("| network"))
    shown = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()[2:]]
    printed = sorted((float(cells[2]), float(cells[6])) for cells in shown)
    stored = sorted((1000 * float(r["gpu_seconds"]), 1000 * float(r["gpu_single_seconds"])) for r in rows)
    assert len(printed) == 11
    for own, said in zip(stored, printed, strict=True):
        assert own == pytest.approx(said, rel=0.05)


def test_wall_time_is_all_work_over_the_cores_or_the_longest_chain():
    jobs = [job(), job(after=[0]), job(after=[1]), job()]
    costs = [Cost(1, s) for s in (10, 20, 30, 5)]
    assert wall_seconds(jobs, costs, 1) == 65
    assert wall_seconds(jobs, costs, 8) == 60
    # One GPU is held by one job at a time: 55 s of it, and 5 more of a core.
    held = [Cost(1, s, s) for s in (25, 30)]
    assert wall_seconds([job(), job(), job()], [*held, Cost(1, 5)], 8) == 55
    assert wall_seconds([job(), job(), job()], [*held, Cost(1, 5)], 8, gpus=2) == 30
    # In any order of the list.
    assert wall_seconds([job(after=[2]), job(), job(after=[1])], costs[:3], 8) == 60


def test_a_machine_twice_as_slow_takes_twice_as_long_at_that_kind_of_work():
    own = job(units=[("train", 1, "example", "a", (1, 10, 10)), ("anything", 2, "job", "", ())])
    plain = job_cost(own, SMALL, {}).seconds
    assert job_cost(own, SMALL, {"networks": 2.0}).seconds - plain == pytest.approx(2)
    assert job_cost(own, SMALL, {"images": 2.0}).seconds - plain == pytest.approx(1)
    on_gpu = job_cost({**own, "gpus": 1}, SMALL, {"networks": 2.0})
    # It holds the GPU while its other work is done: a second of the processor.
    assert on_gpu.gpu_seconds == pytest.approx(2 / 100 + 1) and on_gpu.seconds < plain
    assert peak_memory([job(memory_mb=m) for m in (1.0, 5.0, 3.0)], 2) == 8
    # Two that hold a GPU never run side by side on one.
    held = [job(memory_mb=5.0, gpus=1), job(memory_mb=4.0, gpus=1), job(memory_mb=1.0)]
    assert [peak_memory(held, 2, gpus) for gpus in (1, 2)] == [6, 9]


def test_a_run_of_more_than_an_hour_is_said_and_a_short_one_is_not():
    long = job("train_network", [("train", 3600, "example", "a", (1, 10, 10))], stage=NETWORKS)
    said = start_words([job(), long], SMALL, 4)
    assert "2 jobs, 1 of them train networks; 2.0 h of a core" in said and "snakemake cost --cores 4" in said
    assert "m, networks: 1 jobs, 2.0 h of a core" in said
    # What is there already is not to do.
    assert start_words([job(), {**long, "run": False}], SMALL, 4) == ""
    null = job(stage=NULL)
    text = cost_text([job(), {**long, "run": False}, null], SMALL, {}, 2)
    assert "all, from nothing: 2 jobs" in text and "all, what is left to do: 1 jobs" in text
    assert "target null_control" in text
    # Columns that would be empty are not there: nothing is finished, and no job has a GPU.
    assert text.splitlines()[0].split() == ["method", "stage", "jobs", "core-hours", "largest", "job", "disk"]
    on_gpu = cost_text([job(), {**long, "gpus": 1}], SMALL, {}, 2, gpus=1)
    assert "GPU-hours" in on_gpu.splitlines()[0] and "on 2 cores and 1 GPU;" in on_gpu
    assert "resources gpu=1" in on_gpu


def test_what_was_spent_is_of_the_last_run_of_each_job(tmp_path):
    head = "s\tmax_rss\tcpu_time\n"
    (tmp_path / "a.tsv").write_text(head + "9\t700\t8\n5\t300\t4.5\n")
    (tmp_path / "b.tsv").write_text(head + "1\t-\tNA\n")
    jobs = [job(benchmark="a.tsv"), job(benchmark="b.tsv"), job(benchmark="gone.tsv"), job()]
    found, counted = spent(jobs, tmp_path)
    assert found["m", RESULTS] == Cost(2, 4.5, 0, 300, 0) and counted["m", RESULTS] == 2


def test_what_a_run_was_to_cost_stands_beside_what_it_did(tmp_path):
    head = "s\tmax_rss\tcpu_time\n"
    (tmp_path / "a.tsv").write_text(head + "9\t700\t7200\n")
    hours = [("anything", 7200, "job", "", ())]
    jobs = [job(benchmark="a.tsv", units=hours), job(benchmark="gone.tsv", units=hours, memory_mb=2000.0)]
    jobs.append(job(units=hours, stage=NETWORKS, method="n"))
    rows = pd.DataFrame(cost_of_run(jobs, SMALL, [1.0, 2.0, 30.0], tmp_path), columns=COLUMNS)
    # By hand: 7200 jobs of half a second are an hour, and Snakemake's hundredth of a second.
    first = {"method": "m", "stage": RESULTS, "jobs": 2, "reckoned_core_hours": 2, "reckoned_gpu_hours": 0}
    first |= {"measured_jobs": 1, "reckoned_core_hours_of_measured": 1, "measured_core_hours": 2}
    first |= {"reserved_memory_mb": 2000, "measured_memory_mb": 700, "reckoned_disk_mb": 14400, "disk_mb": 3}
    assert rows.iloc[0].to_dict() == first
    assert rows.iloc[1][["method", "jobs", "measured_jobs", "measured_core_hours"]].tolist() == ["n", 1, 0, 0]
    whole = rows.iloc[2]
    assert (whole["method"], whole["jobs"], whole["reckoned_core_hours"], whole["disk_mb"]) == ("all", 3, 3, 33)
    said = cost_words(rows)
    assert "The 1 measured of 3 jobs took 2.00 core-hours, 2.00 times what was reckoned for them." in said
    shown = shown_costs(rows)
    # A job that nobody measured is empty, not 0.
    assert shown["measured"].tolist() == ["2.00", "", "2.00"]
    none = pd.DataFrame(cost_of_run(jobs[2:], SMALL, [0.0], tmp_path), columns=COLUMNS)
    assert "nothing was measured" in cost_words(none)
    # A run of seconds: hours of four decimals are none.
    short = rows.assign(reckoned_core_hours_of_measured=0.0)
    assert cost_words(short).endswith("core-hours.")


def test_files_that_jobs_share_count_once_on_the_disk(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "a").write_bytes(b"x" * 2_000_000)
    (tmp_path / "b").hardlink_to(tmp_path / "a")
    (tmp_path / "folder/c").write_bytes(b"x" * 500_000)
    outputs = [["a"], ["b", "folder"], ["gone"], ["a"]]
    made = [SimpleNamespace(is_norun=i == 3, output=[tmp_path / o for o in own]) for i, own in enumerate(outputs)]
    assert megabytes_there(SimpleNamespace(jobs=made)) == [2.0, 0.5, 0.0]


@pytest.mark.parametrize(
    ("rule", "file", "stage"),
    [
        ("train_unet", "rules/segmentation_training.smk", NETWORKS),
        ("convert_patient", "rules/images.smk", IMAGES),
        ("fit_method", "rules/method.smk", MODELS),
        ("fit_yan2023_cells", "rules/own_steps.smk", MODELS),
        ("fit_risk_factors", "rules/evaluation.smk", RESULTS),
    ],
)
def test_stages(rule, file, stage):
    assert stage_of(rule, file) == stage


def test_geometry_is_the_mean_of_the_scanners_used():
    rows = [{"scanner": "ct_a", "radius_mm": "10"}, {"scanner": "ct_b", "radius_mm": "20"}]
    found = simulated_geometry(rows, SCANNERS)
    assert found.shape == (30, 67, 86) and found.tumour_mm == 30
    assert found.on_grid([2, 2, 2]) == pytest.approx(math.prod(found.extent_mm) / 8e6)
    assert TYPICAL["CT"].on_grid([]) == pytest.approx(100 * 512 * 512 / 1e6)
