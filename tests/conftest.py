"""For all tests: hypothesis tries the same examples in every run, and has no stopwatch."""

from hypothesis import settings

settings.register_profile("healthd", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("healthd")
