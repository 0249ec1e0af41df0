"""Variables of a regression that say the same: named, left out, and the others estimated as if they were not there."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from lifelines import CoxPHFitter

from hcc_recurrence.figures.html import ratios_for_readers
from hcc_recurrence.figures.risk_factors import plot_forests
from hcc_recurrence.learning.clinical import select_clinical
from hcc_recurrence.learning.risk_factor_steps import panels_of
from hcc_recurrence.learning.risk_factors import fit_risk_factors
from hcc_recurrence.statistics.aliases import alias_words, find_aliases, without_aliases
from hcc_recurrence.statistics.cox import cox_table, stepwise_aic
from hcc_recurrence.statistics.logistic import forward_likelihood_ratio, logistic_table

NAMES = {"rim": "Rim", "halo": "Halo", "smooth": "Smooth margin", "size": "Size", "cm": "Size, cm", "sum": "Sum"}


@pytest.fixture
def patients():
    """Rim and halo are the same finding, a smooth margin is the opposite of it, and two columns follow from others."""
    generator = np.random.default_rng(8)
    y = np.tile([0, 1, 1, 0, 1], 30).astype(float)
    rim = (generator.random(150) < 0.3 + 0.35 * y).astype(float)
    size = generator.normal(30 + 5 * y, 8)
    x = pd.DataFrame({"rim": rim, "halo": rim, "size": size, "smooth": 1 - rim, "cm": size / 10, "sum": rim + size})
    months = np.where(y == 1, generator.uniform(1, 23, 150), 24.0)
    return x, y, months


def test_the_later_one_of_a_pair_is_left_out_and_its_partners_are_named(patients):
    x, *_ = patients
    found = find_aliases(x.assign(one=1.0))
    assert list(found) == ["halo", "smooth", "cm", "sum", "one"]
    assert found["halo"] == pytest.approx({"rim": 1}) and found["smooth"] == pytest.approx({"rim": -1})
    assert found["cm"] == pytest.approx({"size": 0.1}) and found["sum"] == pytest.approx({"rim": 1, "size": 1})
    assert list(without_aliases(x).columns) == ["rim", "size"]
    words = {name: alias_words(found[name], NAMES, name in ("halo", "smooth")) for name in found}
    assert words == {
        "halo": "left out: the same as Rim in every patient",
        "smooth": "left out: the opposite of Rim in every patient",
        "cm": "left out: follows from Size in every patient",
        "sum": "left out: follows from Rim and Size",
        "one": "left out: the same in every patient",
    }


def test_nearly_the_same_is_not_the_same(patients):
    x, *_ = patients
    other = x["rim"].copy()
    other.iloc[7] = 1 - other.iloc[7]
    assert find_aliases(pd.DataFrame({"rim": x["rim"], "other": other})) == {}
    assert find_aliases(pd.DataFrame({"size": x["size"], "rounded": x["size"].round(2)})) == {}


@pytest.mark.parametrize("twin", ["halo", "smooth"])
def test_models_have_the_estimates_of_the_columns_that_say_something(patients, twin):
    x, y, months = patients
    wanted = sm.Logit(y, sm.add_constant(x[["rim", "size"]])).fit(disp=0)
    table = logistic_table(y, x[["rim", twin, "size"]], firth=True).set_index("variable")
    assert table["method"].to_dict() == {"rim": "Wald", twin: "collinear", "size": "Wald"}
    assert table.loc[["rim", "size"], "odds_ratio"].to_numpy() == pytest.approx(np.exp(wanted.params.to_numpy()[1:]))
    assert table.loc[["rim", "size"], "p"].to_numpy() == pytest.approx(wanted.pvalues.to_numpy()[1:])
    assert table.loc[twin, ["odds_ratio", "low", "high", "p"]].isna().all()
    frame = x[["rim", "size"]].assign(months=months, event=y)
    cox = CoxPHFitter().fit(frame, "months", "event")
    table = cox_table(months, y, x[["rim", twin, "size"]]).set_index("variable")
    assert table.loc[["rim", "size"], "hazard_ratio"].to_numpy() == pytest.approx(np.exp(cox.params_.to_numpy()))
    assert np.isnan(table.loc[twin, "hazard_ratio"])
    # Of a pair the search sees one, and starts from the full model and not from the empty one.
    assert stepwise_aic(months, y, x[["rim", twin, "size"]]) == stepwise_aic(months, y, x[["rim", "size"]])
    for columns in (["rim", twin, "size"], [twin, "rim", "size"]):
        chosen = forward_likelihood_ratio(y, x[columns], firth=True)
        # Of two that are equally good rounding decides.
        assert "size" in chosen and len({"rim", twin} & set(chosen)) == 1


def test_a_clinical_model_keeps_one_of_two_findings_that_are_the_same(patients):
    """Before, their model had no estimate and kept none."""
    x, y, _ = patients
    kept, table = select_clinical(x[["rim", "halo", "size"]], y, 0.05)
    assert kept == ["rim", "size"] and list(table["method"]).count("collinear") == 1
    near = x["size"] + np.random.default_rng(1).normal(0, 0.3, len(x))
    three = pd.DataFrame({"size": x["size"], "cm": x["size"] / 10, "near": near})
    assert select_clinical(three, y, 0.05)[0] == []
    assert select_clinical(three, y, 0.05, "candidates")[0] == ["size", "near"]


@pytest.mark.parametrize("rule", ["cox_steps", "significant", "forward"])
def test_tables_and_the_forest_name_the_pair(patients, rule):
    x, y, months = patients
    x = x[["rim", "halo", "size"]].assign(late=[float(i == 2) for i in range(len(x))])
    x.index = [f"p{i:03}" for i in range(len(x))]
    labels = pd.DataFrame({"patient_id": x.index, "er": y, "rfs_months": months, "rfs_event": y.astype(int)})
    split = pd.DataFrame({"patient_id": x.index, "split": "train"})
    definitions = {v: {"kind": "binary", "unit": "", "levels": [], "timing": "pre"} for v in x}
    definitions["size"]["kind"] = "continuous"
    own = {"risk_factor_model": rule, "clinical": {}, "clinical_p": 0.05, "cox_p": 0.2}
    own |= {"entry_p": 0.05, "removal_p": 0.1, "none_significant": "no_variable"}
    limits = {"univariable_p": 0.05, "entry_p": 0.05, "removal_p": 0.1, "cox_univariable_p": 0.2, "resamples": 5}
    found = fit_risk_factors(x, labels, split, definitions, own, limits, 24.0, 1).table
    said = found[found["remark"] != ""]
    together = said[said["step"] == "multivariable"]
    if rule == "forward":
        # It never joins, so that only the Cox regression beside it has the pair.
        together = together[together["analysis"] == "cox"]
    assert len(together) and (together["variable"] == "halo").all()
    assert (together["remark"] == "left out: the same as Rim in every patient").all()
    if rule == "significant":
        late = said[(said["variable"] == "late") & (said["step"] == "univariable") & (said["analysis"] == "logistic")]
        assert list(late["remark"]) == ["no estimate: all of 1 with it had early recurrence"]
    shown = ratios_for_readers(panels_of(found, rule))
    assert shown.columns[-1] == "remark" and "left out: the same as Rim in every patient" in set(shown["remark"])
    figure = plot_forests(found, rule, "c")
    texts = [" ".join(t.get_text().split()) for axis in figure.axes for t in axis.texts]
    assert any("the same as Rim" in text for text in texts) == (rule != "forward")
