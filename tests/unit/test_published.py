"""The count solver, and the golden numbers of docs/methods.md 1.7 to 5.7 and 8 that need no patient data."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from workflow_runner import REPOSITORY

from hcc_recurrence.published import (
    check_classification,
    check_everything,
    check_group_tests,
    check_intervals,
    check_linear_terms,
    published_auc,
    read_published,
    with_published,
    write_document,
)
from hcc_recurrence.statistics.classification import Confusion, rates_with_intervals
from hcc_recurrence.statistics.count_solver import Printed, explain_row, main, solve_counts
from hcc_recurrence.statistics.logistic import exponentiated_ols_slope, two_by_two_odds_ratio
from hcc_recurrence.statistics.proportions import chi_square_or_fisher, chi_square_p, fisher_p

PUBLISHED = REPOSITORY / "workflow" / "published"


@given(st.integers(1, 60), st.integers(1, 60), st.data())
def test_the_solver_always_finds_the_counts_that_were_printed(n_pos, n_neg, data):
    tp, tn = data.draw(st.integers(0, n_pos)), data.draw(st.integers(0, n_neg))
    truth = Confusion(tp, n_pos - tp, tn, n_neg - tn)
    rates = ("accuracy", "sensitivity", "specificity", "ppv", "npv", "f1")
    printed = {r: f"{getattr(truth, r):.3f}" for r in rates if getattr(truth, r) == getattr(truth, r)}
    found = solve_counts(n_pos, n_neg, printed)
    assert truth in found
    if n_pos + n_neg < 60:
        assert found == [truth]


def test_the_solver_is_not_fooled_by_wrong_rates_and_reads_percent():
    assert solve_counts(21, 21, {"sensitivity": "61.9%", "specificity": "90.5%"}) == [Confusion(13, 8, 19, 2)]
    assert solve_counts(21, 21, {"sensitivity": ".60"}) == []
    with pytest.raises(ValueError, match="unknown rates"):
        solve_counts(2, 2, {"kappa": "0.5"})
    assert Printed.parse("76.2%").half_unit == pytest.approx(0.0005)
    reading, counts = explain_row(78, 54, {"accuracy": ".803", "sensitivity": ".861", "specificity": ".733"})
    assert reading == "sensitivity and specificity are PPV and NPV" and counts == [Confusion(62, 16, 44, 10)]


def test_the_solver_as_a_tool():
    assert main(["21", "21", "sensitivity=61.9%", "specificity=90.5%"]).splitlines() == [
        "1 confusion matrices fit (as printed)",
        "TP 13 FN 8 TN 19 FP 2",
    ]
    assert "PPV and NPV" in main(["78", "54", "accuracy=.803", "sensitivity=.861", "specificity=.733"])
    assert main(["10", "10", "accuracy=.33"]).startswith("0 confusion matrices")
    for wrong in ([], ["a", "b"], ["1", "1", "kappa=.5"], ["1", "1", "ppv"]):
        with pytest.raises(SystemExit, match="usage"):
            main(wrong)


def golden_rows():
    return read_published(PUBLISHED, "classification").to_dict("records")


@pytest.mark.parametrize("row", golden_rows(), ids=lambda r: f"{r['paper']} {r['model']} {r['patients']}")
def test_every_printed_row_has_the_counts_that_methods_computed(row):
    """docs/methods.md 1.7, 2.7, 3.7, 4.6, 5.7: the check finds just these counts, whatever they had to be read as."""
    found = check_classification(pd.DataFrame([row])).iloc[0]["found"]
    expected = f"TP {row['tp']}, FN {row['fn']}, TN {row['tn']}, FP {row['fp']}"
    assert expected in found


@pytest.mark.parametrize("images", [7, 9])
def test_zhangs_slice_rows_fit_ten_images_a_patient_and_not_seven_or_nine(images):
    """docs/methods.md 5.2: internal and external cohorts."""
    rows = [
        r for r in golden_rows() if r["table"] == "Table 3" and r["patients"].split()[0] in ("internal", "external")
    ]
    assert len(rows) == 8
    for row in rows:
        printed = {r: row[r] for r in ("accuracy", "sensitivity", "specificity", "ppv", "npv")}
        pos, neg = int(row["n_pos"]), int(row["n_neg"])
        assert len(solve_counts(pos, neg, printed)) == 1
        assert solve_counts(pos // 10 * images, neg // 10 * images, printed) == []


def test_the_inconsistent_rows_are_those_of_methods():
    table = check_classification(read_published(PUBLISHED, "classification"))
    odd = table[~table["consistent"]]
    assert sorted((r.paper, r.what) for r in odd.itertuples()) == sorted(
        [
            *[("wang2022", f"{m}, development") for m in ("DSFR", "DSFR-C", "visual")],
            ("wang2022", "visual, validation"),
            *[("yan2023", f"{m}, training") for m in ("AP", "PVP", "HBP", "mp-MR", "DL nomogram")],
            *[("zhao2024", f"{m}, {s}") for m in ("DL (ResNet-10)", "DLRCR") for s in ("training", "validation")],
        ]
    )
    exchanged = odd[odd["what"] == "DL nomogram, training"]["found"].iloc[0]
    assert "sensitivity and specificity exchanged" in exchanged and "55 and 140" in exchanged


def test_the_inconsistent_intervals_are_those_of_methods():
    table = check_intervals(read_published(PUBLISHED, "intervals"))
    odd = sorted((r.paper, r.what) for r in table[~table["consistent"]].itertuples())
    assert odd == [
        ("yan2023", "mp-MR univariable (OR), training"),
        ("yan2023", "mp-MR, training"),
        ("zhao2024", "DLRCR, training"),
    ]
    hints = {(r.paper, r.what): r.found for r in table.itertuples()}
    assert "symmetric limits would be 0.892" in hints["yan2023", "mp-MR, training"]
    assert "the symmetric lower limit is 0.862" in hints["zhao2024", "DLRCR, training"]


def test_every_group_test_is_reproduced_by_the_test_that_the_paper_used():
    """Cui and Wang: no correction; Zhao and Zhang: Yates, exact in six rows of Zhao (docs/methods.md 4.5 names one)."""
    table = read_published(PUBLISHED, "group_tests")
    checked = check_group_tests(table)
    assert checked["consistent"].all(), checked[~checked["consistent"]].to_string()
    names = {"pearson": "chi-square", "yates": "chi-square with Yates", "fisher": "Fisher's exact"}
    for row, found in zip(table.to_dict("records"), checked["found"], strict=True):
        levels = [
            pair for pair in zip(row["first"].split("/"), row["second"].split("/"), strict=True) if pair != ("0", "0")
        ]
        assert found == (names[row["test"]] if len(levels) == 2 else "chi-square"), row


def test_zhaos_odds_ratios_follow_from_the_counts_or_are_those_of_absence():
    table = read_published(PUBLISHED, "two_by_two")
    absence = {"necrosis", "haemorrhage", "capsule", "arterial peritumoral enhancement", "cirrhosis"}
    for row in table[table["paper"] == "zhao2024"].to_dict("records"):
        a, b = int(row["exposed_pos"]), int(row["exposed_neg"])
        printed = [float(row[c]) for c in ("value", "low", "high")]
        if row["variable"] in absence:
            found = two_by_two_odds_ratio(78 - a, 54 - b, a, b)
        else:
            found = two_by_two_odds_ratio(a, b, 78 - a, 54 - b)
        assert found == pytest.approx(printed, abs=0.011), row["variable"]


def test_zhangs_table_2_is_least_squares_with_a_90_percent_interval():
    """docs/methods.md 5.6: all 19 binary rows, and ALBI as 1, 2, 3."""
    table = read_published(PUBLISHED, "two_by_two")
    rows = table[table["paper"] == "zhang2025"].to_dict("records")
    assert len(rows) == 19
    y = np.r_[np.ones(105), np.zeros(57)]
    for row in rows:
        a, b = int(row["exposed_pos"]), int(row["exposed_neg"])
        x = np.r_[np.arange(105) < a, np.arange(57) < b].astype(float)
        printed = [float(row[c]) for c in ("value", "low", "high")]
        assert exponentiated_ols_slope(y, x) == pytest.approx(printed, abs=0.0021), row["variable"]
    albi = np.r_[np.repeat([1, 2, 3], [38, 63, 4]), np.repeat([1, 2, 3], [22, 34, 1])]
    assert exponentiated_ols_slope(y, albi) == pytest.approx((1.036, 0.922, 1.164), abs=0.0021)
    assert two_by_two_odds_ratio(56, 17, 49, 40)[0] == pytest.approx(2.689, abs=0.001)


def test_zhangs_linear_terms_are_least_squares_on_the_outcome():
    """TBIL from its means and SDs in Table 1 and the ALBI grades from their counts give what Table 2 prints."""
    table = check_linear_terms(read_published(PUBLISHED, "linear_terms")).set_index("what")
    assert len(table) == 2 and not table["consistent"].any()
    assert table["found"].str.endswith("exp(slope) of least squares on 0/1 with a 90% interval").all()
    # The odds ratio per micromole by hand: for two normal groups of one variance it is exp(difference / variance).
    pooled = (104 * 24.26**2 + 56 * 19.55**2) / 160
    assert np.exp((20.44 - 19.15) / pooled) == pytest.approx(1.0025, abs=2e-4)
    assert table.loc["TBIL, a linear term", "found"].startswith("odds ratio 1.003 ")


def test_zhangs_signature_has_the_intervals_of_its_learner_to_four_digits():
    intervals = read_published(PUBLISHED, "intervals").query("paper == 'zhang2025' and model in ('DL_2.5D', 'RF')")
    assert check_intervals(intervals)["consistent"].all()
    for _, part in intervals.groupby("patients"):
        fine, coarse = (part[part["model"] == m].iloc[0] for m in ("DL_2.5D", "RF"))
        assert fine["value"] == coarse["value"]
        for end in ("low", "high"):
            assert float(fine[end]) == pytest.approx(float(coarse[end]), abs=5.1e-4)


def test_the_hosmer_lemeshow_quotation_stands_in_the_results():
    statements = read_published(PUBLISHED, "statements")
    quoted = statements[statements["claim"].str.contains("Hosmer-Lemeshow statistic")]
    assert quoted["place"].tolist() == ["Results"]


@pytest.mark.parametrize(
    ("counts", "low", "high", "p"),
    [((13, 8, 19, 2), 0.6055, 0.8795, 0.00047), ((11, 10, 13, 8), 0.4096, 0.7228, 0.2204)],
)
def test_cuis_accuracy_interval_and_test(counts, low, high, p):
    """docs/methods.md 1.6: Clopper-Pearson, and one-sided exact binomial against the no-information rate."""
    found = rates_with_intervals(Confusion(*counts))
    assert (found["accuracy_low"], found["accuracy_high"]) == pytest.approx((low, high), abs=5e-5)
    assert found["accuracy_p"] == pytest.approx(p, abs=5e-5) and found["no_information_rate"] == 0.5
    assert found["sensitivity_low"] < found["sensitivity"] < found["sensitivity_high"]


def test_wangs_child_pugh_row_is_chi_square_and_not_fisher():
    """docs/methods.md 2.8, item 6."""
    table = [[4, 176], [1, 27]]
    assert chi_square_p(table) == pytest.approx(0.665, abs=0.0006) and fisher_p(table) == pytest.approx(
        0.518, abs=0.0006
    )
    assert chi_square_or_fisher(np.array(table), yates=False)[1] == "Fisher's exact"
    assert chi_square_or_fisher(np.array([[68, 10], [43, 11]]), yates=True)[1] == "Chi-squared, Yates"
    assert np.isnan(chi_square_p([[3, 0], [5, 0]]))


def test_wangs_age_row_is_impossible():
    from scipy.stats import ttest_ind_from_stats

    arguments = (40.7, 5.1, 180, 51.9, 13.6, 28)
    student, welch = ttest_ind_from_stats(*arguments), ttest_ind_from_stats(*arguments, equal_var=False)
    assert student.statistic == pytest.approx(-8.1, abs=0.06) and student.pvalue < 1e-12
    assert welch.statistic == pytest.approx(-4.3, abs=0.06) and welch.pvalue < 0.001


def test_feature_counts_of_zhao_add_up():
    """docs/methods.md 4.3: the labels wavelet and LoG are exchanged."""
    texture = 24 + 16 + 16 + 5 + 14
    assert texture == 75 and 2 * (18 + texture) == 186 and 8 * (18 + texture) == 744
    assert 18 + 14 + texture + 186 + 744 == 1037


def test_yans_signature_is_the_mean_of_three():
    """docs/methods.md 3.5: medians of early recurrence; 64 + 128 + 256 + 512 + 512 = 1472 features a phase."""
    assert np.mean([0.450, 0.390, 0.434]) == pytest.approx(0.425, abs=5e-4)
    assert np.mean([0.297, 0.270, 0.304]) == pytest.approx(0.291, abs=1e-3)
    assert 64 + 128 + 256 + 512 + 512 == 1472 and pytest.approx(0.606, abs=5e-4) == 40 / 66


def test_wangs_worked_linear_predictor():
    """docs/methods.md 8, item 3: signature 0.6, HBsAg positive, AFP < 400, GGT 50 U/L."""
    from hcc_recurrence.statistics.nomogram import Axis, NomogramModel

    model = NomogramModel(
        kind="cox",
        axes=(
            Axis("signature", 1.985, 0, 1),
            Axis("HBsAg", 1.294, 0, 1),
            Axis("AFP >= 400", 0.858, 0, 1),
            Axis("GGT", 0.006, 10, 300),
        ),
        offset=0.0,
        baseline_survival=0.5,
    )
    patient = {"signature": 0.6, "HBsAg": 1, "AFP >= 400": 0, "GGT": 50}
    assert model.linear_predictor(patient) == pytest.approx(2.785)


def test_the_document_of_published_numbers_is_in_step(tmp_path):
    write_document(PUBLISHED, tmp_path / "published_numbers.md")
    committed = (REPOSITORY / "docs/published_numbers.md").read_text()
    assert committed == (tmp_path / "published_numbers.md").read_text()
    table = check_everything(PUBLISHED)
    assert f"{len(table)} checks" in committed


def test_published_aucs_for_orientation():
    found = published_auc(PUBLISHED, "zhao2024", "RCR").set_index("split")
    assert found.loc["train", "value"] == 0.841 and found.loc["validation", "high"] == 0.962
    assert published_auc(PUBLISHED, "zhao2024", "nothing").empty
    assert list(published_auc(PUBLISHED, "wang2022", "DSFR")["split"]) == ["train", "external"]
    metrics = pd.DataFrame(
        {
            "model": ["zhao2024:RCR", "zhao2024:RCR", "Radiomics", "BCLC"],
            "split": ["train", "validation", "validation", "validation"],
            "estimate": ["out_of_fold", "held_out", "held_out", "held_out"],
        }
    )
    shown = with_published(metrics, PUBLISHED, {"zhao2024": {"RCR": "RCR", "Radiomics": "LR"}})["published"]
    assert shown.fillna(-1).tolist() == [-1, 0.811, 0.804, -1]
    kinds = ["out_of_fold", "cross_validated", "apparent"]
    metrics = pd.DataFrame({"model": ["DSFR"] * 3, "split": ["train"] * 3, "estimate": kinds})
    shown = with_published(metrics, PUBLISHED, {"wang2022": {"DSFR": "DSFR"}})["published"]
    assert shown.fillna(-1).tolist() == [-1, 0.74, -1], "what the paper prints of training patients is cross-validated"
    # Table 4 of Zhang 2025 is of models of all training patients; its cross-validation is a figure.
    metrics["model"] = "DL_2.5D RandomForest"
    shown = with_published(metrics, PUBLISHED, {"zhang2025": {"DL_2.5D RandomForest": "RandomForest"}})["published"]
    assert shown.fillna(-1).tolist() == [-1, -1, 0.92]
