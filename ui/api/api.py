"""The server for programs: named endpoints, which are also the tools of its MCP server.

Their docstrings are what the API page and the tools say of them; a parameter's text must stay on one line there.
"""

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Literal, get_args

import gradio as gr
from gradio import FileData

from ui.api.calls import watched
from ui.api.drawing import figure_data
from ui.api.given import number, one_of, options_of, ready, request_of, text, told, uploaded_pattern
from ui.api.health import health
from ui.api.refining import LONGEST_REFINEMENT, refinement_data, structure_data
from ui.api.reply import compared_data, entry_data, record_data, solution_data
from ui.api.searching import searched, searched_left
from ui.library import Library
from ui.uploads import uploaded
from xtal.errors import UserError

if TYPE_CHECKING:
    from search.cache import Cache
    from search.solve import Solver

Generate = Literal["auto", "never", "always"]
GENERATIONS, REFINEMENTS, LOOKUPS = 1, 1, 4  # that run beside each other; more wait their turn
MOST_LISTED = 1000
MCP_VERSION = "1"  # of the package `mcp` that gradio 6 works with


def add_api(library: Library) -> None:
    """Add the endpoints to the page that is being built, before any handler of the page takes one of their names."""
    ends = Endpoints(library)
    for endpoint, group, limit in (
        (ends.solve, "api-generation", GENERATIONS),
        (ends.search, "api-search", library.searches),
        (ends.left, "api-search", library.searches),
        (ends.history, "api-lookup", LOOKUPS),
        (ends.answer, "api-lookup", LOOKUPS),
        (ends.structure, "api-lookup", LOOKUPS),
        (ends.figure, "api-lookup", LOOKUPS),
        (ends.refine, "refinement", REFINEMENTS),
        (ends.health, "api-lookup", LOOKUPS),
    ):
        gr.api(endpoint, concurrency_id=group, concurrency_limit=limit)


def offers_tools(login: object) -> bool:
    """Return what ``launch(mcp_server=...)`` takes: whether `mcp` is installed and the page is open to everybody.

    gradio asks the users of its MCP server for no password.
    """
    try:
        return login is None and version("mcp").partition(".")[0] == MCP_VERSION
    except PackageNotFoundError:
        return False


class Endpoints:
    """What programs can ask for. gradio checks no types, so every value is looked at here."""

    def __init__(self, library: Library) -> None:
        """Answer from the index of `library`, once it is ready."""
        self._library = library

    @told
    def solve(
        self,
        file: FileData,
        wavelength: str = "",
        elements: str = "",
        must: str = "",
        formula: str = "",
        generate: Generate = "auto",
        candidates: int = 10,
        steps: int = 100,
        seed: int = 0,
        lines: list[list[float]] | None = None,
        metals: str = "",
        linkers: str = "",
        guests: str = "",
        contents: str = "",
        is_it: str = "",
    ) -> dict[str, Any]:
        """Find the crystal structure behind a powder X-ray diffraction pattern, and generate candidates after a miss.

        Searches the index, judges the best hit (match or miss, with a calibrated probability) and, when nothing
        matches, generates crystals that fit the pattern; these are proposals, not verified. Takes from 0.1 s to
        minutes, 10 at most; one generation runs at a time. The same question a second time is answered from the cache.

        Args:
            file: the pattern, uploaded (xy, xye, csv, xrdml, raw, brml, ras, rasx, fxye, cif, ...), or a data: URL
            wavelength: CuKa, MoKa, ..., a number in Å, or an energy like 17.4 keV; blank takes the file's own
            elements: only structures made of these, for example Zn,C,H,O; blank allows all
            must: only structures that hold all of these; blank asks for none
            formula: only structures of this formula, in any multiple, are found or generated; blank allows all
            generate: auto after a miss, never, or always
            candidates: crystals to generate, 1 to 20
            steps: of the sampler, 1 to 1000; 100 are enough
            seed: of the generation; the same seed gives the same crystals
            lines: pairs [2θ in degrees, intensity in any unit] to search with; null finds them in the pattern
            metals: known to be in what is generated, one or two: Zn; blank where nothing is known
            linkers: known to be in it, with the metals: names or SMILES, up to three, separated by semicolons
            guests: solvents and ions known to be in it: DMF; NO3
            contents: what one primitive cell to generate holds: Zn4O13C24H12; blank takes what else is known
            is_it: name or refcode to compare with: UiO-66, RUBTAK02; blank asks for nothing

        Returns:
            The answer: id, verdict (kind, probability, reasons, phases), frameworks (name, probability, metals,
            linkers, entries), hits, candidates with CIF text, notes.
        """
        pattern = uploaded_pattern(file, wavelength)
        options = options_of(
            *(pattern, elements, must, formula, lines),
            formula=text("contents", contents).strip(),
            generate=one_of("generate", generate, get_args(Generate)),
            request=request_of(candidates, steps, seed, metals, linkers, guests),
        )
        with watched(self._library) as call:
            solution, asked = self._solver.solve(pattern, options, call.hear, call.go_on), text("is_it", is_it)
        return solution_data(solution, self._solver.describer) | compared_data(self._solver, solution, asked)

    @told
    def search(
        self,
        file: FileData,
        wavelength: str = "",
        elements: str = "",
        must: str = "",
        formula: str = "",
        hits: int = 10,
        lines: list[list[float]] | None = None,
        is_it: str = "",
    ) -> dict[str, Any]:
        """Find the known structures most like a powder X-ray diffraction pattern; never generates, takes 0.1 s.

        Args:
            file: the pattern, uploaded (xy, xye, csv, xrdml, raw, brml, ras, rasx, fxye, cif, ...), or a data: URL
            wavelength: CuKa, MoKa, ..., a number in Å, or an energy like 17.4 keV; blank takes the file's own
            elements: only structures made of these, for example Zn,C,H,O; blank allows all
            must: only structures that hold all of these; blank asks for none
            formula: only structures of this formula, in any multiple; blank allows all
            hits: how many structures, 1 to 100
            lines: pairs [2θ in degrees, intensity in any unit] to search with; null finds them in the pattern
            is_it: name or refcode to compare with: UiO-66, RUBTAK02; blank asks for nothing

        Returns:
            The answer: id, verdict (kind, probability, reasons, phases), frameworks (name, probability, metals,
            linkers, entries), hits, best first, the lines it is based on; is_it (yes, probability, reasons).
        """
        return searched(self._library, uploaded(file), wavelength, elements, must, formula, hits, lines, is_it)

    @told
    def left(self, answer: str, hits: int = 10) -> dict[str, Any]:
        """Search what the phases named by an answer leave of its pattern, when it names some and leaves lines.

        Args:
            answer: id of the answer
            hits: how many structures, 1 to 100

        Returns:
            An answer like that of search, to the difference: what its verdict says is the less sure for it.
        """
        return searched_left(self._library, self._cache.stored(text("answer", answer)).solution, hits)

    @told
    def history(self, limit: int = 20) -> list[dict[str, Any]]:
        """List the patterns that were answered before, newest first.

        Args:
            limit: how many at most, 1 to 1000

        Returns:
            For each its id, time (UTC), file name, verdict, first hit, number of generated crystals, and whether its
            lines were edited.
        """
        return [entry_data(entry) for entry in self._cache.history(number("limit", limit, 1, MOST_LISTED))]

    @told
    def answer(self, id: str) -> dict[str, Any]:  # noqa: A002 - what the history and every answer call it
        """Return one answer that was given before, with its hits and generated crystals.

        Args:
            id: of the answer, as the history or the answer itself gives it

        Returns:
            The answer as it was given, with the time (UTC) and the models and index that made it.
        """
        record, solver = self._cache.stored(text("id", id)), self._solver
        return record_data(record, solver.describer if record.origin.build_id == solver.origin.build_id else None)

    @told
    def structure(self, id: str, answer: str = "") -> dict[str, Any]:  # noqa: A002 - what every hit calls it
        """Return the crystal structure of a hit as the text of a CIF, in the conventional setting of its space group.

        Args:
            id: of the hit
            answer: id of an answer that lists the hit, whose fitted cell is then written; blank takes the database's

        Returns:
            Its id, reduced formula and CIF.
        """
        return structure_data(self._solver, self._library.index_name, text("id", id), text("answer", answer))

    @told
    def figure(self, answer: str, kind: str = "svg") -> dict[str, Any]:
        """Draw the pattern of an answer with what its verdict speaks of, for print: indices, ticks, difference, Rwp.

        Args:
            answer: id of the answer
            kind: svg, pdf or png, or csv for the columns 2θ, observed, calculated, background, difference

        Returns:
            The file's name, the structures drawn, Rwp, and the file itself as base64.
        """
        found = self._cache.stored(text("answer", answer)).solution
        return figure_data(self._solver.engine, found, text("kind", kind))

    @told
    def refine(
        self,
        file: FileData,
        structures: str = "",
        wavelength: str = "",
        cifs: list[str] | None = None,
        mode: str = "rietveld",
        seconds: int = 30,
    ) -> dict[str, Any]:
        """Refine one to four crystal structures against a powder X-ray diffraction pattern (Rietveld, through rietx).

        Args:
            file: the pattern, uploaded (xy, xye, csv, xrdml, raw, brml, ras, rasx, fxye, cif, ...), or a data: URL
            structures: ids of hits, separated by semicolons; blank with no cifs refines the first hit, if it is a match
            wavelength: CuKa, MoKa, ..., a number in Å, or an energy like 17.4 keV; blank takes the file's own
            cifs: texts of CIFs, refined beside the structures
            mode: rietveld, or lebail or pawley, which leave the intensities free
            seconds: time limit, 1 to 300; the last good state is returned when it is up

        Returns:
            Rwp, Rexp, GoF, phases with cell, shares and texture (values with errors), remarks, CIF and profile as CSV.
        """
        pattern = uploaded_pattern(file, wavelength)
        limit = number("seconds", seconds, 1, LONGEST_REFINEMENT)
        names = text("structures", structures)
        return refinement_data(self._solver, self._library.index_name, pattern, names, cifs, text("mode", mode), limit)

    def health(self) -> dict[str, Any]:
        """Return whether the server is ready, its version, index, models, cache and uptime."""
        return health(self._library)

    @property
    def _solver(self) -> "Solver":
        return ready(self._library)

    @property
    def _cache(self) -> "Cache":
        cache = self._solver.cache
        if cache is None or not cache.usable:
            raise UserError(f"no answers are kept: {cache.notice if cache is not None else 'the cache is off'}")
        return cache
