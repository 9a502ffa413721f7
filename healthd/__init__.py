"""Keeps a Linux director's IPVS table true to the health of its real servers."""

__version__ = "0.1.0"
