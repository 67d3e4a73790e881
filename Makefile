# The commands of the project. `make help` lists them; each does the set-up first where it is needed.

.DEFAULT_GOAL := help

READY := .venv/set-up-done
export PYTHON

# Tests and notebooks under test keep out of the reader's home.
PRIVATE := env \
	XDG_CACHE_HOME="$(CURDIR)/build/test/cache" \
	XDG_CONFIG_HOME="$(CURDIR)/build/test/config" \
	XDG_DATA_HOME="$(CURDIR)/build/test/data" \
	JUPYTER_CONFIG_DIR="$(CURDIR)/build/test/jupyter/config" \
	JUPYTER_DATA_DIR="$(CURDIR)/build/test/jupyter/data" \
	JUPYTER_RUNTIME_DIR="$(CURDIR)/build/test/jupyter/runtime" \
	IPYTHONDIR="$(CURDIR)/build/test/ipython" \
	AWS_EC2_METADATA_DISABLED=true

.PHONY: help run lab test bench doctor lock clean

help: ## Say what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo 'make run ONLY="01 04"   only these notebooks'
	@echo 'make run TARGET=aws     on your AWS account, which costs money; it says how much first'

run: $(READY) ## Run the notebooks into build/runs/<time>/ and print a table
	@.venv/bin/workshop run $(ONLY) $(if $(TARGET),--target $(TARGET))

lab: $(READY) ## Open JupyterLab on the notebooks
	@.venv/bin/workshop lab

test: $(READY) ## Check style and types, run the tests, and compare the notebooks' outputs
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	mkdir -p build/test/ipython
	$(PRIVATE) .venv/bin/pytest tests notebooks --ignore tests/benchmarks \
		--nbval --nbval-current-env --nbval-sanitize-with tests/notebooks/sanitize.cfg

bench: $(READY) ## Measure speed and overheads, and print the figures
	$(PRIVATE) .venv/bin/pytest tests/benchmarks -s

doctor: $(READY) ## Say what this machine has of what is needed
	@.venv/bin/workshop doctor

lock: $(READY) ## Pin the requirements anew after a change of pyproject.toml
	.venv/bin/uv pip compile --universal --python-version 3.11 --generate-hashes \
		--custom-compile-command "make lock" --group dev pyproject.toml -o requirements.lock

clean: ## Remove .venv and everything that was built
	rm -rf .venv build .mypy_cache .ruff_cache .pytest_cache *.egg-info
	find helpers tests -name __pycache__ -prune -exec rm -rf {} +

$(READY): requirements.lock data/nodejs/package-lock.json pyproject.toml tools/set_up.sh
	@tools/set_up.sh
