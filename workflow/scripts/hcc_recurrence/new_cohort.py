"""Write a config and the three sheets for somebody's own patients, from five answers: `make init`.

    make init
    make init NAME=ours MODALITY=MR PHASES=arterial,portal,delayed ROOT=/data/dicom METHODS=zhao2024

Nothing is ever overwritten. What has to be filled in by a person stays empty, and `preflight` names it.
"""

from __future__ import annotations

import argparse
import csv
import functools
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from hcc_recurrence.cohort.dicom_folders import check_root
from hcc_recurrence.files import read_yaml
from hcc_recurrence.methods.contract import declared
from hcc_recurrence.problems import Refused, counted

REPOSITORY = Path(__file__).resolve().parents[3]
PHASES = ("precontrast", "arterial", "portal", "delayed", "hepatobiliary")
MODALITIES = ("CT", "MR")
# Folders of a run, which may not be there yet.
TAKEN = ("results", "logs", "benchmarks", "resources", "discovered", "site")
# What nobody can answer for a person, and so has to be given where there is no terminal to ask on.
NEEDED = ("name", "modality", "phases")
# The one place, left by `discover`, with the hospital's numbers beside the names of the sheets.
KEY_FILE = "discovered/key_private.csv"
# Columns that every sheet has; the clinical ones follow in that of the patients.
COLUMNS = {
    "patients": ["patient_id", "centre", "resection_date", "recurrence_date", "last_follow_up_date"],
    "series": ["patient_id", "phase", "path"],
    "masks": ["patient_id", "phase", "reader", "path", "label"],
}
# Of a variable's definition what does not belong to the demo alone.
DEFINITION = ("column", "unit", "timing", "kind", "levels")


@dataclass(frozen=True)
class Case:
    """The five answers: name of cohort and files, CT or MR, phases, folder of DICOM (empty: none), methods."""

    name: str
    modality: str
    phases: tuple[str, ...]
    root: str
    methods: tuple[str, ...]


@functools.cache
def _read(path: str) -> dict[str, Any]:
    return read_yaml(REPOSITORY / path)


def _paper(paper: str) -> dict[str, Any]:
    return _read(f"config/papers/{paper}.yaml")


def published(paper: str) -> dict[str, Any]:
    """A paper's published settings, without their sources: phases, clinical variables, networks."""
    return {key: setting["value"] for key, setting in _paper(paper)["settings"]["published"].items()}


def papers() -> list[str]:
    """All methods by the names of their files."""
    return sorted(path.stem for path in (REPOSITORY / "config/papers").glob("*.yaml"))


def reads_hounsfield_units(paper: str) -> bool:
    """Whether a window in Hounsfield units is a setting of a paper, so that it is for CT alone."""
    entries = _paper(paper).get("entries", {})
    return any({"window", "windows"} & set(e) for kind in entries.values() for e in kind.values())


def corrects_bias(paper: str) -> bool:
    """Whether a paper corrects a bias field, which CT has not."""
    grids = _paper(paper).get("entries", {}).get("grids", {})
    return any(grid.get("bias_correction", {}).get("value", "none") != "none" for grid in grids.values())


def fitting(modality: str, phases: Sequence[str]) -> list[str]:
    """The methods that can run on these phases: those with all of theirs, or, where none has, with some."""
    wrong = corrects_bias if modality == "CT" else reads_hounsfield_units
    able = {paper: published(paper)["phases"] for paper in papers() if not wrong(paper)}
    whole = [paper for paper, wanted in able.items() if set(wanted) <= set(phases)]
    return whole or [paper for paper, wanted in able.items() if set(wanted) & set(phases)]


def definitions() -> dict[str, dict[str, Any]]:
    """What the demo says of each clinical variable: a column's name with its unit, timing, kind, levels."""
    demo = _read("config/config.yaml")["cohorts"]
    found: dict[str, dict[str, Any]] = {}
    for cohort in demo.values():
        for variable, definition in cohort["clinical"].items():
            found.setdefault(variable, {key: definition[key] for key in DEFINITION if key in definition})
    return found


def variables(case: Case) -> tuple[dict[str, dict[str, Any]], dict[str, list[str]]]:
    """Clinical variables of the methods with their definitions, and of each method those that nobody has defined."""
    known, used, lacking = definitions(), {}, {}
    for paper in case.methods:
        wanted = list(published(paper).get("clinical") or {})
        used |= {variable: known[variable] for variable in wanted if variable in known}
        lacking[paper] = [variable for variable in wanted if variable not in known]
    return used, lacking


def config_text(case: Case) -> str:
    """The config file: studies, the cohort, and comments that say what a person has to decide."""
    used, lacking = variables(case)
    lines = [
        "# yaml-language-server: $schema=config/config.schema.json",
        f"# Your own patients, begun by `make init`. Check it: .venv/bin/snakemake preflight --cores 8 --configfile "
        f"{case.name}.yaml",
        "# Each key is explained in config/README.md.",
        "preset: published   # demo: smaller and quicker, to try things out; its numbers are not the methods'",
        "studies:",
    ]
    for paper in case.methods:
        settings = published(paper)
        wanted = settings["phases"]
        lines += [f"  - paper: {paper}", f"    cohort: {case.name}"]
        whole = set(wanted) <= set(case.phases)
        if not whole:
            there = ", ".join(f"{phase}: {phase}" for phase in wanted if phase in case.phases)
            lines.append(f"    phases: {{{there}}}   # of the paper's {', '.join(wanted)}")
        optional = declared(paper).networks and not declared(paper).needs_networks
        if optional and not whole:
            lines.append("    networks: false   # they read all phases of the paper")
        elif optional:
            lines.append("    networks: true   # false: without them; at the published sizes they need a GPU, or days")
        own = ", ".join(settings.get("clinical") or {})
        lines.append(f"    without: [{', '.join(lacking[paper])}]   # those that you do not have of: {own}")
    lines += [
        "cohorts:",
        f"  {case.name}:",
        f"    title: {case.name}   # how the report calls it, such as a hospital and years",
        f"    modality: {case.modality}",
        f"    data_root: {quoted(case.root) if case.root else '.'}   # where the paths in the sheets start from",
        *(f"    {kind}: {case.name}/{kind}.csv" for kind in COLUMNS),
        "    reader: R1   # whose masks the models use",
        '    # date_format: "%d.%m.%Y"   # if the year does not come first',
        "    # carry_masks: registration   # if the tumour is drawn on one phase alone",
        "    # constants: {macrovascular_invasion: 0, extrahepatic_spread: 0}   # if these were criteria of entry",
    ]
    if used:
        lines.append(
            "    clinical:   # column: as your sheet calls it; unit: yours, values are converted to the papers'"
        )
    for variable, definition in used.items():
        flow = yaml.safe_dump(definition, default_flow_style=True, sort_keys=False, width=10**6).strip()
        lines.append(f"      {variable}: {flow}")
    return "\n".join([*lines, ""])


def quoted(path: str) -> str:
    """A path as YAML."""
    return yaml.safe_dump(path, default_style='"', width=10**6, allow_unicode=True).strip()


def drafted(root: str, cores: int) -> dict[str, list[dict[str, str]]]:
    """Rows of the sheets that `discover` drafts from a folder of DICOM.

    Raises: Refused where it ends in an error, with its last words.
    """
    place = Path("discovered")
    if any((place / f"{kind}.csv").exists() for kind in COLUMNS):
        print(f"{place}/ has drafts already: they are brought up to date where nobody changed them.")
    command = [*(sys.executable, "-m", "snakemake", "discover"), "--cores", str(cores)]
    done = subprocess.run([*command, "--config", f"dicom_root={root}"], stdout=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise Refused(
            "the folder of DICOM could not be read (its message stands above)", "correct ROOT, or leave it out"
        )
    # Imports pandas, for which nobody who drafts nothing should wait.
    from hcc_recurrence.cohort.draft_files import drafted_rows

    try:
        rows = drafted_rows(place, Path(root))
    # A draft that a person has changed.
    except ValueError as error:
        raise Refused(f"a sheet in {place}/ cannot be read: {error}", "correct it, or remove it") from None
    if rows is None:
        raise Refused(
            f"all that ROOT {root} holds was drafted from another folder before ({place}/drafted.json names it)",
            f"name that folder, or move the sheets and drafted.json out of {place}/ (key_private.csv and salt.txt "
            "stay, so that patients keep their names)",
        )
    return rows


def write_case(case: Case, rows: Mapping[str, list[dict[str, str]]], folder: Path) -> list[Path]:
    """Write the config and the sheets.

    Args: rows: of each sheet; empty where a person writes them.

    Returns: the files.

    Raises: Refused where one of them is there.
    """
    used, _ = variables(case)
    columns = {**COLUMNS, "patients": [*COLUMNS["patients"], *(d["column"] for d in used.values())]}
    files = {"config": folder / f"{case.name}.yaml"}
    files |= {kind: folder / case.name / f"{kind}.csv" for kind in COLUMNS}
    if there := [str(file) for file in files.values() if file.exists()]:
        raise Refused(f"{', '.join(there)}: there already; nothing was written", "name another cohort (NAME=...)")
    (folder / case.name).mkdir(exist_ok=True)
    # "x" refuses a file that has come since.
    with files["config"].open("x", encoding="utf-8") as stream:
        stream.write(config_text(case))
    for kind, names in columns.items():
        own = rows.get(kind, [])
        # Also what `discover` notes for the person who checks a draft.
        noted = [name for name in (own[0] if own else {}) if name not in names]
        with files[kind].open("x", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, [*names, *noted], restval="", lineterminator="\n")
            writer.writeheader()
            writer.writerows(own)
    return list(files.values())


# -- the questions -----------------------------------------------------------------------------------------------------


def checked_name(text: str) -> str:
    """A cohort's name, which becomes a folder; the config's schema takes it as well.

    Raises: Refused.
    """
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", text):
        raise Refused(f"NAME {text!r} is no name of a cohort", "use letters, digits and _, a letter first")
    if text.lower() in TAKEN:
        raise Refused(f"NAME {text!r} is a folder that the workflow writes", "name another cohort")
    return text


def checked_modality(text: str) -> str:
    """CT or MR, however written.

    Raises: Refused.
    """
    short = {"MRI": "MR"}.get(text.upper(), text.upper())
    if short not in MODALITIES:
        raise Refused(f"MODALITY {text!r} is neither CT nor MR", "write CT or MR")
    return short


def checked_words(text: str, known: Sequence[str], what: str) -> tuple[str, ...]:
    """Words of a list, in the list's order.

    Raises: Refused.
    """
    given = [word for word in re.split(r"[,\s]+", text.lower()) if word]
    if wrong := [word for word in given if word not in known]:
        raise Refused(f"{what} {', '.join(wrong)}: unknown", f"name some of {', '.join(known)}")
    if not given:
        raise Refused(f"{what}: none is named", f"name some of {', '.join(known)}")
    return tuple(word for word in known if word in given)


def checked_methods(text: str, able: Sequence[str], modality: str, phases: Sequence[str]) -> tuple[str, ...]:
    """Methods that can run, in their order.

    Raises: Refused; of a method that there is, with why it cannot run on these images.
    """
    for paper in [word for word in re.split(r"[,\s]+", text.lower()) if word in papers() and word not in able]:
        why = why_not(paper, modality, phases)
        raise Refused(f"METHODS {paper} cannot run on these images: {why}", f"name some of {', '.join(able)}")
    return checked_words(text, able, "METHODS")


def why_not(paper: str, modality: str, phases: Sequence[str]) -> str:
    """Why a method is none of those that fit."""
    if modality == "CT" and corrects_bias(paper):
        return "it is for MR: it corrects a bias field, which CT has not"
    if modality == "MR" and reads_hounsfield_units(paper):
        return "it is for CT: it has a window in Hounsfield units"
    wanted = published(paper)["phases"]
    more = " (others read no more than these)" if set(wanted) & set(phases) else ""
    return f"it reads {', '.join(wanted)}, and the phases are {', '.join(phases)}{more}"


def said_of_methods(able: Sequence[str], modality: str, phases: Sequence[str]) -> list[str]:
    """Which methods cannot run on these images and why, and which can with a part of their phases: a line each."""
    cannot = [f"{paper} ({why_not(paper, modality, phases)})" for paper in papers() if paper not in able]
    lacking = {paper: [p for p in published(paper)["phases"] if p not in phases] for paper in able}
    partly = [f"{paper} (without {', '.join(missing)})" for paper, missing in lacking.items() if missing]
    lines = [f"  Cannot run on these images: {'; '.join(cannot)}."] if cannot else []
    return lines + ([f"  Can run on a part of their phases: {'; '.join(partly)}."] if partly else [])


def checked_root(text: str) -> str:
    """An absolute path of a folder, or nothing.

    Raises: Refused.
    """
    if not text:
        return ""
    try:
        path = Path(text).expanduser()
        there = path.is_dir()
    # A home that nobody has; a folder that may not be looked into; a name that is too long.
    except (RuntimeError, OSError, ValueError):
        there = False
    remedy = "correct it, or leave it empty and write the sheets yourself"
    if not there:
        raise Refused(f"ROOT {text!r} is no folder", remedy)
    try:
        check_root(text if not text.startswith("~") else str(path), Path())
    except Refused as error:
        raise Refused(error.what.replace("dicom_root", "ROOT", 1), remedy) from None
    return str(path.resolve())


def answer(given: str | None, question: str, usual: str, check: Callable[[str], Any]) -> Any:
    """An answer from the command line, or, on a terminal, from the person, who is asked until it is one.

    Raises: Refused.
    """
    if given is not None:
        return check(given)
    if not sys.stdin.isatty():
        return check(usual)
    while True:
        try:
            return check(input(f"{question} [{usual}]: ").strip() or usual)
        except Refused as error:
            print(f"  {error}")


def asked(arguments: argparse.Namespace) -> Case:
    """The case, from the command line and from questions about what it lacks.

    Raises: Refused; also where there is no terminal and an answer lacks that no default can be right for: answers that
    come through a pipe are not read.
    """
    lacking = [name.upper() for name in NEEDED if getattr(arguments, name) is None]
    if lacking and not sys.stdin.isatty():
        raise Refused(
            f"there is no terminal to ask on, and {', '.join(lacking)} lack{'s' * (len(lacking) == 1)}",
            "make init NAME=ours MODALITY=CT PHASES=arterial,portal, or run it in a terminal",
        )
    name = answer(arguments.name, "1. A short name of the cohort", "mine", checked_name)
    modality = answer(arguments.modality, "2. CT or MR", "CT", checked_modality)
    usual = "precontrast,arterial,portal" if modality == "CT" else "arterial,portal,delayed"
    phases = answer(
        arguments.phases, f"3. Phases that you have, of {', '.join(PHASES)}", usual,
        lambda text: checked_words(text, PHASES, "PHASES"),
    )  # fmt: skip
    root = answer(arguments.root, "4. Folder of DICOM to draft the sheets from (empty: none)", "", checked_root)
    able = fitting(modality, phases)
    if not able:
        raise Refused(f"no method reads {modality} of {', '.join(phases)} alone", "name the phases that you have")
    for line in said_of_methods(able, modality, phases):
        print(line)
    methods = answer(
        arguments.methods, f"5. Methods, of {', '.join(able)}", ",".join(able),
        lambda text: checked_methods(text, able, modality, phases),
    )  # fmt: skip
    return Case(name, modality, phases, root, methods)


def main(words: Sequence[str]) -> None:
    """Ask, draft, write, and say what comes next."""
    parser = argparse.ArgumentParser(prog="make init", description=__doc__.split("\n\n")[0])
    for name in ("name", "modality", "phases", "root", "methods"):
        parser.add_argument(f"--{name}")
    try:
        case = asked(parser.parse_args(words))
        folder = Path()
        # Before a folder of DICOM is read for an hour.
        if there := [p for p in (folder / f"{case.name}.yaml", folder / case.name) if p.exists()]:
            told = ", ".join(map(str, there))
            raise Refused(f"{told}: there already; nothing was written", "name another cohort (NAME=...)")
        rows = drafted(case.root, os.cpu_count() or 1) if case.root else {}
        files = write_case(case, rows, folder)
    except Refused as error:
        sys.exit(str(error))
    except OSError as error:
        where = error.filename or case.name
        sys.exit(str(Refused(f"{where}: {error.strerror}", "run it in a folder that you may write to")))
    except (EOFError, KeyboardInterrupt):
        sys.exit("\nNothing was written.")
    print("Written: " + ", ".join(map(str, files)))
    if case.root:
        held = (counted(len({row["patient_id"] for row in rows["patients"]}), "patient"), len(rows["series"]))
        print(f"They hold {held[0]}, {held[1]} series and {counted(len(rows['masks']), 'mask')} of {case.root}.")
        print(f"The patient_id are new names: {KEY_FILE} says who is who; keep it to yourself.")
    print(f"Now fill in {case.name}/patients.csv (outcome and clinical columns), and the phases, paths and masks.")
    print(f"Then: .venv/bin/snakemake preflight --cores 8 --configfile {case.name}.yaml names what is still open.")


if __name__ == "__main__":
    main(sys.argv[1:])
