"""From a pattern to a ranked list of known structures, with the evidence."""

__distribution__ = "xtalscout"
