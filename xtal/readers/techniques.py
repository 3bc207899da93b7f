"""Measurements that are no X-ray powder diffraction, known by the words of their files."""

import re
from collections.abc import Iterable
from itertools import islice
from pathlib import PurePath

from xtal.errors import UserError

# What the name of an x axis says, in the order in which it is looked for
AXES = (
    (r"binding energy|(?<![a-z])b\.?e\.?(?![a-z])", "a binding energy (XPS)"),
    (r"raman", "a Raman shift"),
    (r"wave[\s_]*number|cm\s*\^?\s*-\s*1|1\s*/\s*cm", "a wavenumber (infrared or Raman)"),
    (r"time[\s_-]*of[\s_-]*flight|tof(?![a-z])|(?:µ|μ|u|micro)s(?:ec|$|[)\]])|microsec", "a time of flight (neutrons)"),
    (r"wave[\s_]*length|lambda", "a wavelength (UV-vis or infrared)"),
    (r".*energy|(?<![a-z])[km]?ev(?![a-z])|e(?![a-z])\s*[(\[/]", "an energy (energy-dispersive or a spectrum)"),
    (r"temp|°\s?[cf](?![a-z])|kelvin|(?<![a-z])t\s*[(\[/]\s*[kc]", "a temperature (TGA, DSC)"),
    (r"(?:r|radius|distance)(?![a-z])", "a distance r (a pair distribution function)"),
    (r"chemical shift|.*\(ppm\)|ppm", "a chemical shift (NMR)"),
    (r"m/z|mass", "a mass (mass spectrometry)"),
    (r"time|(?:.*[(\[/\s])?(?:s|sec|min|h|hours?|minutes?|seconds?)[)\]]?$", "a time"),
    (r"channel|chan(?![a-z])|pixels?|px|bin(?![a-z])|frame|index|number|no(?![a-z])", "a channel number"),
    (r"(?:th(?:eta)?|omega|om|chi|phi|psi|kappa|khi|azimuth\w*|tilt)(?![a-z])", "an angle other than 2θ"),
    (r"angle of incidence|incidence|azimuth|bragg", "an angle other than 2θ"),
    (r"volt|potential|current|field|pressure|p/p|freq|[kmgt]?hz(?![a-z])|depth|thickness|strain|stress", "no angle"),
    (r".*[(\[/\s_](?:mm|cm|µm|μm|um|nm|kpa|bar|v|mv|a|ma|oe|t|%|wt%)[)\]]?$", "no angle"),
)
AXIS = [(re.compile(pattern), what) for pattern, what in AXES]

# What a header says of the whole file
HEADERS = (
    (r"\bneutrons?\b(?!\s*(?:and|or|/|\+)\s*x)", "neutron diffraction"),
    (r"\belectron diffraction\b|\bSAED\b|\b3D[\s-]?ED\b|\bselected area\b|\bprobe\W+electron", "electron diffraction"),
    (r"time[\s_-]*of[\s_-]*flight|\bTOF\b", "a time of flight (neutrons)"),
    (r"binding energy|analysis method\W+XPS|\bphotoelectron", "X-ray photoelectron spectroscopy (XPS)"),
    (r"data type\W+(?:infrared|raman|uv|nmr|mass)|\bJCAMP\b", "a spectrum (JCAMP-DX)"),
    (r"pair distribution function|\bG\s*\(\s*r\s*\)|\bPDFgetX|\bPDFgetN", "a pair distribution function G(r)"),
    (r"energy[\s-]*dispersive|\bEDXRD\b", "energy-dispersive diffraction"),
)
HEADER = [(re.compile(pattern, re.IGNORECASE), what) for pattern, what in HEADERS]

SUFFIXES = {
    ".gr": "a pair distribution function G(r)",
    ".sq": "a structure factor S(Q)",
    ".fq": "a reduced structure function F(Q)",
    ".dpt": "an infrared spectrum",
    ".jdx": "a spectrum (JCAMP-DX)",
    ".dx": "a spectrum (JCAMP-DX)",
}
MOST_LINES = 2000  # of a header that are looked at
WANTED = "only X-ray powder patterns over 2θ, q or d are understood"


def technique(label: str) -> str | None:
    """Return the quantity, other than 2θ, q and d, that an axis called `label` (in lower case) holds, or None."""
    return next((what for pattern, what in AXIS if pattern.match(label)), None)


def refuse_techniques(name: str, header: Iterable[str] = ()) -> None:
    """Raise UserError where the suffix of `name` or a line of `header` says that this is another technique."""
    what = SUFFIXES.get(PurePath(name).suffix.lower())
    if what is None:
        text = "\n".join(line[:500] for line in islice(header, MOST_LINES))
        what = next((found for pattern, found in HEADER if pattern.search(text)), None)
    if what is not None:
        raise UserError(f"{name}: the file says that it holds {what}; {WANTED}")
