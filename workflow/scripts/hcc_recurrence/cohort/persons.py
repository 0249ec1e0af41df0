"""Whose a DICOM file is, compared without keeping what its header says: hashes with a secret key, and no names."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

# What anonymisers write instead of a PatientID, without anything but letters and digits.
PLACEHOLDERS = re.compile(
    r"(anon(ym(ous|i[sz]ed|e)?)?|unknown|none|null|nil|na|nan|no(id|name|patientid)?|patient(id|name)?|de-?identified"
    r"|removed|hidden|redacted|confidential|deleted|blank|empty|unnamed|dummy|test|匿名|未知|无|0+|x+)",
    re.IGNORECASE,
)
PERSON_TAGS = ("PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyDate")
# An examination may go on past midnight.
SAME_EXAMINATION_DAYS = 1
# Birth dates before this are what anonymisers write.
FIRST_BIRTH_YEAR = 1901


def secret_of(file: Path) -> bytes:
    """A secret of 128 bits, drawn once and kept where its owner alone reads it: without it nobody can try all numbers
    of a hospital."""
    if not file.is_file():
        file.parent.mkdir(parents=True, exist_ok=True)
        with (
            contextlib.suppress(FileExistsError),
            os.fdopen(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as stream,
        ):
            stream.write(secrets.token_hex(16))
    return file.read_text().strip().encode()


def pseudonym(patient: str, salt: bytes) -> str:
    """A patient's name in all sheets: the same whenever the same salt is used, whoever else is found."""
    return "P" + hashlib.blake2b(patient.encode(), key=salt, digest_size=4).hexdigest().upper()


def usable_id(patient_id: str) -> str:
    """A PatientID for comparison, without case and leading zeros; empty where it is blank, starred or a placeholder."""
    letters = re.sub(r"[\W_]+", "", patient_id)
    if not letters or PLACEHOLDERS.fullmatch(letters):
        return ""
    return letters.casefold().lstrip("0")


def person_facts(data: Mapping[str, Any] | Any, key: bytes) -> dict[str, Any]:
    """What a header says of person and examination, as keyed hashes; without what it does not say.

    Args:
        data: a pydicom data set with `PERSON_TAGS`. key: of `secret_of`.

    Returns: id, birth_year, birth_day (not where it is 1 January, which anonymisers write), sex, study; day: of the
        study, counted from a day that the key decides.
    """

    def text(tag: str) -> str:
        return str(data.get(tag) or "").strip()

    def hashed(what: str) -> str:
        return hashlib.blake2b(what.encode(), key=key, digest_size=8).hexdigest()

    found: dict[str, Any] = {}
    if usable_id(text("PatientID")):
        found["id"] = hashed(f"id {usable_id(text('PatientID'))}")
    birth = re.fullmatch(r"(\d{4})(\d{4})", text("PatientBirthDate"))
    if birth and int(birth[1]) >= FIRST_BIRTH_YEAR:
        found["birth_year"] = hashed(f"year {birth[1]}")
        if birth[2] != "0101":
            found["birth_day"] = hashed(f"birth {birth[0]}")
    if text("PatientSex") in ("F", "M"):
        found["sex"] = hashed(f"sex {text('PatientSex')}")
    if text("StudyInstanceUID"):
        found["study"] = hashed(f"study {text('StudyInstanceUID')}")
    with contextlib.suppress(ValueError):
        day = re.fullmatch(r"(\d{4})(\d{2})(\d{2})", text("StudyDate"))
        if day:
            found["day"] = date(*map(int, day.groups())).toordinal() + int.from_bytes(key[:4]) % 10**6
    return found


def contradictions(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """What two headers say differently of the person: `PatientID`, `birth date`, `sex`; empty where nothing is."""

    def differ(what: str) -> bool:
        return what in one and what in other and one[what] != other[what]

    birth = differ("birth_year") or differ("birth_day")
    told = {"PatientID": differ("id"), "birth date": birth, "sex": differ("sex")}
    return [name for name, wrong in told.items() if wrong]


def days_apart(one: Mapping[str, Any], other: Mapping[str, Any]) -> int:
    """Days between two examinations; 0 where they are one study, or a day is not known."""
    if one.get("study") == other.get("study") or "day" not in one or "day" not in other:
        return 0
    return abs(one["day"] - other["day"])
