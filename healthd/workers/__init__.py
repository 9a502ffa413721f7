"""Checks in processes of their own: `workers = N` in [healthd].

    parent: WorkerPool, one Worker per process        child: a Scheduler over its share of the jobs
        jobs, with the verdicts so far  ----------->
        outcomes that matter, and a sign of life  <-

The parent owns the state and the table; a child has neither, nor the capability to edit it. What comes from a child is
not trusted: a plugin runs there. A child that is gone costs its outcomes, which is as if its checks had not been
carried out: UNKNOWN.
"""
