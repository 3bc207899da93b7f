"""Formats of instruments and archives, each by its own reader or by rietx; every one gives a `Scan`."""

from xtal.readers.instruments.by_rietx import read_vendor, says_vendor
from xtal.readers.instruments.cif import read_cif
from xtal.readers.instruments.known import read_instrument

__all__ = ["read_cif", "read_instrument", "read_vendor", "says_vendor"]
