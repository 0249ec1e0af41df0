"""What the steps of Yan 2023 take of its settings (methods/yan2023/fits.py)."""

from __future__ import annotations

from hcc_recurrence.methods.yan2023.fits import NOMOGRAMS, PUBLISHED_FIT, RANKING, TABLES, named_weights, ranked


def test_a_ranking_has_the_settings_of_its_own_selector_alone():
    settings = {"selectors": {"ANOVA": {}, "Relief": {"neighbours": 3}}, "fusion": "mean"}
    grid = {"inner_folds": 2, "spearman_p": 0.05}
    found = ranked(grid, settings, "Relief")
    assert list(found.items()) == [*grid.items(), ("selectors", {"Relief": {"neighbours": 3}})]
    assert "selectors" not in grid


def test_weights_are_named_where_there_is_a_file_of_them():
    assert named_weights({"networks": {"VGG19": {"weights": "weights/vgg19.pth"}}}) == {"VGG19": "weights/vgg19.pth"}
    assert named_weights({"networks": {"VGG19": {"weights": ""}}}) == {}
    assert named_weights({"networks": {"VGG19": {"weights": None}}}) == {}


def test_names_of_files_and_models():
    """As results of earlier versions are called, so that they stay valid."""
    assert str(PUBLISHED_FIT) == "as_published.1.0.validation"
    assert RANKING.format(phase="portal", selector="ANOVA") == "grid/portal.ANOVA"
    assert TABLES == ("scores", "choices", "steps")
    assert {ending: (model, differ) for ending, (model, _, differ) in NOMOGRAMS.items()} == {
        "clinical": ("Clinical-nomogram", False),
        "deep": ("DL-nomogram", True),
        "preoperative": ("DL-nomogram preoperative", True),
    }
