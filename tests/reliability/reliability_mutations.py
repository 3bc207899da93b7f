"""Files as accidents and attackers leave them: bytes changed, cut, doubled, exchanged for what parsers trip over."""

import numpy as np

TRIPS = [
    *(b"nan", b"inf", b"-inf", b"1e999", b"-1e308", b"1e-999", b"0", b"-1", b"9" * 40, b"0x10", b"1,5", b"1.2.3"),
    *(b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\r", b"\n" * 50, b"'", b'"', b";", b"#", b"?", b"." * 30, b"_", b"loop_"),
    *("²³θ".encode(), b"data_", b"x,y,z", b"1e17", b"../../etc/passwd", b"%s%n", b"<a>", b"&b;", b"[[[[", b"\t"),
]


def mutated(content: bytes, rng: np.random.Generator) -> bytes:
    """Change a file in one to five places."""
    data = bytearray(content)
    for _ in range(rng.integers(1, 6)):
        at, kind = int(rng.integers(len(data) + 1)), int(rng.integers(6))
        length = int(rng.integers(1, 40))
        trip = TRIPS[rng.integers(len(TRIPS))]
        if kind == 0:
            data[at : at + 1] = bytes([rng.integers(256)])
        elif kind == 1:
            del data[at : at + length]
        elif kind == 2:
            data[at:at] = data[at : at + length] * int(rng.integers(1, 200))
        elif kind == 3:
            data[at : at + length] = trip
        elif kind == 4:
            data[at:at] = trip
        else:
            del data[at:]
    return bytes(data)
