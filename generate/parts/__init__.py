"""What frameworks are made of: a library of parts, how they are held together, and which of them make up a formula."""

from generate.parts.chemistry import Chemistry
from generate.parts.compositions import Composition, compositions
from generate.parts.library import Kind, Library

__all__ = ["Chemistry", "Composition", "Kind", "Library", "compositions"]
