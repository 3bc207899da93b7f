"""The filters of a kept answer, in words."""

import json

import gemmi

from xtal.crystals import HIGHEST_NUMBER

MOST_LISTED = 20  # elements: where more are allowed, those that are not are told


def filters_of(settings: str) -> str:
    """Return what restricted an answer or was known of its sample, "" where nothing was.

    Args:
        settings: JSON text of `search.options.Options`, as the cache keeps it.
    """
    asked = json.loads(settings or "{}")
    request = asked.get("request") or {}
    parts = (
        _elements(asked.get("elements")),
        _listed("with", asked.get("required")),
        _listed("formula", [asked["reduced_formula"]] if asked.get("reduced_formula") else []),
        _listed("cell", [asked["formula"]] if asked.get("formula") else []),
        _listed("metal", request.get("metals")),
        _listed("linker", request.get("linkers")),
        _listed("guest", request.get("guests")),
    )
    return "; ".join(filter(None, parts))


def _elements(allowed: list[str] | None) -> str:
    if allowed is None:
        return ""
    if len(allowed) <= MOST_LISTED:
        return _listed("only", allowed)
    others = (gemmi.Element(number).name for number in range(1, HIGHEST_NUMBER + 1))
    return _listed("without", [symbol for symbol in others if symbol not in allowed])


def _listed(word: str, values: list[str] | None) -> str:
    return f"{word} {', '.join(values)}" if values else ""
