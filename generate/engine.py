"""Generate candidate crystals for one pattern: sample, refine the cells, check, embed, rank."""

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from typing import Self

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

import models
from generate.candidate import Candidate
from generate.judging.ranking import Origin, ranked
from generate.known import Builder, Gallery
from generate.known.shelf import lone_linkers
from generate.known.starts import ALIKE, HOSTS
from generate.known.templates import adapted, in_turn, templates
from generate.parts import Kind, Library
from generate.preview import Preview, Watch
from generate.request import Request
from generate.sampler import SAMPLERS, Noisy, noised, pure_noise
from generate.start import Start
from indexer.crew import HERE, Crew
from models.ccsg.denoiser import LARGEST, Denoiser, Memory
from models.ccsg.schedule import STEPS
from models.embedder import Embedder
from models.registry import Device
from xtal.crystals import Crystal, niggli
from xtal.errors import UserError
from xtal.patterns.sample import Sample
from xtal.physics.indexing import IndexedCell

SOLVING = 0.8  # of the work on a formula, where it is solved from parts
INDEXING, BUILDING = "indexing the peaks", "known frameworks with other linkers"  # what takes seconds before a step
OTHERS = 4  # one candidate in so many begins from a template or from noise, whatever was built


class CandidateGenerator:
    """The diffusion model with the fingerprints that judge what it makes; a `crew` searches from parts."""

    def __init__(
        self, denoiser: Denoiser, embedder: Embedder, library: Library | None = None, crew: Crew[None] = HERE
    ) -> None:
        """Take models that are open, and a library of parts, by default the one that comes with the package."""
        self.denoiser, self.embedder, self._library, self.crew = denoiser, embedder, library, crew

    @classmethod
    def open(cls, device: Device = "auto", crew: Crew[None] = HERE) -> Self:
        """Open the models that come with the package."""
        return cls(Denoiser(device=device), models.load(device=device), crew=crew)

    @cached_property
    def library(self) -> Library:
        """Parts that frameworks are solved from."""
        return self._library or Library.load()

    def knowing(self, library: Library) -> Self:
        """Return a generator with the same models and another library."""
        return type(self)(self.denoiser, self.embedder, library, self.crew)

    def generate(
        self,
        sample: Sample,
        numbers: NDArray[np.int64],
        request: Request,
        gallery: Gallery | None = None,
        watch: Watch = lambda _: None,
    ) -> list[Candidate]:
        """Sample, refine and rank candidates for one pattern.

        Args:
            sample: the pattern with its lines.
            numbers: (N,) atomic numbers of what one primitive cell holds.
            request: how to sample.
            gallery: known crystals to begin from; None begins from noise alone.
            watch: hears of what is built, as step 0, and of every step.

        Raises:
            UserError: too many atoms, no line in the pattern, or a template that is not in the gallery.
        """
        if not 1 <= len(numbers) <= LARGEST:
            raise UserError(f"a cell may hold 1 to {LARGEST} atoms, got {len(numbers)}; give the primitive cell's")
        vector = self.embedder.embed_patterns([sample.lines])[0]
        starts = self._starts(sample, vector, numbers, request, gallery, watch)
        crystals = self._sampled(sample, numbers, request, starts, watch)
        network = self.denoiser.model_id
        origins = [
            Origin("noise", network) if start is None else Origin(start.words, network if start.diffused else "")
            for start in starts
        ]
        return ranked(self.embedder, sample, vector, crystals, origins, request.seed)

    def undiffused(
        self, sample: Sample, numbers: NDArray[np.int64], request: Request, gallery: Gallery
    ) -> tuple[list[Candidate], list[Candidate]]:
        """Return what `generate` may begin from, not diffused but refined and ranked: what was built, and templates."""
        vector = self.embedder.embed_patterns([sample.lines])[0]
        built, known = self._known(sample, vector, numbers, request, gallery, self._cells(sample, numbers, request))
        settled = self._crystals(self._settled(known, numbers, np.random.default_rng(request.seed))) if known else []
        one, other = (
            ranked(self.embedder, sample, vector, crystals, [Origin(s.id) for s in starts], request.seed)
            for crystals, starts in (([s.crystal for s in built], built), (settled, known))
        )
        return one, other

    def relaxed(self, sample: Sample, starts: Sequence[Start], watch: Watch) -> list[Start]:
        """Bend the molecules of what was made of parts; best fits first."""
        from generate.solving.flexible import relaxed

        shown = [start.crystal for start in starts[:1]]
        watch(Preview(0, 1, lambda: shown, begin=SOLVING, end=SOLVING, what="letting its molecules bend"))
        return relaxed(sample, starts, self.library.chemistry)

    def _known(
        self,
        sample: Sample,
        vector: NDArray[np.float32],
        numbers: NDArray[np.int64],
        request: Request,
        gallery: Gallery,
        cells: Sequence[IndexedCell],
        hear: Callable[[Crystal], None] = lambda _: None,
    ) -> tuple[list[Start], list[Start]]:
        """Crystals built by exchanging linkers, and templates."""
        near = gallery.nearest(vector, HOSTS)
        library = self.library if request.seconds else None
        extra = lone_linkers(_named(request), numbers)
        alike = gallery.alike(numbers, ALIKE)
        builder = Builder(self.embedder, sample, vector, near, alike, extra, library, cells)
        return builder.build(numbers, request.count, hear), templates(near, numbers)

    def _cells(self, sample: Sample, numbers: NDArray[np.int64], request: Request) -> list[IndexedCell]:
        """Index the pattern, where there is time for a search."""
        if not request.seconds:
            return []
        from generate.solving import indexed

        return indexed(sample, numbers, request.seconds)

    def _starts(
        self,
        sample: Sample,
        vector: NDArray[np.float32],
        numbers: NDArray[np.int64],
        request: Request,
        gallery: Gallery | None,
        watch: Watch,
    ) -> list[Start | None]:
        """What each candidate begins from; None is noise."""
        if request.template == "none" or (request.template != "auto" and gallery is None):
            return [None] * request.count
        if request.template != "auto" and gallery is not None:
            named = gallery.named(request.template)
            return [Start(named.id, named.crystal, diffused=True)] * request.count

        def tell(what: str, *built: Crystal) -> None:
            """Tell what is done before the first step, and show what is built."""
            watch(Preview(0, request.steps, lambda: list(built), what=what))

        hear = partial(tell, BUILDING)
        if request.seconds:
            tell(INDEXING)
        cells = self._cells(sample, numbers, request)
        if cells:
            hear()
        built, known = list[Start](), list[Start]()
        if gallery is not None:
            built, known = self._known(sample, vector, numbers, request, gallery, cells, hear)
        solved = self._solved(sample, numbers, request, cells, [*built, *known], watch)[: (request.count + 1) // 2]
        best = self.relaxed(sample, [*solved, *built], watch) if request.seconds else built
        others = max(request.count // OTHERS, min(3, request.count // 2))
        return in_turn(best[: request.count - others], known, request.count)

    def _solved(
        self,
        sample: Sample,
        numbers: NDArray[np.int64],
        request: Request,
        cells: Sequence[IndexedCell],
        seeds: Sequence[Start],
        watch: Watch,
    ) -> list[Start]:
        """Frameworks solved from their parts, best first; `seeds` may be nearly right."""
        if not request.seconds:
            return []
        from generate.solving import solved_starts

        def hear(share: float, crystal: Crystal) -> None:
            """Show the best arrangement so far."""
            step, what = round(share * request.seconds), "searching for the places of its parts"
            watch(Preview(step, request.seconds, lambda: [crystal], end=SOLVING, what=what))

        rng, rest = np.random.default_rng(request.seed), (_named(request), hear, self.crew)
        return solved_starts(sample, numbers, self.library, request.seconds, rng, cells, seeds, *rest)

    def _sampled(
        self,
        sample: Sample,
        numbers: NDArray[np.int64],
        request: Request,
        starts: Sequence[Start | None],
        watch: Watch,
    ) -> list[Crystal]:
        """Run the sampler, once for those from noise and once for noised templates; give the others their atoms."""
        rng = np.random.default_rng(request.seed)
        still = [start for start in starts if start is not None and not start.diffused]
        known = [start for start in starts if start is not None and start.diffused]
        blank = len(starts) - len(known) - len(still)
        places = np.argsort([0 if s is None else 1 + (not s.diffused) for s in starts], kind="stable")
        batches = []
        if blank:
            batches.append(pure_noise(np.tile(numbers, (blank, 1)), rng))
        if known:
            batches.append(noised(self._settled(known, numbers, rng), request.level, rng))
        memory = self.denoiser.remember([sample.lines])
        crystals: list[Crystal] = []
        steps = [max(1, round(request.steps * start.t / STEPS)) for start in batches]  # less noise, a shorter way
        for turn, start in enumerate(batches):
            hear = partial(self._report, watch, sum(steps[:turn]), sum(steps), _sampling_begins(request))
            predict = partial(self._predict, start.numbers, memory.repeated(np.zeros(len(start.numbers), np.int64)))
            crystals += self._crystals(SAMPLERS[request.method](predict, start, steps[turn], rng, hear))
        crystals += self._crystals(self._settled(still, numbers, rng)) if still else []
        if not batches:  # nothing had to be sampled
            watch(Preview(request.steps, request.steps, lambda: crystals))
        return [crystals[i] for i in np.argsort(places, kind="stable")]

    def _predict(
        self, numbers: NDArray[np.int64], memory: Memory, frac: NDArray, cell: NDArray, t: int
    ) -> tuple[NDArray, NDArray]:
        return self.denoiser.predict(numbers, frac, cell, t, memory)

    def _report(self, watch: Watch, before: int, steps: int, begin: float, state: Noisy) -> None:
        """Tell `watch` of one step; `before` were taken in an earlier batch."""
        watch(Preview(before + state.taken, steps, partial(self._crystals, state), begin=begin))

    def _settled(self, known: Sequence[Start], numbers: NDArray[np.int64], rng: Generator) -> Noisy:
        """Templates with the atoms asked for, in the reduced cells that the model knows, not noisy yet."""
        reduced = [niggli(start.crystal) for start in known]
        frac = np.array([adapted(crystal, numbers, rng) for crystal in reduced])
        cell = self.denoiser.scale.normalised(np.array([crystal.lattice for crystal in reduced]))
        return Noisy(np.tile(numbers, (len(known), 1)), frac, cell, 0)

    def _crystals(self, state: Noisy) -> list[Crystal]:
        """Return the crystals as they are now."""
        lattices = self.denoiser.scale.lattices(state.cell)
        return [Crystal(*row) for row in zip(lattices, state.frac, state.numbers, strict=True)]


def _named(request: Request) -> list[Kind]:
    """Return the parts that the chemist named."""
    if not request.linkers:
        return []
    from generate.knowledge import linker_kinds

    return [kind for linker in request.linkers for kind in linker_kinds(linker)]


def _sampling_begins(request: Request) -> float:
    """Share of the work that is done before the sampler begins."""
    return SOLVING if request.seconds and request.template == "auto" else 0.0
