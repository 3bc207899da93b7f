"""Refinement of what was found: the fit of the search is the start (`start`), `xtal.refinement` does the rest (`run`).

Hits as CIF in their conventional setting (`hit_cif`), and the commands. Names are not handed on from here: the command
line reads its options from this room, and would load the physics with them.
"""
