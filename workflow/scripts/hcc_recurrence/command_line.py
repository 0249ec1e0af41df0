"""What a person typed, looked at before Snakemake reads it: config files, `--config` values, targets.

This module alone knows how Snakemake's command line behaves. It imports nothing of the package: the environment's
small plugin (`envs/snakemake_logger_plugin_command_line`) runs it as Snakemake starts, since a config file that cannot
be read ends there in a traceback, or in words without a line, before the Snakefile is looked at. Without the plugin
(another environment) Snakemake's own words remain; what can be read is checked again when the Snakefile is.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

# Options that take every word up to the next option, and so a target that follows them (argparse: nargs="+").
FILES, PAIRS = ("--configfile", "--configfiles"), ("--config", "-C", "--resources", "--res", "--set-threads")
PAIRS += ("--set-resources", "--default-resources", "--default-res", "--groups", "--group-components", "--set-scatter")
GREEDY = {**dict.fromkeys(FILES, "a config file"), **dict.fromkeys(PAIRS, "key=value")}
# Of a key that stands twice in one map.
DOUBLE = "stands twice; one would be lost"
# Characters that an input method writes in place of ASCII; YAML takes them for text.
LOOKALIKES = {"：": ":", "，": ",", "｛": "{", "｝": "}", "［": "[", "］": "]", "\u00a0": "space", "\u3000": "space"}


def _shown(text: str, line: int) -> str:
    """A line of a text, from 0, short enough to print."""
    lines = text.splitlines()
    return lines[line].strip()[:80] if 0 <= line < len(lines) else ""


def _lookalike(line: str) -> str:
    """A hint where a line holds a character that only looks like YAML's; else empty."""
    for character, meant in LOOKALIKES.items():
        if character in line:
            name = f"{character!r}" if character.strip() else f"a blank that is none (U+{ord(character):04X})"
            return f"the line holds {name}; write {'an ordinary blank' if meant == 'space' else repr(meant)}"
    return ""


def _scanner_words(error: yaml.MarkedYAMLError, text: str) -> tuple[str, str]:
    """What is wrong and what to do, of an error of PyYAML, with its place."""
    mark, begun = error.problem_mark or error.context_mark, error.context_mark
    if begun and "could not find expected ':'" in str(error.problem):
        # The mark of the problem is where the next line begins.
        mark = begun
    line = mark.line if mark else 0
    whole = text.splitlines()[line] if line < len(text.splitlines()) else ""
    where = f"line {line + 1}, column {mark.column + 1 if mark else 1} ({_shown(text, line)!r})"
    said = " ".join(filter(None, [error.context, error.problem]))
    if "\t" in whole[: len(whole) - len(whole.lstrip())] or "'\\t'" in said:
        return f"{where}: a tab; YAML is indented by blanks alone", "replace the tab with blanks"
    if hint := _lookalike(whole):
        return f"{where}: is no YAML", hint
    if "unknown escape" in said:
        return f"{where}: a backslash between double quotes", "write / in paths, or single quotes"
    if "mapping values are not allowed" in said:
        return f"{where}: a second colon, or a wrong indentation", "put text with a colon in quotes; indent as above"
    if any(w in said for w in ("undefined alias", "an alias", "an anchor", "found character", "find expected ':'")):
        return f"{where}: {said}", "put text that begins with * & @ ` % or ! in quotes; write `key: value`"
    since = f" (what is not closed begins in line {begun.line + 1})" if begun and begun.line != line else ""
    remedy = "look for a bracket or quote that is not closed, or for a wrong indentation, here or above"
    return f"{where}: {said}{since}", remedy


def _double_keys(node: yaml.Node | None, above: str = "") -> Iterator[tuple[str, int]]:
    """Path and line, from 1, of each key that stands twice in one map; the latter would silently win."""
    if isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value, 1):
            yield from _double_keys(item, f"{above}[{number}]")
    elif isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            name = str(key.value)
            path = f"{above}.{name}" if above else name
            line = key.start_mark.line + 1
            if name in seen and name != "<<":
                yield f"{path} (lines {seen[name]} and {line})", line
            seen.setdefault(name, line)
            yield from _double_keys(value, path)


def config_problems(text: str) -> list[tuple[str, str]]:
    """(What is wrong, what to do) of the text of a config file, YAML or JSON; empty where it is a map of keys."""
    doubled: list[str] = []
    try:
        whole = json.loads(text, object_pairs_hook=lambda pairs: _json_map(pairs, doubled))
        is_json = isinstance(whole, dict)
    except ValueError:
        is_json = False
    try:
        # Compose, then construct: an impossible date is met only in the second.
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        if not is_json and node is not None:
            doubled = [path for path, _ in _double_keys(node)]
            loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        if not is_json:
            return [_scanner_words(error, text)]
        node = None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        return [(f"line {line}: a character that YAML does not allow (U+{error.character:04X})", "remove it")]
    except (ValueError, TypeError) as error:
        return [(f"holds a value that means nothing: {error}", "put it in quotes, or correct it (a date: 2018-01-31)")]
    if not is_json and not isinstance(node, yaml.MappingNode):
        if node is None:
            return [("is empty", "begin with a copy of config/example_own_patients.yaml")]
        kind = "a list" if isinstance(node, yaml.SequenceNode) else "text"
        hint = _lookalike(_shown(text, node.start_mark.line))
        return [(f"is {kind}, not keys with values", hint or "write keys such as `studies:` at the top level")]
    return [(f"the key {path} {DOUBLE}", "remove one of them") for path in doubled]


def _json_map(pairs: list[tuple[str, Any]], doubled: list[str]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    doubled += sorted({name for name in names if names.count(name) > 1})
    return dict(pairs)


def config_file_problems(path: str | Path) -> list[tuple[str, str]]:
    """The same of a file, which may be absent, unreadable or in another encoding than UTF-8."""
    try:
        return config_problems(Path(path).read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        return [("is not written in UTF-8", "save it as UTF-8 (in an editor: Save as, encoding)")]
    except FileNotFoundError:
        return [("there is no such file", "correct the path; it starts from the folder that snakemake is started in")]
    except IsADirectoryError:
        return [("is a folder", "name the config file in it")]
    except OSError as error:
        return [(f"cannot be read ({error.strerror})", "look at its permissions")]


def greedy_words(argv: Sequence[str]) -> dict[str, list[str]]:
    """Option -> the words that it takes, of the options that take every word up to the next option."""
    found: dict[str, list[str]] = {}
    option = ""
    for word in argv:
        name, _, value = word.partition("=")
        if word == "--":
            break
        if word.startswith("-") and not re.match(r"-\d", word):
            option = name if name in GREEDY else ""
            if option and value:
                found.setdefault(option, []).append(value)
                option = ""
        elif option:
            found.setdefault(option, []).append(word)
    return found


def repeated_options(argv: Sequence[str]) -> list[str]:
    """A sentence on `--configfile` or `--config` given twice: Snakemake takes the last one alone, without a word."""
    words = [word.partition("=")[0] for word in (argv[: argv.index("--")] if "--" in argv else argv)]
    found = []
    for names, example in ((FILES, "--configfile one.yaml two.yaml"), (PAIRS[:2], "--config a=1 b=2")):
        if sum(word in names for word in words) > 1:
            found.append(f"{names[0]} stands twice; only the last would count. What to do: write {example}.")
    return found


def command_line_problems(argv: Sequence[str], config: Path | None = None) -> list[str]:
    """What is wrong with the words after `snakemake`, one sentence each with its remedy; config files are read.

    Args:
        argv: the words, without the program's own name. config: the workflow's own config file.
    """
    problems = repeated_options(argv)
    options = greedy_words(argv)
    asked = {"-h", "--help", "-v", "--version"} & set(argv)
    if (
        config is not None
        and not config.is_file()
        and not asked
        and not {"--configfile", "--configfiles"} & set(options)
    ):
        problems.append(
            f"there is no config: {config} is not in this folder. What to do: name yours (snakemake all --cores 8 "
            "--configfile mine.yaml), or start in the workflow's own folder for the demo."
        )
    if config is not None and config.is_file():
        problems += [f"{config}: {what}. What to do: {remedy}." for what, remedy in config_file_problems(config)]
    for option, words in options.items():
        files = GREEDY[option] == "a config file"
        for number, word in enumerate(words):
            wanted = Path(word).exists() if files else "=" in word
            named = Path(word).suffix.lower() in (".yaml", ".yml", ".json")
            begun = next((w for w in words[:number] if w.count("{") > w.count("}")), "")
            if not files and begun:
                if word == words[words.index(begun) + 1]:
                    problems.append(
                        f"{option} {begun} {word}: a value with blanks. What to do: put the value in quotes, as in "
                        f"{option} 'masks={{source: unet}}'."
                    )
            elif not files and named and not wanted:
                problems.append(f"{option} {word}: a file. What to do: write --configfile {word}.")
            elif not wanted and not named and (number or not files):
                taken = (
                    f"{option} takes every word up to the next option, so that {word!r} is taken for {GREEDY[option]}"
                )
                problems.append(
                    f"{taken}. What to do: write the target first: snakemake {word} --cores 8 {option} {words[0]}"
                    if "=" in words[0] or files
                    else f"{taken}. What to do: write {option} key=value."
                )
            elif files:
                problems += [f"{word}: {what}. What to do: {remedy}." for what, remedy in config_file_problems(word)]
    return problems


def typed_values(entries: Sequence[str], texts: Collection[str] = ()) -> dict[str, Any]:
    """The values of `--config key=value`, as YAML would read them in a file.

    Snakemake itself reads `true` and what is inside `{}` as text, so that `keep_going=true` or
    `masks={source: unet}` with a number or a switch would be refused.

    Args:
        entries: as typed. texts: keys whose value is text whatever it looks like, such as a folder called 2019.

    Raises: ValueError with a sentence where a value is no YAML.
    """
    values: dict[str, Any] = {}
    for entry in entries:
        key, _, text = entry.partition("=")
        if key in texts:
            values[key] = text
            continue
        try:
            values[key] = yaml.safe_load(text)
        except (yaml.YAMLError, ValueError):
            raise ValueError(f"--config {key}={text}: is no YAML; put it in quotes: '{key}={{name: value}}'") from None
        if isinstance(values[key], str):
            # YAML 1.1 takes 1e-4 for text.
            try:
                values[key] = float(text)
            except ValueError:
                continue
    return values


def near_targets(target: str, rules: Collection[str], names: Mapping[str, str] | None = None) -> str:
    """A sentence on a target that nothing makes: the nearest known ones.

    Args:
        target: as typed. rules: names of rules that can be asked for. names: further words that a person may mean, such
            as a cohort -> what to write in its place.
    """
    wrong = f"nothing makes the target {target!r}. What to do: "
    if target in (names or {}):
        return wrong + f"{names[target]}."
    if target.endswith((".yaml", ".yml")):
        return wrong + f"write --configfile {target}, after the target."
    if "=" in target:
        return wrong + f"write --config {target}, after the target."
    close = difflib.get_close_matches(target, sorted(rules), 3, 0.5)
    if "/" in target:
        path = "correct the path (docs/architecture.md, section 2, lists what a run makes)"
        return f"{wrong}{path}, or ask for `all`, which makes everything."
    if close:
        return wrong + f"did you mean {' or '.join(close)}?"
    return wrong + f"known are {', '.join(sorted(rules))}."


# With one of these nothing is run, and nothing need be writable.
LOOKING = {"--dry-run", "--dryrun", "--lint", "--summary", "-S", "--detailed-summary", "-D", "--dag", "--rulegraph"}
LOOKING |= {"--filegraph", "--d3dag", "--list", "-l", "--list-rules", "--list-target-rules", "--lt", "--list-changes"}
LOOKING |= {"--list-untracked", "--unlock", "--report", "--print-compilation", "--containerize", "--cleanup-metadata"}


def runs_jobs(argv: Sequence[str]) -> bool:
    """Whether the words ask for a run, not for a look at one (`-n`, also in `-np`)."""
    words = argv[: argv.index("--")] if "--" in argv else argv
    return not any(w.partition("=")[0] in LOOKING or re.fullmatch(r"-[a-zA-Z]*n[a-zA-Z]*", w) for w in words)


def typed_targets(argv: Sequence[str], known: Collection[str]) -> list[str]:
    """The targets and rules (of `--until`, `--forcerun`, `--omit-from`) that are unknown, by Snakemake's own parser.

    The parser takes a fifth of a second to make, so it is asked only where a word could be such a target.
    """
    if not any(_may_be_target(word) and word not in known for word in argv):
        return []
    # Not where the plugin runs this file, outside its package.
    from hcc_recurrence.snakemake_inside import parsed_words

    parsed = parsed_words(argv)
    asked = (parsed.targets, parsed.forcerun, parsed.until, parsed.omit_from)
    return [str(target) for targets in asked for target in targets or [] if str(target) not in known]


def _may_be_target(word: str) -> bool:
    return not (word.startswith("-") or word.isdigit() or "=" in word or Path(word).exists())


# Rules and results that need no split of the patients: sheets, labels, images, masks and what is measured in them.
NO_SPLIT = {"preflight", "list_problems", "discover", "build_public_sheets", "leftovers", "remove_leftovers", "why"}
NO_SPLIT_FILE = re.compile(
    r"(^|/)(preflight/[^/]+|[A-Za-z0-9_-]+/(labels\.(csv|html)|(simulated|images|masks|registration|quality|crops|"
    r"radiomics)/.+))$"
)


def asks_without_split(argv: Sequence[str]) -> bool:
    """Whether all targets can be made without a split of the patients, by Snakemake's own parser."""

    def without(word: str) -> bool:
        return word in NO_SPLIT or bool(NO_SPLIT_FILE.search(word))

    if not any(map(without, argv)):
        return False
    # Not where the plugin runs this file, outside its package.
    from hcc_recurrence.snakemake_inside import parsed_words

    parsed = parsed_words(argv)
    return bool(parsed.targets) and all(without(str(target)) for target in parsed.targets)
