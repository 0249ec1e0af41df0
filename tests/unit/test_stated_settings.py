"""Every setting marked `stated`: what the paper prints, in its own words, and the value that follows from them.

Each row is a setting, words of the paper, and the value that they mean. The words are looked up in the papers' texts
where these lie beside the project. A mark without a row, and without a reason to have none, fails.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from hcc_recurrence.configuration import plain_values, sourced_values

REPOSITORY = Path(__file__).resolve().parents[2]
TEXTS = REPOSITORY.parent / "shared" / "papers"


def window(width: float, level: float) -> list[float]:
    """Lowest and highest HU that a window shows."""
    return [level - width / 2, level + width / 2]


CUI = {
    "er_inclusive": ("early recurrence (ER) (≤ 2 years)", True),
    "grids.cui2022.spacing_mm": (r"normalize the resolution to $1 \times 1 \times 1$ mm/pixel", [1, 1, 1]),
    "grids.cui2022.interpolator": ("a linear interpolation algorithm was applied", "linear"),
    "crops.cui2022_ss.fit": (r"3D patches of size $10 \times 150 \times 150$ pixels", "voxels"),
    "crops.cui2022_ss.size_voxels": (r"3D patches of size $10 \times 150 \times 150$ pixels", [10, 150, 150]),
    "crops.cui2022_ss.masked": ("Voxels without tumors were set to 0", True),
    "crops.cui2022_nss.fit": ("marking the bounding box of tumors", "voxels"),
    "crops.cui2022_nss.size_voxels": ("10, 150, 150, 32", [10, 150, 150]),
    "splits.cui2022.kind": ("(January 2018 to November 2018) were allocated to the test group", "temporal"),
    "splits.cui2022.validation_from": ("(January 2018 to November 2018)", "2018-01-01"),
    "splits.cui2022.folds": ("the 5-fold cross-validation was applied", 5),
    "published.phases": ("The hepatic-arterial CT images of all patients were fed", ["arterial"]),
    "published.timing": ("Pathological grade", "any"),
    "published.optimiser": ("optimized by Adam", "adam"),
    "published.learning_rate": ("a global learning rate of 0.00001 without decay", 1e-5),
    "published.class_weights": ("using Keras framework (version 2.3.1)", "per_patient"),
    "published.risk_factor_model": ("Risk factors of ER were identified using univariate analysis", "univariable"),
}
# Supplementary Table S3: the first level of each variable that is cut.
CUI_CODING = {
    **{"age": ("≥60", {"at_least": 60}), "diameter": ("≤5", 50), "alt": ("≤40", 40), "ast": ("≤40", 40)},
    **{"afp": ("≤20", 20), "sex": ("Male", None), "hepatitis": ("HBsAg status", None)},
    **{"child_pugh": ("Child–Pugh classification", None), "cirrhosis": ("Hepatocirrhosis status", None)},
    "differentiation_poor": ("Pathological grade", None),
}
WANG = {
    "er_inclusive": ("RFS < 2 years was defined as ER", False),
    "unets.wang2022.side_pixels": ("the processed images were resized to 256×256", 256),
    "unets.wang2022.fraction": ("Sixty cases were randomly extracted from the 180 patients", round(60 / 180, 4)),
    "splits.wang2022.kind": ("validated in internal cross-validation", "random"),
    "splits.wang2022.validation_fraction": ("the independent external cohort", 0),
    "published.phases": ("both the arterial phase (AP) and portal phase (PP) were obtained", ["arterial", "portal"]),
    "published.timing": ("Preoperative CECT scans were performed", "pre"),
    "published.regression_grid": (
        "0.01, 0.05, 0.1, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, and 1.2; (2) maximum number of iterations: 100, 150, 200, 400, "
        "and 500; and (3) conditions for stopping iteration optimization: 1E-5, 1E-4, 1E-3, and 1E-2",
        {
            "C": [0.01, 0.05, 0.1, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.2],
            "max_iter": [100, 150, 200, 400, 500],
            "tol": [1e-5, 1e-4, 1e-3, 1e-2],
        },
    ),
    "published.censor_at_horizon": (
        "The cases without recurrence within 2 years after surgery were censored",
        True,
    ),
    "published.cox_p": ("a P value < 0.2 in the univariate Cox regression analysis", 0.2),
    "published.risk_factor_model": ("by a stepwise feature selection algorithm", "cox_steps"),
    "published.explained_features": ("the top six features with higher weights", 6),
    "published.baseline_continuous": (
        "Age, years, mean (SD) 40.7 (5.1) 51.9 (13.6) Student's t-test",
        {"default": "mann_whitney", "age": "student"},
    ),
    "published.visual": (
        "(1) the size of the tumor; (2) attenuation of the tumor on nonenhanced CT images (heterogeneous or "
        "nonheterogeneous); (3) vessels in the tumor",
        [
            *("diameter", "heterogeneous", "tumour_vessels", "peritumoral_enhancement", "rim_enhancement"),
            *("margin_nonsmooth", "capsule", "cirrhosis"),
        ],
    ),
}
YAN = {
    "er_inclusive": ("events occurring within 2 years after curative resection", True),
    "grids.yan2023.bias_correction": ("an offset field correction by N4 algorithm", "n4"),
    "crops.yan2023.fit": ("delineated around the tumor boundary on the largest dimension", "slices"),
    "splits.yan2023.kind": ("randomly divided into training and validation sets at a 7:3 ratio", "random"),
    "splits.yan2023.validation_fraction": ("at a 7:3 ratio", 0.3),
    "published.phases": ("from the AP, PVP, and HBP images", ["arterial", "portal", "hepatobiliary"]),
    "published.timing": ("Pathologic data included MVI", "any"),
    "published.networks": (
        "A state-of-the-art architecture VGGNet-19 was then applied",
        {"VGG19": {"architecture": "vgg19"}},
    ),
    "published.spearman_p": ("early recurrence of HCC ( $p < 0.05$ )", 0.05),
    "published.redundancy_r": ("from the feature pairs ( $r > 0.9$ )", 0.9),
    "published.selectors": (
        "further screened by variance analysis, recursive feature elimination (RFE), and Relief algorithm",
        {"ANOVA", "RFE", "Relief"},
    ),
    "published.classifiers": (
        "random forest (RF), support vector machine, least absolute shrinkage and selection operator logistic "
        "regression (LASSO), AdaBoost, and Gaussian process (GP)",
        {"RF", "SVM", "LASSO", "AdaBoost", "GP"},
    ),
    "published.clinical_p": (r"significant variables ( $p < 0.05$ ) were entered into the multivariate", 0.05),
    "published.risk_factor_model": ("using the forward likelihood ratio method", "forward"),
    "published.calibration_resamples": ("calibration plots using 1000 bootstrap resamples", 1000),
    "published.agreement_words": ("$\\kappa = 0.61$ – $0.80$ , good agreement", "five_words"),
    "published.baseline_continuous": (
        "Mann–Whitney $U$ test was used for continuous variables",
        {"default": "mann_whitney"},
    ),
}
ZHANG = {
    "er_inclusive": ("the first recurrence of less than 2 years", False),
    "crops.zhang2025_views.fit": ("yielding a total of 10 distinct 2D regions", "views"),
    "crops.zhang2025_views.window": (
        "window width to 250 hounsfield units and the window level to 50 hounsfield units",
        window(250, 50),
    ),
    "crops.zhang2025_box.window": (
        "window width to 250 hounsfield units and the window level to 50 hounsfield units",
        window(250, 50),
    ),
    "splits.zhang2025.kind": ("randomly divided into a training cohort and an internal validation cohort", "random"),
    "splits.zhang2025.validation_fraction": ("at a ratio of 7:3", 0.3),
    "published.phases": (
        "3 distinct imaging phases: arterial, plain, and portal",
        ["arterial", "precontrast", "portal"],
    ),
    "published.timing": ("“pathological differentiation” and “Ki67 index”", "any"),
    "published.networks": (
        "including DenseNet121, ResNet101 ResNet50, and VGG19",
        {"DenseNet121", "ResNet50", "ResNet101", "VGG19"},
    ),
    "published.learner_folds": ("we utilized 5-fold cross-validation within the training dataset", 5),
    "published.baseline_continuous": (
        "We assessed the normality of clinical data by using the Shapiro–Wilk test",
        {"default": "shapiro"},
    ),
    "published.baseline_fisher_below": ("Categorical variables were analyzed using the chi-square test", 0),
    "published.clinical_p": ("yielded *P*-values below 0.05, signifying statistical significance", 0.05),
    "published.risk_factor_model": (
        "Univariable and multivariable analyses were conducted on all clinical features",
        "significant",
    ),
}
# Table 1: the rows of each variable that is cut.
ZHANG_CODING = {
    **{"age": (r"$\geq$ 60", {"at_least": 60}), "hbv_dna": (r"$\geq$ 500", {"at_least": 500})},
    **{"platelets": (r"$\geq$ 125", {"at_least": 125}), "afp": (r"$\geq$ 400", {"at_least": 400})},
    **{"albumin": ("ALB, g/L", {"at_least": 40}), "ast": ("AST, U/L", {"at_least": 40})},
    **{"alt": ("≥50", {"at_least": 50}), "child_pugh": ("A/B", {"at_least": 2}), "albi_grade": ("ALBI", None)},
    "bilirubin": (r"TBIL ( $\mu\text{mol/L}$ )", None),
}
ZHAO = {
    "er_inclusive": ("extrahepatic metastasis within 2 years after resection", True),
    "grids.iso1.spacing_mm": (r"same voxel size of $1 \times 1 \times 1$ mm", [1, 1, 1]),
    "grids.iso1.interpolator": ("via linear interpolation algorithm", "linear"),
    "grids.iso1_to_arterial.spacing_mm": (r"same voxel size of $1 \times 1 \times 1$ mm", [1, 1, 1]),
    "grids.iso1_to_arterial.interpolator": ("via linear interpolation algorithm", "linear"),
    "grids.iso1_to_arterial.register_to": ("the PVP and DP images were registered to AP images", "arterial"),
    "crops.zhao2024_slices.fit": ("Three consecutive slices with the maximum cross-sectional tumor area", "slices"),
    "crops.zhao2024_slices.size_voxels": ("cropped and resized into 256 × 256 pixels", [3, 256, 256]),
    "radiomics.zhao2024.expected_features": ("A total of 1037 radiomics features were extracted", 1037),
    "splits.zhao2024.kind": ("randomly divided at a ratio of 8:2 into the training", "random"),
    "splits.zhao2024.validation_fraction": ("at a ratio of 8:2", 0.2),
    "published.phases": (
        "arterial phase (AP), portal venous phase (PVP), and delayed phase (DP) images",
        ["arterial", "portal", "delayed"],
    ),
    "published.timing": ("preoperative", "pre"),
    "published.icc_threshold": ("features with ICC > 0.90 (excellent stability) were selected", 0.9),
    "published.univariable_p": ("The P value threshold for the significant features was set at 0.05", 0.05),
    "published.lasso_folds": ("with penalty parameter tuning conducted by 5-fold cross-validation", 5),
    "published.classifiers": (
        "logistic regression (LR), support vector machine (SVM), k-nearest neighbor (KNN), extreme gradient Boosting "
        "(XG-Boost), and multilayer perceptron (MLP)",
        ["LR", "SVM", "KNN", "XGB", "MLP"],
    ),
    "published.combined_classifier": ("using the proposed best-performing ML classifier", "best"),
    "published.fusion_network": ("We identified the DL model with the best performance", "best"),
    "published.optimiser": ("minimized by the gradient descent algorithm", "sgd"),
    "published.learning_rate": ("The learning rate was initialized by 1e-4", 1e-4),
    "published.momentum": ("momentum of 0.9", 0.9),
    "published.batch": ("the batch size was 64", 64),
    "published.class_weights": ("a weighted approach for each class in the crossentropy loss", True),
    "published.agreement_words": (r"$\kappa > 0.80$, excellent; 0.60 <", "four_words"),
    "published.clinical_p": ("P value of < 0.05 were further included in the multivariate logistic", 0.05),
    "published.risk_factor_model": (
        "P value of < 0.05 were further included in the multivariate logistic",
        "significant",
    ),
}
# Table 1: the rows of each variable that is cut.
ZHAO_CODING = {
    **{"afp": ("> 400", {"above": 400, "unit": "IU/mL"}), "alt": ("≤ 50", 50), "ast": ("≤ 40", 40)},
    **{"ggt": ("≤ 60", 60), "bilirubin": ("≤ 19", 19), "albumin": ("≥ 40", {"at_least": 40})},
    **{"diameter": ("≤ 5 cm", 50), "tumour_number": ("Unifocal", 1), "age": ("Age (years, mean ± SD)", None)},
}
PAPERS = {
    "cui2022": (CUI, CUI_CODING),
    "wang2022": (WANG, {}),
    "yan2023": (YAN, {}),
    "zhang2025": (ZHANG, ZHANG_CODING),
    "zhao2024": (ZHAO, ZHAO_CODING),
}
# A mark that names an entry of the config, whose own settings are tested; and what another test measures.
NAMES = re.compile(r"crops\.\w+\.grid|radiomics\.\w+\.grid|published\.(split|crops|radiomics|unet|clinical)")
ELSEWHERE = {
    ("cui2022", "published.networks"): "layers and 15,762,242 parameters: tests/unit/test_cui2022_deep.py",
}


def marks(paper: str) -> dict[str, object]:
    """Value of every setting of the published preset that is marked `stated`, by its key."""
    raw = yaml.safe_load((REPOSITORY / f"config/papers/{paper}.yaml").read_text())
    found = {}
    for row in sourced_values(raw):
        key = row["key"].removeprefix("entries.").removeprefix("settings.")
        entry = key.split(".")[1] if "." in key else ""
        if row["source"] == "stated" and not entry.endswith("_demo") and entry not in DEMO_GRIDS:
            found[key] = row["value"]
    return found


# Grids of the demo preset that bear no `_demo` in their names.
DEMO_GRIDS = {"iso2", "iso2_to_arterial"}
ROWS = [(paper, key, *row) for paper, (rows, _) in PAPERS.items() for key, row in rows.items()]
CODINGS = [(paper, key, *row) for paper, (_, coding) in PAPERS.items() for key, row in coding.items()]


@pytest.mark.parametrize("paper", PAPERS)
def test_every_mark_has_the_papers_words_or_another_test(paper):
    known = {*PAPERS[paper][0], *(key for other, key in ELSEWHERE if other == paper)}
    untested = {key for key in marks(paper) if not NAMES.fullmatch(key)} - known
    assert not untested, "marked `stated` without the words that state it"
    assert not known - set(marks(paper)), "tested as stated, and no longer marked so"


@pytest.mark.parametrize(("paper", "key", "words", "expected"), ROWS)
def test_the_value_is_what_the_paper_states(paper, key, words, expected):
    value = marks(paper)[key]
    # Where only the names are stated, the settings of each are chosen and marked so.
    found = set(value) if isinstance(expected, set) else value
    assert found == expected or (isinstance(expected, set) and found >= expected)


@pytest.mark.parametrize(("paper", "variable", "words", "expected"), CODINGS)
def test_clinical_variables_are_cut_where_the_papers_table_cuts_them(paper, variable, words, expected):
    raw = yaml.safe_load((REPOSITORY / f"config/papers/{paper}.yaml").read_text())
    assert plain_values(raw["settings"]["published"]["clinical"])[variable] == expected


def squeezed(text: str) -> str:
    """Text without the breaks, tags and hyphens of its typesetting."""
    return re.sub(r"\s+", " ", re.sub(r"</?\w+>", "", text)).casefold()


@pytest.mark.shared_data
@pytest.mark.skipif(not TEXTS.is_dir(), reason="the papers' texts do not lie beside the project (../shared/papers)")
@pytest.mark.parametrize("paper", PAPERS)
def test_the_words_stand_in_the_paper(paper):
    text = squeezed((TEXTS / f"{paper}.txt").read_text())
    rows = [*PAPERS[paper][0].items(), *PAPERS[paper][1].items()]
    absent = [f"{key}: {words}" for key, (words, _) in rows if squeezed(words) not in text]
    assert not absent
