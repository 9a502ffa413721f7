"""Keeps a Linux director's IPVS table true to the health of its real servers."""
