"""What the person at the page gives: a pattern file or an example, a wavelength, elements, a formula."""

from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path

from xtal.errors import UserError
from xtal.patterns import Pattern, parse_wavelength
from xtal.patterns.wavelengths import ANODES

FROM_FILE = "From the file"
LARGEST_FILE = "50mb"  # what the readers take at most
NO_WAVELENGTH = "no_wavelength"  # reason of an error
ADVICE = {
    NO_WAVELENGTH: "choose the one it was measured with under “Wavelength”",
    "structure": "drop it beside a measured pattern, and “Is it …?” compares the two",
    "several_wavelengths": "choose the right one under “Wavelength”",
}
ANODE_ORDER = ("Cu", "Mo", "Co", "Fe", "Cr", "Ag", "W")  # the commonest first


@dataclass(frozen=True)
class Source:
    """Where a pattern comes from.

    Attributes:
        path: the file on this machine.
        name: what to call it on the page.
        simulated: True for a bundled example, which nobody measured; None when that is not known.
    """

    path: Path
    name: str
    simulated: bool | None = False


@dataclass(frozen=True)
class Loaded:
    """A pattern that was read, and how its wavelength is known.

    Attributes:
        pattern: as read.
        source: where from.
        origin: ``from the file`` or ``chosen``.
        notice: what the reader should know, for example that the file states another wavelength.
        remark: what became of lines that were edited before; said until the reader asks again.
        rest: whether it is what phases leave of another pattern; nothing is generated for that.
    """

    pattern: Pattern
    source: Source
    origin: str
    notice: str = ""
    remark: str = ""
    rest: bool = False

    @property
    def news(self) -> str:
        """All that is to be said of it."""
        return " ".join(filter(None, (self.notice, self.remark)))


def examples() -> list[Source]:
    """List the bundled patterns; all are simulated and say so."""
    folder = Path(str(files("search") / "examples"))
    return [Source(path, f"{path.stem} (simulated)", simulated=True) for path in sorted(folder.glob("*.xye"))]


def wavelength_choices() -> list[tuple[str, str]]:
    """List label and value of the usual wavelengths; the value is what `parse_wavelength` reads."""
    lines = [(f"{anode} Kα", f"{anode}Ka", ANODES[anode].ka) for anode in ANODE_ORDER]
    lines[1:1] = [("Cu Kα1", "CuKa1", ANODES["Cu"].ka1)]
    return [(FROM_FILE, FROM_FILE), *((f"{label} ({value:.4f} Å)", text) for label, text, value in lines)]


def load(source: Source, choice: str | None) -> Loaded:
    """Read the pattern with the wavelength the file states, or the one chosen.

    Raises:
        UserError: when the file is no pattern, or states no wavelength and none is chosen.
    """
    from xtal.readers import read_pattern

    text, stored = (choice or "").strip(), source.path.name
    try:
        if text in ("", FROM_FILE):
            made = Loaded(read_pattern(source.path), source, "from the file")
        else:
            chosen = parse_wavelength(text)
            made = Loaded(read_pattern(source.path, chosen), source, "chosen", _conflict(source, chosen))
    except UserError as error:
        raise UserError(error.told(ADVICE).replace(stored, source.name), error.reason) from None
    if source.simulated:  # its file has the name that people know
        return made
    return replace(made, pattern=replace(made.pattern, source=made.pattern.source.replace(stored, source.name)))


def bare_curve(source: Source) -> Pattern | None:
    """Return a pattern whose wavelength is not known, to be drawn; None where its angles depend on it (q or d)."""
    from xtal.readers import read_pattern

    try:
        one, other = (read_pattern(source.path, ANODES[anode].ka) for anode in ("Cu", "Mo"))
    except UserError:
        return None
    same = len(one.two_theta) == len(other.two_theta) and bool((one.two_theta == other.two_theta).all())
    return one if same else None


def _conflict(source: Source, chosen: float) -> str:
    """Return a notice when the file states a wavelength that differs from the chosen one by more than 0.1 %."""
    from xtal.readers import read_pattern

    try:
        stated = read_pattern(source.path).wavelength
    except UserError:
        return ""
    if abs(stated / chosen - 1) < 1e-3:
        return ""
    return f"The file states {stated:.5f} Å; the chosen {chosen:.5f} Å is used instead."
