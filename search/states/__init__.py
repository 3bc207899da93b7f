"""A known framework in another pore state: its lines stand where a stretched cell puts them, the intensities differ."""

from search.states.judge import StateJudge

__all__ = ["StateJudge"]
