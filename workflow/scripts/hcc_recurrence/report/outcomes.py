"""What the report says is predicted: the run's endpoint, or those of its cohorts, and never another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hcc_recurrence.endpoint import EARLY_RECURRENCE, Endpoint, capital


def outcomes_of(comparisons: Sequence[Mapping[str, Any]]) -> list[Endpoint]:
    """The endpoints of the run, each once, in the order of its comparisons.

    Args: comparisons: with `endpoint`, the words of that of the cohort.
    """
    return list(dict.fromkeys(Endpoint(**own["endpoint"]) for own in comparisons))


def phrase(outcome: Endpoint) -> str:
    """`early recurrence after resection`; an outcome without times has no beginning that it is counted from."""
    return f"{outcome.name} after {outcome.start}" if outcome.has_times else outcome.name


def title(outcomes: Sequence[Endpoint]) -> str:
    """The name of the page: what is predicted in the run."""
    return capital("; ".join(map(phrase, outcomes)))


def question(outcomes: Sequence[Endpoint]) -> str:
    """The question of the first page; of several outcomes none is named as if it were that of all cohorts."""
    what = phrase(outcomes[0]) if len(outcomes) == 1 else "the outcome of each cohort"
    return f"Which method predicts {what}, and better than a clinical score?"


def outcomes_words(comparisons: Sequence[Mapping[str, Any]]) -> str:
    """What the outcome is and until when, of each cohort where they differ, and what the methods were published for."""
    told = {own["title"]: _told(Endpoint(**own["endpoint"]), own["horizon"]) for own in comparisons}
    outcomes = outcomes_of(comparisons)
    if outcomes == [EARLY_RECURRENCE]:
        return f"Early: within {' or '.join(sorted({own['horizon'] for own in comparisons}))}."
    if len(set(told.values())) == 1:
        words = f"Outcome: {next(iter(told.values()))}."
    else:
        of_each = "; ".join(f"{cohort}: {words}" for cohort, words in told.items())
        different = "Cohorts have different outcomes" if len(outcomes) > 1 else "Outcome"
        words = f"{different}. {of_each}."
    return f"{words} The methods were published for {phrase(EARLY_RECURRENCE)} of hepatocellular carcinoma."


def _told(outcome: Endpoint, horizon: str) -> str:
    return f"{outcome.name} ({horizon} after {outcome.start})" if outcome.has_times else f"{outcome.name} (no times)"
