# GNU Make 3.81 and a POSIX shell are enough. This file finds a Python that starts;
# the logic is in bootstrap.py.

.DEFAULT_GOAL := help
.PHONY: help run test check bench demo-passwords requirements translations client

help:
	@echo 'make run             serve the demo at http://127.0.0.1:8000 (PORT= to change)'
	@echo 'make test            run all tests on SQLite and PostgreSQL (ARGS="-k word")'
	@echo 'make check           format, lint, types, imports, migrations, deployment'
	@echo 'make bench           run the benchmarks'
	@echo 'make demo-passwords  set new passwords for the demo accounts and print them'
	@echo 'make requirements    compile requirements/*.in (ARGS=--upgrade for newer ones)'
	@echo 'make translations    compile the message files'
	@echo 'make client          make the script that pages get of its source (needs npm)'

export ARGS

# A version manager's stand-in may be on PATH and still not start, so each one is tried.
run test check bench demo-passwords requirements translations client:
	@IFS=:; \
	for folder in .venv/bin $$PATH "$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/3*/bin; do \
	  for name in python3 python3.13 python3.14 python3.12 python; do \
	    [ -x "$$folder/$$name" ] && "$$folder/$$name" -c \
	      'import sys; sys.exit(sys.version_info < (3, 8))' 2>/dev/null \
	      && exec "$$folder/$$name" bootstrap.py $@; \
	  done; \
	done; \
	uv run --quiet --no-project python -c '' 2>/dev/null \
	  && exec uv run --quiet --no-project python bootstrap.py $@; \
	echo 'No Python found: install Python 3.13 (or uv) and run this again.' >&2; \
	exit 1
