"""The one call: search, judge, generate where nothing fits, remember."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Self

from generate.preview import CANCELLED, Cancelled, Preview
from indexer.crew import HERE, Crew
from search.answer import Answer
from search.cache import Origin, solution_key
from search.engine import Engine
from search.frameworks import Describer
from search.options import Event, GoOn, Options, Watch
from search.phases import PhaseJudge
from search.solution import UNFINISHED, Solution
from search.verdict import Judge
from search.wanted import reason_against
from search.workers import Searcher, Workers
from xtal.errors import UserError
from xtal.interrupt import interruptible
from xtal.patterns import Pattern
from xtal.patterns.background import background
from xtal.patterns.sample import Sample

if TYPE_CHECKING:
    from generate.engine import CandidateGenerator
    from generate.run import Generation
    from search.cache import Cache

WORD = 0.5  # seconds between words while a generation waits for its turn


class Solver:
    """An engine with its judge, a generator that is opened when it is first needed, and the cache.

    Safe to use from several threads; one generation runs at a time, searches go on meanwhile.
    """

    def __init__(
        self,
        engine: Engine,
        judge: Judge,
        cache: "Cache | None" = None,
        workers: Workers | None = None,
        crew: Crew[None] = HERE,
    ) -> None:
        """Take what answers; a `crew` searches for crystals from parts."""
        self.engine, self.judge, self.cache, self._crew = engine, judge, cache, crew
        self._workers = workers
        self._phases = PhaseJudge(engine)
        self._generating = Lock()

    @classmethod
    def open(cls, index: str, home: Path | None = None, cache: bool = True, workers: int = 0) -> Self:
        """Open an index by name with its calibration, and the cache unless `cache` is off.

        Args:
            index: by name.
            home: where indexes and cache are kept; None takes the usual place.
            cache: whether answers are remembered.
            workers: processes that search; 0 searches in this one.

        Raises:
            UserError: the index is missing or damaged, or there is no calibration for it.
        """
        from search.cache import Cache

        where = None if home is None else home / "cache.duckdb"
        searcher = Searcher.open(index, home)
        processes = Workers(index, workers, home) if workers else None
        return cls(searcher.engine, searcher.judge, Cache.open(where) if cache else None, processes)

    def close(self) -> None:
        """End the workers, and give the cache back to other processes."""
        if self._workers is not None:
            self._workers.close()
        if self.cache is not None:
            self.cache.close()

    @cached_property
    def describer(self) -> Describer | None:
        """What tells of the entries of the index what they are."""
        return Describer(self.engine.index)

    @cached_property
    def origin(self) -> Origin:
        """The models and the index that answer."""
        from models.ccsg.denoiser import shipped_id

        manifest = self.engine.index.manifest
        return Origin(self.engine.embedder.model_id, shipped_id(), manifest.name, manifest.build_id)

    def solve(
        self,
        pattern: Pattern,
        options: Options | None = None,
        watch: Watch = lambda _: None,
        go_on: GoOn = lambda: None,
    ) -> Solution:
        """Answer one pattern; what was answered before comes from the cache.

        Args:
            pattern: as measured.
            options: the defaults when None.
            watch: hears of the search's answer and of every step of a generation.
            go_on: asked now and then, in another thread, while crystals are generated.

        Raises:
            UserError: nothing in the index passes the filter, or an option cannot be used.
        """
        options = options or Options()
        origin = self.origin
        key = solution_key(pattern, options, [origin.embedder_id, origin.denoiser_id], origin.build_id)
        known = self.cache.find(key, pattern) if self.cache is not None else None
        if known is not None and not known.unfinished:
            watch(Event(known.answer, known.verdict, key=key))
            return known
        start = time.perf_counter()
        searcher = self._workers or Searcher(self.engine, self.judge, self._phases)
        answer, verdict = searcher.search(pattern, options)
        solution = Solution(key, answer, verdict)
        against = reason_against(options, answer, verdict)
        if against:
            solution = replace(solution, notes=(against,))
        generates = against is None
        if generates and self.cache is not None:  # whatever becomes of the generation, this is not lost
            self.cache.store(replace(solution, notes=(UNFINISHED,)), options, origin)
        watch(Event(answer, verdict, key=key))
        if generates:
            solution = self._generated(solution, options, watch, go_on)
        done = replace(solution, seconds=time.perf_counter() - start)
        if self.cache is not None and (done.candidates or not done.cancelled):
            kept = replace(done, notes=(*done.notes, UNFINISHED)) if done.cancelled else done
            self.cache.store(kept, options, origin)
        return done

    def _generated(self, solution: Solution, options: Options, watch: Watch, go_on: GoOn) -> Solution:
        """Add candidates, or say why there are none: what the search found is not lost with them."""
        answer, verdict = solution.answer, solution.verdict

        def hear(preview: Preview) -> None:
            """Pass on a step of the generation, with what the search found."""
            watch(Event(answer, verdict, preview))

        try:
            with self._turn(hear), interruptible(go_on):
                found = self._generation(answer, options, hear)
        except Cancelled as cancelled:
            return replace(solution, notes=(str(cancelled) or CANCELLED,), cancelled=True)
        except UserError as error:
            return replace(solution, notes=(f"nothing was generated: {error}",))
        made = replace(solution, candidates=tuple(found.candidates), notes=tuple(found.notes))
        return replace(made, cancelled=found.cancelled)

    @contextmanager
    def _turn(self, hear: Callable[[Preview], None]) -> Iterator[None]:
        """Wait for the generations before this one; whoever watches may end the wait."""
        while not self._generating.acquire(timeout=WORD):
            hear(Preview(0, 0, list, what="waiting for another generation"))
        try:
            yield
        finally:
            self._generating.release()

    def _generation(self, answer: Answer, options: Options, hear: Callable[[Preview], None]) -> "Generation":
        from generate.known import Gallery
        from generate.run import generate_with

        generator = self.generator
        same = generator.embedder.model_id == self.engine.embedder.model_id
        gallery = Gallery.of_index(self.engine.index) if same else None
        sample = Sample(answer.pattern, background(answer.pattern), answer.lines)
        return generate_with(generator, gallery, sample, *options.held, options.request, hear, options.elements)

    @cached_property
    def generator(self) -> "CandidateGenerator":
        """The diffusion model; opening it takes a second."""
        from generate.engine import CandidateGenerator

        return CandidateGenerator.open(crew=self._crew)
