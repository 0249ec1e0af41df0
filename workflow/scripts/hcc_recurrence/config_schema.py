"""A config against its JSON schema: violations in words for the person who wrote it, and defaults."""

from __future__ import annotations

import copy
import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from hcc_recurrence.problems import Problem

if TYPE_CHECKING:
    from jsonschema import ValidationError

# JSON schema's types in words.
KINDS = {
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "boolean": "true or false",
    "object": "a map of keys and values",
    "array": "a list",
}

# What a schema says of maps: where a value breaks it, it is meant as a map.
_OF_MAPS = ("required", "additionalProperties")


def kind_of(value: Any) -> str:
    """What a value is, in words."""
    if value is None:
        return "empty"
    for types, words in (
        (bool, "true or false"),
        (int | float, "a number"),
        (str, "text"),
        (Mapping, "a map"),
        (list, "a list"),
    ):
        if isinstance(value, types):
            return words
    return type(value).__name__


def _type_words(error: ValidationError) -> tuple[str, str]:
    """What is wrong and what to do where a value has another type than the schema's."""
    value, wanted = error.instance, error.validator_value
    needed = KINDS.get(wanted, str(wanted))
    what = (
        f"{str(value)[:80]!r} is {kind_of(value)}; {needed} is needed"
        if value is not None
        else f"is empty; {needed} is needed"
    )
    text = str(value).strip()
    if isinstance(value, str) and wanted in ("integer", "number"):
        try:
            number = float(text)
            exponent = "e" in text.lower() and "." not in text
            return what, "write 1.0e-4, not 1e-4" if exponent else f"write {number:g} without quotes"
        except ValueError:
            return what, f"write {needed}"
    if isinstance(value, str) and wanted == "boolean":
        return what, "write true or false, without quotes"
    if wanted == "string" and isinstance(value, bool | int | float):
        return what, 'put it in quotes, as in "1" or "no"'
    if wanted == "array" and value is not None and not isinstance(value, Mapping):
        return what, f"write [{text}]"
    return what, f"write {needed}" if value is not None else "give it a value, or remove the line"


def _unknown_keys(error: ValidationError) -> list[tuple[str, str]]:
    known = sorted(error.schema.get("properties", {}))
    found = []
    for key in sorted(set(error.instance) - set(known), key=str):
        close = difflib.get_close_matches(str(key), known, 1)
        hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(known)}"
        found.append((f"unknown key {key!r}", f"remove it; {hint}"))
    return found


def _words(error: ValidationError) -> tuple[str, str]:
    """What is wrong and what to do, of a violation that is not an unknown key."""
    described = error.schema.get("description", "") if isinstance(error.schema, Mapping) else ""
    also = f"; {described}" if described else ""
    if error.validator == "type":
        what, remedy = _type_words(error)
        return what, remedy + also
    if error.validator == "enum" and isinstance(error.instance, str):
        known = [str(value) for value in error.validator_value]
        close = difflib.get_close_matches(error.instance.strip().lower(), known, 1, 0.75)
        if close:
            return error.message[:300], f"did you mean {close[0]!r}?" + (f" ({described})" if described else "")
    if error.validator in ("anyOf", "oneOf"):
        return f"{str(error.instance)[:80]} cannot be used", "correct the value" + also
    if error.validator == "required":
        name = error.message.split("'")[1]
        return f"lacks the key {name!r}", f"add it: {', '.join(error.validator_value)} are needed"
    if error.validator == "pattern":
        return f"the name {error.instance!r} cannot be used", "letters, digits and _, beginning with a letter or digit"
    if error.validator in ("minItems", "minProperties") and not error.instance:
        return "is empty", "give it at least one entry" + also
    return error.message[:300], "correct the value" + also


def place(path: Iterable[str | int]) -> str:
    """A key's path as a person counts: `studies[1].phases` is of the first study."""
    return "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def _innermost(errors: Iterable[ValidationError]) -> Iterator[ValidationError]:
    """Of a value that fits none of several forms, what keeps it from the one form that it is meant as."""
    for error in errors:
        inner = [one for one in error.context or [] if one.relative_path or one.validator in _OF_MAPS]
        if error.validator in ("anyOf", "oneOf") and len({one.relative_schema_path[0] for one in inner}) == 1:
            yield from _innermost(inner)
        else:
            yield error


def schema_problems(value: Any, schema: Mapping[str, Any], source: str) -> list[Problem]:
    """Every violation of a JSON schema, with the key's path and the nearest known key."""
    from jsonschema import Draft202012Validator

    problems = []
    for error in _innermost(Draft202012Validator(schema).iter_errors(value)):
        where = place(error.absolute_path) or "the top level"
        if error.validator == "additionalProperties":
            found = [(f"{what} in {where}", remedy) for what, remedy in _unknown_keys(error)]
        else:
            what, remedy = _words(error)
            found = [(f"{where}: {what}", remedy)]
        problems += [Problem("", "", source, what, remedy) for what, remedy in found]
    return problems


def fill_defaults(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any]) -> Any:
    """A copy of `value` with the schema's defaults filled in, through maps and lists.

    Keys that the schema names come in its order: the order in which a user wrote them must repeat no job.
    """
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rsplit("/", 1)[1]]
    if isinstance(value, Mapping):
        filled = {}
        properties = schema.get("properties", {})
        extra = schema.get("additionalProperties", {})
        for key, item in value.items():
            below = properties.get(key, extra if isinstance(extra, Mapping) else {})
            filled[key] = fill_defaults(item, below, root)
        for key, below in properties.items():
            if key not in filled and "default" in below:
                filled[key] = copy.deepcopy(below["default"])
        named = [key for key in properties if key in filled]
        return {key: filled[key] for key in (*named, *(k for k in filled if k not in properties))}
    if isinstance(value, list):
        return [fill_defaults(item, schema.get("items", {}), root) for item in value]
    return value
