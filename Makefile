# make demo   shows the main job working; needs nothing but Python
# make test   sets up and passes every test; as root on Debian it installs the real servers and the kernel it tests on
# make lint   style and types
# make bench-NAME  one benchmark of benchmarks/ (cost lateness memory startup table reaction workers record metrics control); ARGS="..."
# make man    writes the manual pages to build/man
# make deb    builds a Debian package of this tree, for the Debian that it is built on
# make test-deb  installs it on a fresh Debian of the same release in a folder, tries it out and purges it; as root
# make wheel  builds a wheel and runs the demo from an installed copy of it

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PATH := $(CURDIR)/$(BIN):/usr/sbin:/sbin:$(PATH)

# make test-real  only those against real server programs
.PHONY: demo test test-host test-real test-kernel lint man deb test-deb wheel clean FORCE

# On a terminal it stays after the play, for the page and the commands, until Ctrl-C.
KEEP := $(shell test -t 0 && echo --keep)

demo: $(VENV)/.installed
	$(BIN)/healthd demo $(KEEP)

# What cannot be installed is left out and said last, where it is seen; in CI it is a failure.
test: $(VENV)/.installed-dev
	@if tests/lab/setup; then $(MAKE) --no-print-directory test-host test-real test-kernel; else \
	  $(MAKE) --no-print-directory test-host; status=$$?; \
	  echo '*** LEFT OUT, for want of what tests/lab/setup names above:' >&2; \
	  printf '***   %s\n' tests/real $(KERNEL_TESTS) >&2; \
	  if [ $$status != 0 ] || [ -n "$$CI" ]; then exit 1; fi; fi

# A file at a time, as its tests share what they have started; in the order of the tree, which has long files early.
IN_ORDER := --dist=loadfile --no-loadscope-reorder

test-host: $(VENV)/.installed-dev
	$(BIN)/pytest --numprocesses=3 $(IN_ORDER)

# Every kind of check against the real server program. They mostly wait, so there are more at once than processors.
test-real: $(VENV)/.installed-dev
	$(BIN)/pytest --numprocesses=4 --dist=loadfile --timeout=400 -p no:cacheprovider tests/real

# On a kernel with IPVS: this machine's own where it has it, else a User-Mode Linux booted for the purpose. Each file
# has a lab of its own, and one more runs at once than there are processors, as each waits for a good part of its time.
KERNEL_TESTS := $(wildcard tests/kernel/test_*.py)

test-kernel: $(VENV)/.installed-dev
	$(MAKE) --no-print-directory --keep-going --jobs=$$(($$(nproc) + 1)) --output-sync=target $(addsuffix .lab,$(KERNEL_TESTS))

%.lab: FORCE
	LAB_SECONDS=1200 tests/lab/run $(BIN)/pytest --timeout=900 -p no:cacheprovider $*

FORCE:

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Not a part of the tests: nothing fails because a machine is slow.
bench-%: $(VENV)/.installed-dev FORCE
	@benchmarks/setup
	$(BIN)/python -m benchmarks.$* $(ARGS)

wheel: $(VENV)/.installed-dev
	rm -rf build/wheel && mkdir -p build/wheel
	$(BIN)/python -m build --wheel --outdir build/wheel .
	$(PYTHON) -m venv build/wheel/venv
	build/wheel/venv/bin/pip install --quiet --disable-pip-version-check build/wheel/*.whl
	cd build/wheel && venv/bin/healthd demo

man: $(VENV)/.installed
	$(BIN)/python -m manual build/man

deb:
	packaging/deb

test-deb: deb
	tests/deb/install build/deb/*.deb

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/pip
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/.installed-dev: pyproject.toml | $(VENV)/bin/pip
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@ $(VENV)/.installed

# Debian's python3 comes without the venv module; root can be helped, anyone else is told.
$(VENV)/bin/pip:
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update && apt-get install -y --no-install-recommends python3-venv && $(PYTHON) -m venv $(VENV); \
	  else echo "Python's venv module is missing: install Debian's python3-venv" >&2; exit 1; fi; }

clean:
	rm -rf $(VENV) build dist *.egg-info .lab
