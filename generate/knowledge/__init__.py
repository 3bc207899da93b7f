"""What the chemist knows: linkers and guests by name, SMILES or file, and what frameworks of them may hold."""

from generate.knowledge.asked import check_knowledge, likely_contents, split_metals, split_names
from generate.knowledge.contents import Contents, contents
from generate.knowledge.linkers import guest_kinds, linker_kinds, plain_linker

__all__ = [
    "Contents",
    "check_knowledge",
    "contents",
    "guest_kinds",
    "likely_contents",
    "linker_kinds",
    "plain_linker",
    "split_metals",
    "split_names",
]
