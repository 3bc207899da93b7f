"""An index on disk: files, folders, entries and manifest; written durably, published at once, checked on opening."""

from indexer.storage.entries import Entries, EntryTable
from indexer.storage.manifest import Manifest
from indexer.storage.store import Index, open_index, read_manifest

__all__ = ["Entries", "EntryTable", "Index", "Manifest", "open_index", "read_manifest"]
