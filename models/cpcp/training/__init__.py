"""Training of CPCP: data, disturbed samples, loss, validation, and the export for serving."""
