"""Numbers that every way to ask for candidates keeps to."""

MOST_CANDIDATES = 200
SEARCH_SECONDS, MOST_SECONDS = 30, 3600  # of a core, for the search for frameworks from their parts
