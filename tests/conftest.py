"""For all tests: hypothesis tries the same examples in every run, and has no stopwatch; Ctrl-C is what it is.

A shell starts what is to run in the background with SIGINT ignored, and what a test starts would inherit that.
"""

import signal

from hypothesis import HealthCheck, settings

settings.register_profile(
    "healthd", derandomize=True, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("healthd")
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
