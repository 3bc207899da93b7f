"""Whether crystals are generated after a search, and why not."""

from search.answer import Answer
from search.options import Options
from search.verdict import Verdict

MOSTLY, FITS = 0.7, 0.5  # share of the peaks, and fit, from which on the first hit explains most of a pattern
FEW = 20  # elements: to allow more tells nothing of the sample
UNKNOWN = (
    "nothing was generated, for nothing is known of the sample: name its metal and linker, its elements, or what the "
    "cell holds; or ask for generation whatever is known"
)
EXPLAINED = (
    "nothing was generated, for {} explains {} of {} peaks: look at what is left, or ask for generation all the same"
)
EXCLUDED = (
    "nothing was generated, for {}, which the filter excludes, is a match: ask again without the filter, or ask for "
    "generation all the same"
)


def reason_against(options: Options, answer: Answer, verdict: Verdict) -> str | None:
    """Return None where crystals are generated; else why not, "" where nobody would expect it."""
    if options.generate == "always":
        return None
    if options.generate == "never" or verdict.kind != "miss":
        return ""
    count, left = len(answer.lines), len(verdict.unexplained)
    first = answer.hits[0] if answer.hits else None
    if first is None and answer.excluded is not None:
        return EXCLUDED.format(answer.excluded.id)
    if first is not None and (first.fit or 0.0) >= FITS and count - left >= MOSTLY * count:
        return EXPLAINED.format(first.id, count - left, count)
    return None if _informed(options) else UNKNOWN


def _informed(options: Options) -> bool:
    """Whether anything is known of the sample."""
    request, elements = options.request, options.elements
    known = (options.formula.strip(), options.reduced_formula, options.required, request.metals, request.linkers)
    return any(known) or (elements is not None and len(elements) <= FEW)
