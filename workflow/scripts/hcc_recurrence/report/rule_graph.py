"""The graph of the rules as a drawing: a rule stands right of all that it needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

COLUMN, ROW, WIDTH, HEIGHT = 225, 34, 185, 24


def layers(names: Sequence[str], links: Sequence[Sequence[str]]) -> list[list[str]]:
    """The rules in columns: each as far to the right as the longest way to it is long.

    Args:
        names: in an order in which no rule stands before one that it needs. links: (rule that is needed, rule).
    """
    before: dict[str, set[str]] = {name: set() for name in names}
    for source, target in links:
        if source != target:
            before[target].add(source)
    depth: dict[str, int] = {}
    for name in names:
        depth[name] = 1 + max((depth[other] for other in before[name] if other in depth), default=-1)
    columns: list[list[str]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for name in names:
        columns[depth[name]].append(name)
    # Beside what they need, so that fewer lines cross.
    place = {name: row for column in columns for row, name in enumerate(column)}
    for column in columns[1:]:
        column.sort(key=lambda name: sum(place[b] for b in before[name]) / max(len(before[name]), 1))
        place.update({name: row for row, name in enumerate(column)})
    return columns


def drawing(rules: Sequence[Mapping[str, Any]], links: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Boxes (name, jobs, x, y) and lines of the graph, with the size of the whole, in pixels."""
    columns = layers([rule["name"] for rule in rules], links)
    jobs = {rule["name"]: rule["jobs"] for rule in rules}
    tallest = max(map(len, columns), default=0)
    at = {
        name: (COLUMN * left, ROW * row + ROW * (tallest - len(column)) // 2)
        for left, column in enumerate(columns)
        for row, name in enumerate(column)
    }
    boxes = [{"name": name, "jobs": jobs[name], "x": x, "y": y} for name, (x, y) in at.items()]
    lines = []
    for source, target in links:
        (x0, y0), (x1, y1) = at[source], at[target]
        if source != target:
            ends = (x0 + WIDTH, y0 + HEIGHT / 2, (x0 + WIDTH + x1) / 2, (x0 + WIDTH + x1) / 2, y1 + HEIGHT / 2, x1)
            lines.append("M{0},{1} C{2},{1} {3},{4} {5},{4}".format(*(f"{v:g}" for v in ends)))
    size = (COLUMN * len(columns), ROW * tallest)
    return {"boxes": boxes, "lines": lines, "width": size[0], "height": size[1], "box": (WIDTH, HEIGHT)}
