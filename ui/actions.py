"""What happens when the person at the page does something. Each action returns a `View`: all that the page shows."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING

from ui.inputs import NO_WAVELENGTH, Loaded, Source, bare_curve, load
from ui.job import Job, Jobs
from ui.library import Library
from ui.opening.asked import Asked
from ui.question import Question
from ui.show.candidates import candidate_fits_best
from ui.show.lines import with_line, without_line
from ui.show.texts import answer_facts, error_html, file_name, no_wavelength_html, notice_html
from ui.show.viewer import scene
from ui.view import Edits, View, pattern_view, read_view, remembered_view
from xtal.errors import UserError
from xtal.patterns import Lines, Pattern

if TYPE_CHECKING:
    from search.answer import Hit
    from search.frameworks import Details
    from search.frameworks.asked import Compared
    from search.solution import Solution

NO_PATTERN = "There is no pattern to search for. Drop a file or pick an example first."
ASK_LATER = "“Is it …?” compares with a pattern: drop a file, or wait for its search."
NOT_READY = "The index is not ready yet. The search starts once it is."
ASK_FIRST = "There is no answer yet whose phases could leave something."
REST = "This is a difference: the measured pattern without the named phases. Its answer is the less sure for it."
SOON = 0.2  # seconds in which an answer out of the cache is complete
OTHER_BUILD = "This answer was made with another build of the index; search again to see its structures."


class Actions:
    """The behaviour of the page, without any of its layout."""

    def __init__(self, library: Library) -> None:
        """Answer from the index of `library`, once it is ready."""
        self.library, self.jobs, self.asked = library, Jobs(), Asked()

    def show(self, source: Source | None, wavelength: str | None, edits: Edits | None = None) -> View:
        """Read a pattern and draw it, with the lines edited so far if they belong to it."""
        if source is None:
            return View(kept=edits)
        try:
            view = read_view(load(source, wavelength), edits)
        except UserError as error:
            if error.reason == NO_WAVELENGTH:
                return View(message=no_wavelength_html(str(error)), kept=edits, bare=bare_curve(source))
            return View(message=error_html(str(error)), kept=edits)
        return view if view.loaded is None else replace(view, asked=self.asked.open(view.loaded))

    def begin(self, loaded: Loaded | None, question: Question, lines: Lines | None = None) -> tuple[View, Job | None]:
        """Search the index and show the best hit; the job is None unless it goes on, generating.

        Args:
            loaded: the pattern, or None.
            question: the controls.
            lines: as a person edited them; None searches with those found.
        """
        if loaded is None:
            return View(message=error_html(NO_PATTERN)), None
        view, solver = pattern_view(loaded, lines, edited=lines is not None), self.library.solver
        if solver is None:
            return replace(view, message=notice_html(NOT_READY)), None
        try:
            options = replace(question.options(), lines=lines)
            if loaded.rest and options.generate == "auto":
                options = replace(options, generate="never")
            job = Job(solver, loaded.pattern, options).start()
            view = self.answered(loaded, job.wait_for_search())
        except UserError as error:
            return replace(view, message=error_html(str(error))), None
        if job.wait(SOON if job.generates else None):
            return self.finish(view, job), None
        self.jobs.add(job, loaded)
        return view, job

    def left(self, view: View) -> View:
        """Show what the phases of an answer leave of its pattern, to be searched."""
        from search.phases.left import left_pattern

        engine, solution = self.library.engine, view.solution
        if engine is None or solution is None or view.loaded is None:
            return replace(view, message=notice_html(ASK_FIRST))
        try:
            rest = left_pattern(engine, solution.answer, solution.verdict)
        except UserError as error:
            return replace(view, message=error_html(str(error)))
        return pattern_view(replace(view.loaded, pattern=rest, notice=REST, remark="", rest=True))

    def rejoin(self, prefix: str) -> tuple[View, Job | None]:
        """Show the answer whose key begins so; where its generation is still under way, the job too."""
        found = self.jobs.find(prefix)
        if found is None:
            return self.reopen(prefix), None
        job, loaded = found
        return self.answered(loaded, job.wait_for_search()), job

    def answered(self, loaded: Loaded, solution: "Solution") -> View:
        """Show a pattern with what it was answered with, the best hit selected."""
        from search.frameworks import frameworks

        answer, solver = solution.answer, self.library.solver
        view = replace(pattern_view(loaded, answer.lines, answer.edited), solution=solution)
        if solver is None:
            return view
        facts = view.facts + answer_facts(solution, solver.engine)
        rows = frameworks(answer, solution.verdict, solver.describer)
        view = replace(view, facts=facts, threshold=solver.judge.calibration.decisive, rows=rows)
        if solution.verdict.phases:
            return self.select_phases(view)
        return self.select(view, rows[0].first.rank) if rows else view

    def select_phases(self, view: View) -> View:
        """Overlay all phases of a mixture on the pattern and draw the cell of the first."""
        engine, solution = self.library.engine, view.solution
        if engine is None or solution is None:
            return view
        hits = [phase.hit for phase in solution.verdict.phases]
        return replace(
            self._drawn(view, hits[0]),
            overlay=engine.stacked(solution.answer.pattern, hits),
            unexplained=solution.verdict.unexplained,
            selected=" + ".join(hit.id for hit in hits),
            hit=0,
        )

    def finish(self, view: View, job: Job) -> View:
        """Show what a job ended with; a candidate that fits best is selected when the reader watched it being made."""
        if view.solution is None or job.solution is None or view.solution.answer is not job.solution.answer:
            return view  # the page shows another pattern by now
        view = replace(view, solution=job.solution)
        if job.error:
            view = replace(view, message=error_html(job.error))
        if job.previewing and candidate_fits_best(job.solution):
            return self.select_candidate(view, 1)
        return self.select(view, view.hit)

    def compare(self, view: View, asked: str, cif: Source | None = None) -> View:
        """Weigh the structure that is asked for against the pattern shown, and overlay it.

        Args:
            view: with an answer.
            asked: name, refcode, or the name of `cif`; blank asks for nothing.
            cif: that was dropped, or None.
        """
        from search.frameworks.asked import compare, structure_of

        solver, solution = self.library.solver, view.solution
        if not asked.strip():
            return replace(view, compared=None)
        if solver is None or solution is None or solver.describer is None or view.loaded is None:
            return replace(view, message=notice_html(ASK_LATER))
        try:
            dropped = cif is not None and asked.strip() == cif.name  # no path is read: whoever types is elsewhere
            what = structure_of(str(cif.path), cif.name) if dropped and cif is not None else asked
            found = compare(what, solver.engine, solver.judge, solver.describer, solution.answer, solution.verdict)
        except UserError as error:
            return replace(view, compared=None, message=error_html(str(error)))
        view = replace(view, compared=found, message=notice_html(view.loaded.news))
        listed = next((hit for row in view.rows for hit in row.hits if found.hit and hit.id == found.hit.id), None)
        if listed is not None:
            return self.select(view, listed.rank)
        return self._compared(view, found)

    def _compared(self, view: View, found: "Compared") -> View:
        """Overlay a structure that is none of the hits."""
        from search.refinement.hit_cif import hit_cif
        from search.verdict.evidence import compare_lines

        answer, hit = view.answer, found.hit
        if answer is None or hit is None or view.loaded is None:
            return view
        crystal = found.engine.crystal(hit.id)
        cif = hit_cif(crystal, hit, self.library.index_name, view.loaded.source.name)
        return replace(
            view,
            overlay=found.overlay(answer),
            unexplained=compare_lines(answer, hit, found.engine.index.lines).unexplained,
            selected=hit.id,
            hit=0,
            candidate=0,
            refined=None,
            scene=scene(crystal, hit.id, cif, file_name(hit.id)),
        )

    def select(self, view: View, rank: int) -> View:
        """Overlay the hit of this rank on the pattern and draw its cell."""
        from search.verdict.evidence import compare_lines

        engine, answer = self.library.engine, view.answer
        hit = next((hit for row in view.rows for hit in row.hits if hit.rank == rank), None)
        if engine is None or answer is None or view.loaded is None or hit is None:
            return view
        fitted = hit.fit is not None and len(answer.lines) > 0
        return replace(
            self._drawn(view, hit),
            overlay=engine.overlay(answer.pattern, hit),
            unexplained=compare_lines(answer, hit, engine.index.lines).unexplained if fitted else (),
            selected=hit.id,
            hit=rank,
            details=self._details(hit),
        )

    def _details(self, hit: "Hit") -> "Details | None":
        """Return what is told of the entry of a hit."""
        describer = None if self.library.solver is None else self.library.solver.describer
        return None if describer is None else describer.details(hit.row)

    def _drawn(self, view: View, hit: "Hit") -> View:
        """Draw the cell of a hit."""
        from search.refinement.hit_cif import hit_cif

        engine = self.library.engine
        if engine is None or view.loaded is None:
            return view
        crystal = engine.crystal(hit.id)
        cif = hit_cif(crystal, hit, self.library.index_name, view.loaded.source.name)
        return replace(view, candidate=0, refined=None, scene=scene(crystal, hit.id, cif, file_name(hit.id)))

    def select_candidate(self, view: View, rank: int) -> View:
        """Overlay the generated crystal of this rank on the pattern and draw its cell."""
        from generate.checks import plausibility
        from generate.cif import candidate_cif
        from models.ccsg.denoiser import NAME
        from ui.show.fitted import candidate_overlay

        made = () if view.solution is None else view.solution.candidates
        candidate = next((candidate for candidate in made if candidate.rank == rank), None)
        if candidate is None or view.loaded is None:
            return view
        crystal = candidate.crystal
        stem = PurePath(view.loaded.pattern.source).stem
        title = f"Candidate {rank}, generated, not verified"
        cif, remarks = candidate_cif(candidate, NAME, crystal.formula), [plausibility(crystal).words]
        return replace(
            view,
            overlay=candidate_overlay(view.loaded.pattern, candidate),
            unexplained=(),
            selected=f"candidate {rank}",
            hit=0,
            candidate=rank,
            refined=None,
            scene=scene(crystal, title, cif, file_name(f"{stem}-generated-{rank}"), remarks, by_parts=True),
        )

    def remove_line(self, view: View, place: str) -> View:
        """Leave out the line at `place`, see `ui.show.lines.without_line`."""
        return self._edited(view, lambda pattern, lines: without_line(pattern, lines, place))

    def add_line(self, view: View, place: str, height: str) -> View:
        """Add a line, see `ui.show.lines.with_line`."""
        return self._edited(view, lambda pattern, lines: with_line(pattern, lines, place, height))

    def _edited(self, view: View, edit: Callable[[Pattern, Lines], Lines]) -> View:
        """Show edited lines; the answer stays until they are searched with."""
        if view.loaded is None or view.lines is None:
            return replace(view, lines_error=error_html(NO_PATTERN))
        try:
            lines = edit(view.loaded.pattern, view.lines)
        except UserError as error:
            return replace(view, lines_error=error_html(str(error)))
        return replace(view, lines=lines, edited=view.edited or lines is not view.lines, lines_error="")

    def found_lines(self, view: View) -> View:
        """Go back to the lines found in the pattern."""
        from xtal.patterns.linefinder import find_lines

        if view.loaded is None:
            return view
        searched = view.answer is not None and not view.answer.edited
        lines = view.answer.lines if view.answer and searched else find_lines(view.loaded.pattern)
        return replace(view.told(), lines=lines, edited=False, lines_error="")

    def reopen(self, prefix: str) -> View:
        """Show an answer out of the cache; `prefix` begins its key."""
        solver = self.library.solver
        if solver is None or solver.cache is None:
            return View(message=notice_html(NOT_READY))
        if not re.fullmatch("[0-9a-f]{8,64}", prefix):
            return View(message=error_html("An answer is named by the first 8 digits of its key, 0 to 9 and a to f."))
        try:
            record = solver.cache.stored(prefix)
        except UserError as error:
            return View(message=error_html(str(error)))
        view = remembered_view(record.solution)
        if record.origin.build_id != solver.origin.build_id:
            return replace(view, message=notice_html(OTHER_BUILD))
        if view.loaded is None:
            return view
        again = self.answered(view.loaded, record.solution)
        return again if record.solution.answer.hits else self.select_candidate(again, 1)
