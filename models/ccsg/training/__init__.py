"""Training of CCSG: data, noisy batches, and the export for serving."""
