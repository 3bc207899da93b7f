"""What the id of an entry tells: its refcode, where it was published, and what the database's makers did to it."""

import re
from dataclasses import dataclass

from search.frameworks.names import refcode

CSD = "https://www.ccdc.cam.ac.uk/structures/Search?Ccdcid={}"
DOI = "https://doi.org/{}"
TREATMENTS = {  # endings of CoRE MOF ids (Chung et al., 2019)
    "clean": "solvent removed by a program",
    "SL": "disorder and solvent mended by hand",
    "manual": "mended by hand",
    "auto": "mended by a program",
    "charged": "counter ions kept",
    "ion_b": "counter ions kept",
    "neutral": "neutral after solvent was removed",
    "neutral_b": "neutral after solvent was removed",
    "h": "hydrogen atoms added",
    "min": "relaxed by computation",
    "opt": "relaxed by computation",
    "part": "one part of a disorder",
}
ENDING = re.compile(rf"_({'|'.join(sorted(TREATMENTS, key=len, reverse=True))})$")
PROTOTYPE = re.compile(r"_[A-Za-z0-9]+_[achmot][ABCFIPRS]\d+_\d+(_.*)?$")  # of AFLOW: stoichiometry, Pearson symbol
WORDS = re.compile(r"[a-z]+(_[a-z]+)*")  # of our own list of phases
PUBLISHERS = (  # how ids of supporting files begin, and the DOI that they are of
    (re.compile(r"(acs\.[a-z]+|jacs)\.\d[a-z]\d{5}"), "10.1021/{}"),
    (re.compile(r"(?:j\.[a-z]+)\.\d{4}\.\d{2}\.\d{3}"), "10.1016/{}"),
    (re.compile(r"[a-z]\d[a-z]{2}\d{5}[a-z]"), "10.1039/{}"),
    (re.compile(r"(?:ja|ic|cg|cm|jp|jz|la|ar|nl|om)(?:\d{7}|\d{6}[a-z])"), "10.1021/{}"),
    (re.compile(r"S\d{16}"), "10.1107/{}"),
)


@dataclass(frozen=True)
class EntryId:
    """An id taken apart.

    Attributes:
        id: the whole.
        stem: without the endings that tell of a treatment.
        words: the stem as people read it, ``Calcite`` or ``zinc oxide zincite``.
        badges: what was done to the entry, in words.
        refcode: of the Cambridge Structural Database; "" where there is none.
        link: to the database or the paper; "" where neither is known.
    """

    id: str
    stem: str
    words: str
    badges: tuple[str, ...]
    refcode: str
    link: str

    @classmethod
    def of(cls, entry: str) -> "EntryId":
        """Take an id apart."""
        stem = entry
        endings: list[str] = []
        while not PROTOTYPE.search(entry) and (found := ENDING.search(stem)):  # else it is a Wyckoff letter
            endings.insert(0, TREATMENTS[found.group(1)])
            stem = stem[: found.start()]
        code = refcode(entry)
        return cls(
            entry, stem, _words(stem), tuple(dict.fromkeys(endings)), code, CSD.format(code) if code else _paper(entry)
        )

    @property
    def phase(self) -> str:
        """What a phase is called, `words`; "" for an entry that is known by its refcode or paper."""
        return "" if self.link else self.words


def _words(stem: str) -> str:
    """Return what a phase is called; a stem as it is where it is no phase's."""
    name = PROTOTYPE.sub("", stem)
    return name.replace("_", " ") if name != stem or WORDS.fullmatch(stem) else stem


def _paper(entry: str) -> str:
    """Return the address of the paper whose supporting file an entry is; "" where that cannot be told."""
    for begins, doi in PUBLISHERS:
        if found := begins.match(entry):
            return DOI.format(doi.format(found.group(0)))
    return ""
