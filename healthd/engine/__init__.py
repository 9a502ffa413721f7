"""Carries out checks. When each begins is the business of `healthd.scheduler`.

`lean` runs the checks that wait for nothing but their sockets, `boundary` one that needs a task. Either way a check
ends at its deadline at the latest, none of its exceptions gets any further, and what this process was late for is not
held against the server.
"""
