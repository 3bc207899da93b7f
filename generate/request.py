"""How candidates are asked for."""

from dataclasses import dataclass

from generate.knowledge import check_knowledge
from generate.limits import MOST_CANDIDATES, MOST_SECONDS, SEARCH_SECONDS
from generate.sampler import SAMPLERS, Method
from models.ccsg.schedule import STEPS
from xtal.errors import UserError


@dataclass(frozen=True)
class Request:
    """How candidates are sampled.

    Attributes:
        count: candidates.
        steps: of the sampler from pure noise; templates, which are less noisy, take their share of these.
        seed: of everything random; repeats a run bit for bit on one machine.
        method: the sampler.
        template: ``auto`` solves up to half of the candidates from parts, and builds up to half of the others from
            known crystals by exchanging linkers; the rest are templates as they are, noised templates and noise in
            turn. ``none`` begins all from noise, and the id of an entry all from this one, noised.
        level: step of the diffusion up to which templates are noised; 300 moves atoms by about 0.3 Å.
        seconds: of one core for the search for frameworks from their parts; 0 leaves it out.
        metals: symbols of what the chemist knows to be there; none where nothing is known.
        linkers: names or SMILES, see `generate.knowledge.linker_kinds`.
        guests: names or SMILES of solvents and ions.
    """

    count: int = 20
    steps: int = 100
    seed: int = 0
    method: Method = "ancestral"
    template: str = "auto"
    level: int = 300
    seconds: int = SEARCH_SECONDS
    metals: tuple[str, ...] = ()
    linkers: tuple[str, ...] = ()
    guests: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raise UserError on what cannot be sampled."""
        if self.method not in SAMPLERS:
            raise UserError(f"sampler {self.method!r} is not known; choose one of: {', '.join(SAMPLERS)}")
        limits = {
            "count": (1, MOST_CANDIDATES),
            "steps": (1, STEPS),
            "level": (1, STEPS),
            "seconds": (0, MOST_SECONDS),
        }
        for name, (low, high) in limits.items():
            if not low <= getattr(self, name) <= high:
                raise UserError(f"{name} must lie in {low} to {high}, got {getattr(self, name)}")
        if self.metals or self.linkers or self.guests:
            check_knowledge(self.metals, self.linkers, self.guests)
