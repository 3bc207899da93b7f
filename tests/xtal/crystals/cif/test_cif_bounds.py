"""Whatever a CIF holds: a crystal or a UserError, soon and in little memory."""

import contextlib
import subprocess
import sys
import time

import numpy as np
import pytest
from cif_helpers import COLUMNS, NACL, SALT, box, entry, listing, named
from hypothesis import given, settings
from hypothesis import strategies as st

from xtal.crystals import read_cif
from xtal.crystals.cif.mend import mended
from xtal.errors import UserError

SOUND = [
    SALT,
    "#\\#CIF_2.0\n" + SALT.replace("loop_", "_a.b [1 {'c':2}]\n_d '''e'''\nloop_"),
    entry("Mof_Zn1 '0.5Zn + 0.5Cd' 0,1 . 1/3 1", listing("1 x, y, z,+1", "2 -x, -y, -z,-1")),
    entry(NACL, named("F d 3 m") + "_chemical_formula_sum 'Na Cl'\n_space_group_IT_coordinate_system_code 2\n"),
    SALT + SALT.replace("data_test", "data_b c"),
]
PIECES = [
    "'",
    '"',
    ";",
    "\n;",
    "#",
    "data_",
    "loop_\n",
    "_end",
    "?",
    ".",
    "1e999",
    "-",
    "−",
    "[",
    "{",
    "'''",
    "\0",
    "é",
]
PIECES += ["F d -3 m", ":2", "_cell.length_a", "nan", "0,5", "1/0", "H2O", "+", "x,y,z", " ", "\r", "\ufeff", "9" * 30]


@given(
    st.sampled_from(SOUND),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 40), st.sampled_from(PIECES) | st.text(max_size=3)), max_size=5),
    st.sampled_from(["utf-8", "utf-16", "latin1"]),
)
@settings(max_examples=250)
def test_any_mutation_is_a_crystal_or_a_user_error(text, changes, encoding):
    for where, length, insert in changes:
        place = int(where * len(text))
        text = text[:place] + insert + text[place + length :]
    with contextlib.suppress(UserError):
        crystal = read_cif(text.encode(encoding, "replace"), "x")
        assert len(crystal) > 0
        assert crystal.occupancies.max() <= 1


@pytest.mark.parametrize("odd", ["'''", "'\"'", "';'", "\n;\n;\n", "';a'"])
def test_odd_quotes_are_a_user_error_everywhere(odd):
    for value in ("5.64", "'F m -3 m'", "Na Na", "0.5 1"):
        with contextlib.suppress(UserError):
            read_cif(SALT.replace(value, odd, 1))


@given(st.text(alphabet="ad_tloop#'\"; \n[]{}xyz,0-+\\CIF2.", max_size=200))
@settings(max_examples=250)
def test_mending_ends_and_is_done_at_once(text):
    once = mended(text.encode())
    if once is not None:
        again = mended(once)
        assert again is None or mended(again) in (None, again)


def crowded(element: str, count: int, side: float) -> str:
    """Atoms at random in a small cube within a large cell."""
    places = np.random.default_rng(0).random((count, 3)) * side / 100
    rows = (f"A {element} {x} {y} {z} 1" for x, y, z in places.tolist())
    return entry("\n".join(rows), cell=box(100))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (crowded("C", 10_000, 1), "atoms within .* of each other; the coordinates are broken"),
        (crowded("C", 300, 1), "more than 24 atoms in the place of one; the coordinates are broken"),
        (crowded("C", 20_000, 6.7), "more than 24 atoms in the place of one; the coordinates are broken"),
        (entry("".join(f"C C {n * 1e-6:.6f} 0 0 1\n" for n in range(10_000)), cell=box(100)), "atoms stand in rows"),
    ],
)
def test_crowds_are_refused(text, message):
    start = time.process_time()
    with pytest.raises(UserError, match=message):
        read_cif(text)
    assert time.process_time() - start < 5


LARGE = {
    "a symbol without end": "data_x\n_symmetry_space_group_name_H-M a {words}\n'",
    "a symbol in quotes": f"data_x\n{box(5)}_symmetry_space_group_name_H-M '{{words}}'\nloop_\n{COLUMNS}{NACL}\n",
    "a formula": f"data_x\n{box(5)}_chemical_formula_sum '{{words}}'\nloop_\n{COLUMNS}{NACL}\n",
    "a loop": "data_x\nloop_\n_a\n{words}\n",
}
MEASURED = """
import resource, sys, time
from xtal.crystals import read_cif
from xtal.errors import UserError
read_cif({small!r})
before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
try:
    read_cif({text!r}.replace("{{words}}", "b " * 7_000_000))
except UserError as error:
    print(error)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024, time.process_time() - start)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems measure memory in other units")
@pytest.mark.parametrize("kind", LARGE)
def test_fourteen_megabytes_of_words_take_little(kind):
    code = MEASURED.format(small=SALT, text=LARGE[kind])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    message, measured = done.stdout.splitlines()
    megabytes, seconds = map(float, measured.split())
    assert "words, more than 2,000,000" in message
    assert megabytes < 200
    assert seconds < 2


def test_time_grows_in_proportion():
    brackets = "#\\#CIF_2.0\ndata_x\n" + ("[" * 2000 + "\n") * 100
    quotes = "data_x\n" + ("'a " * 600 + "\n") * 100
    texts = "#\\#CIF_2.0\ndata_x\n_a [\n" + ";\n" * 100_001
    operations = "data_x\n" + listing(*["x" + " " * 2700 + "," + " " * 2700 + "," + " " * 2700 + "!"] * 100) + "'"
    word, count = "9" * 1_000_000, " " * 1_000_000
    words = (entry(f"C C {word}x 0 0 1"), entry(f"C 'Fe{count}x' 0 0 0 1"), entry(head=named(f"F{count}d -3 m")))
    words = (*words, entry(head=listing("x,y,z", f"'x,y,{word}'")), entry(f"C C 0 0 0 {word}x"))
    start = time.perf_counter()
    for text in (brackets, quotes, texts, operations, *words):
        with pytest.raises(UserError):
            read_cif(text)
    assert time.perf_counter() - start < 3
