"""Settings of all tests."""

from hypothesis import settings

# the first example pays for imports and caches, and the machine may be busy: time limits on examples only cry wolf
settings.register_profile("xtalscout", deadline=None)
settings.load_profile("xtalscout")
