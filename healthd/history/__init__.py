"""The memory of the past: what happened, and how long checks took, in an SQLite file.

It serves people and never checking: a disk that is full or read-only, or a file that is damaged, costs history alone.
"""
