"""A play in five acts: a whole healthd, three small servers on loopback, and a table in memory.

Nothing in it is a mock: the servers listen on real sockets, the configuration is read from a file, and the daemon is
the one of `healthd run`. So it ends well only where healthd works, which makes it a test of an installation too.
"""
