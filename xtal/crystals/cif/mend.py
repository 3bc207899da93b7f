"""What old, foreign and newer programs write that the parser does not take, written as it does.

Only text that was refused as it stands is mended: a program's habit must not change the meaning of a sound file.
"""

import re
from collections.abc import Iterator

LONGEST_TEXT, LONGEST_LINE = 2 * 2**20, 8192  # bytes beyond which nothing is mended; CIF allows lines of 2048

CIF_2 = re.compile(r"\s*#\\#CIF_2|[\s\S]*?(?:'''|\"\"\")")
TOKEN = re.compile(
    r"(?P<text>^;[\s\S]*?^;)|(?P<quote>'''|\"\"\")(?P<inside>[\s\S]*?)(?P=quote)"
    r"|(?P<open>[\[{])|(?P<close>[\]}])|#[^\n]*|'[^'\n]*'?|\"[^\"\n]*\"?|[^\s\[\]{}]+|\s+",
    re.M,
)
BLOCK = re.compile(r"\s*data_", re.I)
WORD = re.compile(r"\s*(?:data_\S*|loop_|save_\S*|global_|stop_|_\S+)(?:\s|$)", re.I)
PAIR = re.compile(r"(\s*_\S+)\s+(\S.*?)\s*$")
LONE = re.compile(r"\s*_\S+\s*$")
LAST = re.compile(r"\s*_?end\W*$", re.I)
OPERATION = frozenset("xyzXYZ0123456789+-*/., \t")  # the characters of x+1/2, -y, z
OPERATION_TAG = re.compile(r"_symmetry_equiv\S*as_xyz|_space_group_symop\S*xyz", re.I)


def mended(text: bytes) -> bytes | None:
    """Return the text with its habits put right, None when there is nothing to do or the text is too long.

    A missing block heading or blanks in it, text before it, values with blanks but without quotes, quotes that do not
    end, tags without a value, a last word ``end``, and lists, tables and triple quotes of CIF 2.
    """
    if len(text) > LONGEST_TEXT or max(map(len, text.split(b"\n"))) > LONGEST_LINE:
        return None
    words = text.decode("ascii", "replace")
    if CIF_2.match(words):
        words = _without_lists(words)
    lines = _from_heading(words.rstrip().split("\n"))
    if not lines:
        return None
    if LAST.match(lines[-1]):
        lines = lines[:-1]
    result = "\n".join([*_lines(lines), ""]).encode("ascii", "replace")
    return result if result != text else None


def _without_lists(text: str) -> str:
    """Return CIF 2 as CIF 1.1: lists and tables are unknown values, triple quotes plain ones where that can be."""
    out: list[str] = []
    depth = 0
    for token in TOKEN.finditer(text):
        if token["open"] or token["close"]:
            depth = max(depth + (1 if token["open"] else -1), 0)
            if token["close"] and depth == 0:
                out.append("?")
        elif depth == 0:
            inside = token["inside"]
            simple = inside is not None and not re.search('[\n"]', inside)
            out.append(token[0] if inside is None else f'"{inside}"' if simple else "?")
    return "".join(out)


def _from_heading(lines: list[str]) -> list[str]:
    """Return the lines from the block heading on, with one put in front where there is none."""
    heading = next((i for i, line in enumerate(lines) if BLOCK.match(line)), len(lines))
    first = next((i for i, line in enumerate(lines) if WORD.match(line)), len(lines))
    if any("_atom_site" in line.lower() for line in lines[first:heading]):
        return ["data_", *lines[first:]]
    return lines[heading:]


def _lines(lines: list[str]) -> Iterator[str]:
    """Yield the lines, each as the parser takes it."""
    quoted = False  # inside a text between semicolons
    header: list[str] = []  # tags of the loop that we are in
    for place, line in enumerate(lines):
        if line.startswith(";") or quoted:
            quoted ^= line.startswith(";")
            yield line
        elif BLOCK.match(line):
            header = []
            yield _heading(line)
        elif line.strip().lower().startswith("loop_"):
            header = ["loop_", *line.split()[1:]]
            yield line
        elif header and LONE.match(line) and not header[-1].startswith("\n"):
            header.append(line)
            yield line
        elif pair := PAIR.match(line):
            header = []
            yield _pair(line, pair[1], pair[2])
        elif LONE.match(line):
            header = []
            yield line if _followed_by_value(lines[place + 1 :]) else f"{line} ?"
        else:
            yield _operation(line, header)
            if header and line.strip() and not line.lstrip().startswith("#"):
                header = [*header, "\nrows"] if not header[-1].startswith("\n") else header


def _heading(line: str) -> str:
    """Return a block heading without the blanks in its name."""
    words = line.split()
    loose = len(words) > 1 and not any(word.startswith(("_", "#")) or word.lower() == "loop_" for word in words)
    return "_".join(words) if loose else line


def _pair(line: str, tag: str, value: str) -> str:
    """Return a tag and its value, the value in quotes when it holds blanks."""
    if value[0] in "'\"":
        return line if re.search(rf"{value[0]}(?:\s|$)", value[1:]) else f"{line.rstrip()}{value[0]}"
    words = value.split()
    comment = next((i for i, word in enumerate(words) if word.startswith("#")), len(words))
    words = words[:comment]
    if len(words) < 2 or any(word.startswith("_") for word in words):
        return line
    if tag.strip().lower().startswith("_cell"):
        return f"{tag} {words[0]}"  # a length and its unit
    mark = "'" if '"' in value else '"'
    return f"{tag} {mark}{' '.join(words).replace(mark, ' ')}{mark}"


def _followed_by_value(lines: list[str]) -> bool:
    """Tell whether the next line of some content is a value."""
    following = next((line for line in lines if line.strip() and not line.lstrip().startswith("#")), "_")
    return not WORD.match(following)


def _operation(line: str, header: list[str]) -> str:
    """Return a row of a loop of symmetry operations with quotes around the operation."""
    if not line.strip() or not OPERATION.issuperset(line) or not any(map(OPERATION_TAG.search, header)):
        return line
    first, *rest = line.split()
    number = f"{first} " if first.isdigit() and rest else ""
    operation = " ".join(rest if number else [first, *rest])
    return f"{number}'{operation}'" if operation.count(",") in (2, 3) else line
