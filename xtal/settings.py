"""The one place that reads the environment."""

import os
from pathlib import Path

import platformdirs


def home() -> Path:
    """Folder of indexes and caches: ``XTALSCOUT_HOME``, by default the user's cache folder."""
    chosen = os.environ.get("XTALSCOUT_HOME")
    return Path(chosen) if chosen else Path(platformdirs.user_cache_dir("xtalscout"))


def password() -> str | None:
    """Password of the page's user: ``XTALSCOUT_PASSWORD``, None when it is not set."""
    return os.environ.get("XTALSCOUT_PASSWORD")


def search_seconds() -> int:
    """Seconds of one core for a search from parts, unless asked otherwise: ``XTALSCOUT_SECONDS``, by default 60."""
    chosen = os.environ.get("XTALSCOUT_SECONDS", "")
    return int(chosen) if chosen.isdecimal() else 60


def cores() -> int:
    """Number of CPU cores this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
