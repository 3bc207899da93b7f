"""The table of generated crystals, as HTML, and how far their generation is."""

from html import escape
from typing import TYPE_CHECKING

from generate.judging import chances
from ui.show.table import bar, formula_html, row_html, table_html
from xtal.crystals import cell_parameters

if TYPE_CHECKING:
    from generate.candidate import Candidate
    from generate.judging import Chance
    from search.solution import Solution
    from ui.job import Step

CAPTION = "Generated, not verified"
COLUMNS = (
    ("#", "Rank, mostly by agreement, then by fit and similarity; 1 is best"),
    ("Formula", "Contents of the primitive cell"),
    ("Chance", "How likely net and parts are right, from questions with known answers; solved: the atoms are, too"),
    ("Fit", "Share of the measured intensity above the background that the fitted profile reproduces (1 - R)"),
    ("Contact", "Closest atoms over the shortest distance that chemistry allows them; below 1 they overlap"),
    ("Cell", "a, b, c in Å and α, β, γ in degrees"),
    ("Started from", "What the diffusion began with: noise, or a known structure"),
)


def candidate_fits_best(solution: "Solution") -> bool:
    """Return whether the first candidate fits better than the best hit; a hit without a fit is no rival."""
    hits, made = solution.answer.hits, solution.candidates
    rival = hits[0].fit if hits else None
    return bool(made) and (rival is None or made[0].fit > rival)


def candidates_html(solution: "Solution", selected: int) -> str:
    """Return notes and table of what was generated; the row of rank `selected` is marked. Empty where nothing was."""
    notes = "".join(f'<p class="xs-remark">{escape(_sentence(note))}</p>' for note in solution.notes)
    if not solution.candidates:
        return f'<div class="xs-generated">{notes}</div>' if notes else ""
    if not candidate_fits_best(solution):
        fits = f"{solution.answer.hits[0].fit:.3f} against {solution.candidates[0].fit:.3f}"
        notes += f'<p class="xs-remark">The best hit fits better than candidate 1 ({fits}).</p>'
    judged = zip(solution.candidates, chances(solution.candidates), strict=True)
    rows = [row_html(_cells(each, chance), each.rank, each.rank == selected) for each, chance in judged]
    table = table_html(COLUMNS, rows, "xs-made")
    return f'<div class="xs-generated"><h3 class="xs-caption">{CAPTION}</h3>{notes}{table}</div>'


def progress_html(step: "Step | None", which: str = "") -> str:
    """Return how far a generation is, for the file `which` where there are several; nothing while there is none."""
    if step is None:
        return ""
    bar_ = f'<progress value="{step.share:.3f}"></progress>' if step.share else "<progress></progress>"
    begin = f"{which}: " if which else ""
    if step.what:
        words = _listed(f"{begin}Generating", step.turn.words, step.what)
    elif not step.step:
        words = escape(f"{begin}Generating: opening the model")
    elif step.step == step.steps:
        words = _listed(f"{begin}Generated", step.turn.words, "refining the cells and comparing them with the pattern")
    else:
        words = _listed(f"{begin}Generating", step.turn.words, f"step {step.step} of {step.steps}")
    return f'<div class="xs-building" role="status"><span>{words}</span>{bar_}</div>'


def cell_html(candidate: "Candidate") -> str:
    """Return a, b, c in Å and α, β, γ in degrees; a line may end between them."""
    lengths, angles = cell_parameters(candidate.crystal.lattice)
    parts = ("{:.2f} {:.2f} {:.2f}".format(*lengths), "{:.1f} {:.1f} {:.1f}".format(*angles))
    return " ".join(f'<span class="xs-triple">{part}</span>' for part in parts)


def _cells(candidate: "Candidate", chance: "Chance") -> tuple[str, ...]:
    crystal = candidate.crystal
    overlap = ' class="xs-bad"' if candidate.closest < 1 else ""
    return (
        f"{candidate.rank}",
        f'<span class="xs-formula" title="{escape(crystal.formula)}">{formula_html(crystal.formula)}</span>',
        _chance_html(chance, candidate),
        bar(candidate.fit),
        f"<span{overlap}>{candidate.closest:.2f}</span>",
        cell_html(candidate),
        f'<span class="xs-id" title="{escape(candidate.start)}">{escape(candidate.start)}</span>',
    )


def _chance_html(chance: "Chance", candidate: "Candidate") -> str:
    """Return the word, how likely the framework is, and more for those who ask."""
    more = (
        f"framework {chance.framework:.0%}, its atoms in place {chance.atoms:.0%}; "
        f"agreement {candidate.agreement:.2f}, similarity of fingerprints {candidate.similarity:.2f}"
    )
    return f'<span title="{more}">{bar(chance.framework, f"{chance.framework:.0%} {chance.word}")}</span>'


def _listed(*parts: str) -> str:
    """Return what is said, with commas; what nobody knows is left out."""
    return escape(", ".join(filter(None, parts)))


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".") + "."
