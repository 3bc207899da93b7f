"""Numbers that every way to ask for candidates keeps to."""

from xtal.settings import search_seconds

MOST_CANDIDATES = 200
SEARCH_SECONDS, MOST_SECONDS = search_seconds(), 3600  # of a core, for the search for frameworks from their parts
