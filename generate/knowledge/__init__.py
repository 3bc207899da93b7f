"""What the chemist knows: linkers and guests by name, SMILES or file, and what frameworks of them may hold."""

from generate.knowledge.linkers import guest_kinds, linker_kinds

__all__ = ["guest_kinds", "linker_kinds"]
