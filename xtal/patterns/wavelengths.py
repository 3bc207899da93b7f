"""X-ray wavelengths: what people type, and the doublets of the usual anodes."""

import re
from dataclasses import dataclass

from xtal.errors import UserError
from xtal.patterns.pattern import LONGEST_WAVELENGTH, SHORTEST_WAVELENGTH

HC = 12.398419843  # keV Å: λ = hc / E
ACCEPTED = (
    "a line name (CuKa, CuKa1, CuKa2 or CuKb; likewise Ag, Co, Cr, Fe, Mo and W), "
    "a number in Å (1.5418) or an energy (17.4 keV)"
)


@dataclass(frozen=True)
class Anode:
    """The K lines of an X-ray tube's target, in Å.

    Attributes:
        ka1: Kα1, the stronger line of the doublet.
        ka2: Kα2, half as strong.
        kb: Kβ1.
    """

    ka1: float
    ka2: float
    kb: float

    @property
    def ka(self) -> float:
        """The weighted mean ``(2 Kα1 + Kα2) / 3``: where an unresolved doublet has its centre."""
        return (2 * self.ka1 + self.ka2) / 3


# Deslattes et al., Rev. Mod. Phys. 75 (2003) 35; International Tables for Crystallography C, table 4.2.2.4
ANODES = {
    "Ag": Anode(0.5594218, 0.5638131, 0.4970817),
    "Co": Anode(1.788996, 1.792835, 1.620826),
    "Cr": Anode(2.289726, 2.293651, 2.084912),
    "Cu": Anode(1.540593, 1.544427, 1.392235),
    "Fe": Anode(1.936041, 1.939973, 1.756604),
    "Mo": Anode(0.7093172, 0.713607, 0.6323029),
    "W": Anode(0.2090131, 0.213833, 0.184377),
}

K_ALPHA_2 = 1 / 3  # share of a doublet
SAME_LINE = 3e-4  # relative: handbooks differ by less, and Kα1 from the mean of its doublet by more

_NAME = re.compile(r"(ag|co|cr|cu|fe|mo|w)k(?:(a[12]?)|(b)1?)")
_NUMBER = re.compile(r"\d*\.?\d+(?:e[+-]?\d+)?|\d+\.")
_QUANTITY = re.compile(rf"({_NUMBER.pattern})\s*(å|a|angstroms?|kev|ev|nm|pm)?")
_UNITS = {"nm": 10.0, "pm": 0.01}  # Å in one of each; no unit means Å


def parse_wavelength(text: str | float) -> float:
    """Read a wavelength in Å from what a person types.

    Accepted: line names in any spelling (``CuKa``, ``Cu Kα1``, ``mo-ka``; ``Ka`` is the weighted mean of the doublet),
    a number in Å with or without its unit, and an energy, ``λ = 12.398419843 Å keV / E``; decimal commas too.

    Raises:
        UserError: when it is none of these, or lies beyond what any powder diffractometer uses.
    """
    found = _named(text) or _quantity(text)
    if found is None:
        raise UserError(f"{text!r} is no wavelength; give {ACCEPTED}")
    if not SHORTEST_WAVELENGTH <= found <= LONGEST_WAVELENGTH:
        raise UserError(
            f"{text!r} is a wavelength of {found:g} Å, outside {SHORTEST_WAVELENGTH} to {LONGEST_WAVELENGTH} Å; "
            f"give {ACCEPTED}"
        )
    return found


def mean_wavelength(primary: float, second: float | None) -> float:
    """Return the wavelength in Å that belongs to the peaks of a beam stated as `primary` and `second` line.

    Where the two are Kα1 and Kα2 of one anode, it is the centre of the doublet, ``(2 Kα1 + Kα2) / 3``; in every other
    case (no second line, 0, or a `primary` that is a mean already) it is `primary`.
    """
    for anode in ANODES.values():
        if abs(primary / anode.ka1 - 1) < SAME_LINE and abs((second or 0) / anode.ka2 - 1) < SAME_LINE:
            return (2 * primary + (second or 0)) / 3
    return primary


def anode(wavelength: float) -> Anode | None:
    """Return the anode whose mean Kα or Kα1 is `wavelength` (Å), within 0.03 %; None where there is none."""
    for one in ANODES.values():
        if min(abs(wavelength / one.ka - 1), abs(wavelength / one.ka1 - 1)) < SAME_LINE:
            return one
    return None


def doublet(wavelength: float) -> tuple[float, float] | None:
    """Return (Kα1, Kα2) in Å, strengths 2 : 1, of the anode that `wavelength` (Å) belongs to; None for any other."""
    found = anode(wavelength)
    return None if found is None else (found.ka1, found.ka2)


def is_mean_of_doublet(wavelength: float) -> bool:
    """Whether `wavelength` (Å) is the weighted mean of an anode's Kα1 and Kα2."""
    return any(abs(wavelength / anode.ka - 1) < SAME_LINE for anode in ANODES.values())


def spectrum(wavelength: float) -> tuple[float, float]:
    """Return Kα1 and Kα2 over `wavelength` (Å), see `doublet`; (1, 1) where it has no doublet.

    A line at q is seen at ``q λ1 / λ`` and ``q λ2 / λ`` by who takes the wavelength for λ.
    """
    pair = doublet(wavelength)
    return (1.0, 1.0) if pair is None else (pair[0] / wavelength, pair[1] / wavelength)


def _named(text: str | float) -> float | None:
    """Return the wavelength of a line name, or None."""
    plain = str(text).lower().replace("α", "a").replace("β", "b").replace("alpha", "a").replace("beta", "b")
    match = _NAME.fullmatch(re.sub(r"[\s_\-]", "", plain.translate(_SUBSCRIPTS)))
    if match is None:
        return None
    return float(getattr(ANODES[match[1].capitalize()], "k" + (match[2] or match[3])))


def _quantity(text: str | float) -> float | None:
    """Return the wavelength of a number with or without a unit, or None."""
    plain = re.sub(r"^(?:λ|lambda|wavelength)\s*[=:]?\s*", "", str(text).strip().lower())
    plain = re.sub(r"^(\d*),(\d+)(?![\d.,])", r"\1.\2", plain)
    match = _QUANTITY.fullmatch(plain.replace("\N{ANGSTROM SIGN}".lower(), "å"))
    if match is None or (number := float(match[1])) <= 0:
        return None
    if match[2] in ("kev", "ev"):
        return HC / number * (1000 if match[2] == "ev" else 1)
    return number * _UNITS.get(match[2] or "", 1.0)


_SUBSCRIPTS = str.maketrans("₁₂", "12")
