"""A sample is a mixture until shown otherwise: which phases explain a pattern together, and how sure is each."""

from search.phases.judge import PhaseJudge

__all__ = ["PhaseJudge"]
