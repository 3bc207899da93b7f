"""The panel that finds the unit cells that a pattern may have, from the places of its lines alone."""
