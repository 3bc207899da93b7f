"""Pickles of plain data, read without running anything that they name.

A pickle is a program. Only the instructions below are let through, and only containers, numbers, text and numpy arrays
come out: the few numpy functions that pickled arrays name are replaced by stand-ins, every other name is refused before
it is looked up.
"""

import io
import pickle
import pickletools
import re
import sys
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from xtal.errors import UserError

INSTRUCTIONS = re.findall(
    r"\w+",
    "PROTO FRAME MARK STOP POP NONE NEWTRUE NEWFALSE BININT BININT1 BININT2 LONG1 BINFLOAT "
    "SHORT_BINUNICODE BINUNICODE SHORT_BINBYTES BINBYTES BINBYTES8 BYTEARRAY8 SHORT_BINSTRING BINSTRING "
    "EMPTY_DICT EMPTY_LIST EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 APPEND APPENDS SETITEM SETITEMS "
    "BINPUT LONG_BINPUT MEMOIZE BINGET LONG_BINGET GLOBAL STACK_GLOBAL REDUCE BUILD",
)
OPCODES = {ord(op.code): op for op in pickletools.opcodes if op.name in INSTRUCTIONS}
# Number of bytes after each instruction; a negative one stands for -n bytes that hold the number of bytes to follow.
LENGTH_BYTES = {
    pickletools.TAKEN_FROM_ARGUMENT1: -1,
    pickletools.TAKEN_FROM_ARGUMENT4: -4,
    pickletools.TAKEN_FROM_ARGUMENT4U: -4,
    pickletools.TAKEN_FROM_ARGUMENT8U: -8,
}
ARGUMENTS = {code: LENGTH_BYTES.get(op.arg.n, op.arg.n) if op.arg else 0 for code, op in OPCODES.items()}
GLOBAL, LONG_BINPUT, STOP, TUPLES = ord("c"), ord("r"), ord("."), frozenset(b"t\x85\x86\x87")
MOST_TUPLES = 20_000  # hashing a tuple of tuples of tuples recurses without a guard in Python
DTYPE = re.compile(r"[biuf][1248]|U(?:[1-9]|1[0-6])|O8?")  # O: only ever filled from a list of other plain data
FAILURES = (
    pickle.UnpicklingError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    EOFError,
    OverflowError,
    MemoryError,
    RecursionError,
)


def load_plain(data: bytes) -> dict[str, Any]:
    """Return a pickled dict of plain data; numpy arrays are its values or elements of lists that are.

    Raises:
        UserError: anything else, above all a pickle that names functions or classes.
    """
    try:
        _check_instructions(data)
        value = _PlainUnpickler(io.BytesIO(data)).load()
    except FAILURES as error:
        raise UserError(f"not a pickle of plain data: {error}") from None
    if not isinstance(value, dict):
        raise UserError(f"a pickled dict is needed, got {type(value).__name__}")
    return {key: _settled(item) for key, item in value.items() if isinstance(key, str)}


def _check_instructions(data: bytes) -> None:
    """Walk over the pickle; refuse instructions that plain data does not need, and what fills the memory or stack."""
    place, code, tuples = 0, -1, 0
    while code != STOP:
        code = data[place]
        place += 1
        size = ARGUMENTS.get(code)
        if size is None:
            raise pickle.UnpicklingError(f"instruction {bytes([code])!r} is not needed for plain data")
        if code == LONG_BINPUT and int.from_bytes(data[place : place + 4], "little") > len(data):
            raise pickle.UnpicklingError("a memo number is larger than the pickle")
        tuples += code in TUPLES
        if tuples > MOST_TUPLES:
            raise pickle.UnpicklingError(f"more than {MOST_TUPLES:,} tuples")
        if code == GLOBAL:
            place = data.index(b"\n", data.index(b"\n", place) + 1) + 1
        elif size < 0:
            place += int.from_bytes(data[place : place - size], "little") - size
        else:
            place += size


def _settled(value: Any) -> Any:
    """Return the value with stand-in arrays, also those in a list, replaced by numpy arrays."""
    if isinstance(value, list | tuple):
        return [item.array if isinstance(item, _Array) else item for item in value]
    return value.array if isinstance(value, _Array) else value


class _Dtype:
    """Stands for numpy.dtype: remembers the type when it is a harmless one."""

    def __init__(self, code: str, *_: Any) -> None:
        if not DTYPE.fullmatch(code):
            raise pickle.UnpicklingError(f"arrays of type {code!r} are no plain data")
        self.code, self.order = code, "<"

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        """Take over the byte order, the only part of the state that matters for these types."""
        self.order = ">" if state[1] == ">" else "<"

    def array(self, raw: Any, shape: Any, order: Any) -> NDArray:
        """Return the array of this type whose elements are `raw`, bytes or a list."""
        if isinstance(raw, list):
            flat = np.empty(len(raw), dtype=object)
            flat[:] = raw
        elif self.code.startswith("O"):
            raise pickle.UnpicklingError("an array of objects must be a list")
        else:
            flat = np.frombuffer(raw, np.dtype(self.order + self.code))
            if self.code.startswith("U") and flat.view(self.order + "u4").max(initial=0) > sys.maxunicode:
                raise pickle.UnpicklingError("an array of text holds bytes that are no text")
        return flat.reshape(shape, order=order)


class _Array:
    """Stands for numpy.ndarray while its pickle is read."""

    def __init__(self, array: NDArray) -> None:
        self.array = array

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        """Take (version, shape, type, Fortran order?, elements)."""
        _, shape, dtype, fortran, raw = state
        self.array = _Dtype.array(dtype, raw, shape, "F" if fortran else "C")


class _StandIn:
    """A function that a pickle may call; it has no state that a pickle could change."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def __call__(self, *arguments: Any) -> Any:
        return self._function(*arguments)

    def __setstate__(self, state: Any) -> NoReturn:
        """Refuse: functions are called, not filled."""
        raise pickle.UnpicklingError("a function cannot be given a state")


def _encode(text: str, encoding: str) -> bytes:
    """Stand for _codecs.encode, with which protocol 2 writes bytes."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"bytes must be written as latin1, got {encoding!r}")
    return text.encode("latin1")


def _scalar(dtype: _Dtype, raw: bytes) -> Any:
    """Stand for numpy's function that makes a single number."""
    return _Dtype.array(dtype, raw, (1,), "C")[0].item()


STAND_INS = {
    ("numpy", "dtype"): _StandIn(_Dtype),
    ("numpy", "ndarray"): _StandIn(lambda *_: _Array(np.empty(0))),
    ("_codecs", "encode"): _StandIn(_encode),
    **{
        (f"numpy.{core}.{module}", name): _StandIn(function)
        for core in ("core", "_core")
        for module, name, function in (
            ("multiarray", "_reconstruct", lambda *_: _Array(np.empty(0))),
            ("multiarray", "scalar", _scalar),
            ("numeric", "_frombuffer", lambda raw, dtype, shape, order: _Array(dtype.array(raw, shape, order))),
        )
    },
}


class _PlainUnpickler(pickle.Unpickler):
    """An unpickler that knows the stand-ins and nothing else."""

    def find_class(self, module: str, name: str) -> _StandIn:
        """Return the stand-in for a name, or refuse it."""
        if (module, name) not in STAND_INS:
            raise pickle.UnpicklingError(f"it names {module[:50]}.{name[:50]}, which is no plain data")
        return STAND_INS[module, name]
