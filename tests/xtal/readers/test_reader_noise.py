"""Random and damaged files are refused by name or read, and nothing else happens."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reader_helpers import FOLDER, rows

from xtal.errors import UserError
from xtal.readers import SUFFIXES, read_pattern

REFUSED_OR_READ = settings(
    max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)


def refused_or_read(path):
    try:
        outcome = read_pattern(path, 1.54).source
    except UserError as error:
        outcome = str(error)
    assert path.name in outcome


@REFUSED_OR_READ
@given(suffix=st.sampled_from(SUFFIXES), content=st.binary(min_size=1, max_size=400))
def test_random_bytes_are_refused_or_read(write, suffix, content):
    refused_or_read(write(f"random{suffix}", content))


@REFUSED_OR_READ
@given(
    suffix=st.sampled_from(SUFFIXES),
    lines=st.lists(
        st.lists(st.from_regex(r"[-+0-9.,eEnaif;#_q \":='°(]{1,6}", fullmatch=True), max_size=4), max_size=30
    ),
    separator=st.sampled_from([" ", ",", ";", "\t"]),
)
def test_random_tables_are_refused_or_read(write, suffix, lines, separator):
    refused_or_read(write(f"table{suffix}", "\n".join(separator.join(line) for line in lines) or " "))


@REFUSED_OR_READ
@given(
    name=st.sampled_from(sorted(path.name for path in FOLDER.iterdir() if path.name != "scheelite.xy")),
    place=st.floats(0, 1),
    cut=st.integers(0, 30),
    insert=st.binary(max_size=12) | st.sampled_from([b"nan", b"-", b"1e999", b"\0", b"99999999999", b"</", b"loop_\n"]),
)
def test_damaged_files_are_refused_or_read(write, name, place, cut, insert):
    content = (FOLDER / name).read_bytes()
    at = int(place * len(content))
    refused_or_read(write(name, content[:at] + insert + content[at + cut :]))


@REFUSED_OR_READ
@given(
    header=st.lists(st.text("wavelgthλKkα12=:,.0 56AneVm()Cu2θq|dI\t-", max_size=40), max_size=4),
    place=st.floats(0, 1),
    cut=st.integers(0, 30),
    insert=st.sampled_from(['"', '"\n', ",", ";", "\t", "words\n", "0 0\n", "2theta I\n", "-", "'1"]),
)
def test_headers_and_torn_rows_are_refused_or_read(write, header, place, cut, insert):
    text = "".join(f"# {line}\n" for line in header) + rows()
    at = int(place * len(text))
    refused_or_read(write("torn.csv", text[:at] + insert + text[at + cut :]))
