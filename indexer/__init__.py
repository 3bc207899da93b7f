"""A database of crystals becomes lines, embeddings and a published FAISS index."""

__distribution__ = "xtalscout"
