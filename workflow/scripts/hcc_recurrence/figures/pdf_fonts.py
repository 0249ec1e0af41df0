"""Fonts inside PDF files without the tables of a text editor.

matplotlib places every letter itself. It still embeds, and first takes apart, what an editor would need to do so:
kerning, ligatures, classes of glyphs. That is a sixth of the time of a figure, and no reader of a PDF looks at it.
"""

from __future__ import annotations

# Positions and replacements of glyphs, what those two speak of, and formulas.
LAYOUT_TABLES = ("GPOS", "GSUB", "GDEF", "MATH")


def drop_layout_tables() -> None:
    """Let fontTools leave these tables out of every font that it reduces from now on; text stays text.

    A reach into fontTools: matplotlib hands it options of its own, and only their defaults can be changed from outside.
    Where a later version has no such list, fonts keep their tables (tests/unit/test_figure_files.py notices).
    """
    from fontTools.subset import Options

    defaults = getattr(Options, "_drop_tables_default", None)
    if defaults is not None:
        Options._drop_tables_default = list(dict.fromkeys([*defaults, *LAYOUT_TABLES]))
