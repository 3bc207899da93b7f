"""Command lines of the generator's rooms: indexing, parts, and what the chemist knows."""
