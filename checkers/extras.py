"""Libraries that only some kinds need: optional extras of the package, imported when such a check is configured."""

from collections.abc import Iterator
from contextlib import contextmanager

from checkers.base import OptionError


@contextmanager
def extra(name: str) -> Iterator[None]:
    """Stands around the import of what the extra `name` installs.

    Raises:
        OptionError: it is not installed; the text says how to.

    """
    try:
        yield
    except ModuleNotFoundError as error:
        missing = (error.name or "a library").partition(".")[0]
        message = f"needs {missing}, which is not installed here: pip install 'healthd[{name}]'"
        raise OptionError("type", message) from error
