"""Space groups by the names that files give them: old and new, short and full, with and without an origin."""

import re
from functools import cache

import gemmi

LONGEST = 60  # characters of a symbol; 'C 1 2/c 1 (No. 15, cell choice 1)' takes 33

# Endings that tell settings of one symbol apart: ICSD has S and Z for the first and second origin, HR for R on H axes.
ENDINGS = {"1": "1", "2": "2", "o1": "1", "o2": "2", "s": "1", "z": "2", "h": "h", "hr": "h", "r": "r"}
SUFFIX = re.compile(r"(.*?)(?::([\w-]+)|(o[12]|s|z|hr|h|r))")
ORIGIN = re.compile(r"[({,;]?\s*origin\s*(?:choice|at|no\.?)?\s*:?\s*([12])\b.*", re.I)
AXES = re.compile(r"[({,;]?\s*\b(hex|rhomb?)\w*\b(?:\s*(?:axes|setting))?.*", re.I)
REMARK = re.compile(r"[({#]\s*(?:no\.?|number)?\s*#?\s*\d{2,}\s*[)}]?|(?:[({#]\s*no\.?|#)\s*\d+\s*[)}]?", re.I)
SCREW = re.compile(r"([2346])[_(]+\{?([1-5])[})]?")  # 2_1, 2(1), 6_{3}
BAR = re.compile(r"\\?bar\s*\{?\s*([1346])\}?|([1346])\s*bar|\\=\{?([1346])\}?", re.I)
CUBIC_3 = re.compile(r"([pfi](?:2/)?[mnadc])3(?=[mncd]?$)")  # Fm3m, Pa3: -3 before 1983


def groups_of_symbol(symbol: str, code: str) -> list[gemmi.SpaceGroup]:
    """Return the settings that a Hermann-Mauguin symbol may mean, the likeliest axes first; none when it is unknown.

    Args:
        symbol: with or without blanks, with or without an ending that tells its origin or axes.
        code: coordinate system (``2``, ``h``, ``b1``, ``-cba``) that the file gives beside it, or nothing.
    """
    groups, ending = _by_name(symbol)
    if ending:
        groups = [group for group in groups if _matches(group, ending)]
    return _coded(groups, code)


def groups_of_number(number: str, code: str) -> list[gemmi.SpaceGroup]:
    """Return the settings of a number of the International Tables; none when there is no such number."""
    settings = list(gemmi.spacegroup_table())
    tabulated = settings[: 1 + max(i for i, group in enumerate(settings) if group.number == 230)]  # without rarities
    return _coded([group for group in tabulated if str(group.number) == number], code)


def _coded(groups: list[gemmi.SpaceGroup], code: str) -> list[gemmi.SpaceGroup]:
    """Return the settings that a coordinate system code means, all of them when it means none."""
    return [group for group in groups if _matches(group, code.lower())] or groups


def _matches(group: gemmi.SpaceGroup, code: str) -> bool:
    """Tell whether a setting is the one that a coordinate system code means."""
    code = ENDINGS.get(code, code)
    extension = group.ext.strip("\0 ").lower()
    codes = {extension, group.qualifier, f"{extension}{group.qualifier or 'abc'}", group.qualifier or "abc"}
    return code in codes - {""}


def _by_name(name: str) -> tuple[list[gemmi.SpaceGroup], str]:
    """Return the settings with a symbol, and what is written behind it to tell them apart."""
    if len(name) > LONGEST:
        return [], ""
    ending = ""
    if found := ORIGIN.search(name):
        name, ending = name[: found.start()], found[1]
    elif found := AXES.search(name):
        name, ending = name[: found.start()], found[1][0].lower()
    key = _key(REMARK.sub("", name))
    found = SUFFIX.fullmatch(key)
    if groups := _with_symbol(key):
        return groups, ending
    if found and (groups := _with_symbol(found[1])):
        return groups, found[2] or found[3]
    group = gemmi.find_spacegroup_by_name(key)  # knows some more, such as those with e for a glide plane
    return (list(_by_symbol()[_key(group.hm)]) if group else []), ending


def _key(symbol: str) -> str:
    """Return a symbol in lower case, screw axes and bars written as CIF writes them, without blanks."""
    symbol = SCREW.sub(r"\1\2", BAR.sub(lambda bar: f"-{bar[1] or bar[2] or bar[3]}", symbol))
    return re.sub(r"[\s_{}\\$()\[\]]|(?<=:)\s+", "", symbol.lower())


def _with_symbol(key: str) -> list[gemmi.SpaceGroup]:
    """Return the settings of a symbol as it is, or as it was, or in full."""
    table = _by_symbol()
    first, *rest = re.split(r"(?<=/[abcdmn])", key, maxsplit=1)
    tries = [key, CUBIC_3.sub(r"\1-3", key)]
    tries += [first + _shortened(rest[0] if rest else ""), _shortened(key)]  # P4/n2/b2/m, F4/m-32/m
    return next((list(table[symbol]) for symbol in tries if symbol in table), [])


def _shortened(key: str) -> str:
    """Return a full symbol as a short one: the plane stands for the axis that it is perpendicular to."""
    return re.sub(r"(?<!-)[2346][1-5]?/([abcdemn])", r"\1", key)


@cache
def _by_symbol() -> dict[str, tuple[gemmi.SpaceGroup, ...]]:
    """Return the settings by symbol; short symbols of monoclinic groups name all axes, the unique axis b first."""
    table: dict[str, dict[str, gemmi.SpaceGroup]] = {}
    settings = list(gemmi.spacegroup_table())
    for short in (False, True):
        for group in settings:
            monoclinic = 3 <= group.number <= 15
            words = [word for word in group.hm.split() if word != "1"] if short and monoclinic else group.hm.split()
            table.setdefault(_key("".join(words)), {}).setdefault(group.xhm(), group)
    return {symbol: tuple(groups.values()) for symbol, groups in table.items()}
