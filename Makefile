.PHONY: demo test check prove bench models lock

# The main job on real purchases. ONCE=1 ends after the decisions instead of leaving the server up.
demo:
	@./install.sh demo
	@.venv/bin/kairos demo $(if $(ONCE),--once) $(if $(PORT),--port $(PORT))

# The whole test suite.
test:
	@./install.sh test
	@.venv/bin/python -m pytest

# What a change must pass before it is shared.
check:
	@./install.sh test
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports
	@.venv/bin/python -m pytest

# The proofs at their full sizes, kept in benchmarks/proofs.json; some half an hour. ONLY=rules for one, SIZE=small to see that it goes.
# HILLSTROM=hillstrom_64k.parquet adds the one on that campaign, whose data the project does not carry.
prove:
	@./install.sh test
	@$(if $(HILLSTROM),HILLSTROM='$(abspath $(HILLSTROM))') .venv/bin/python -m tests.proofs $(foreach one,$(ONLY),--only $(one)) --size $(or $(SIZE),whole)

# Side by side with others, on this machine; some twenty minutes. ONLY=features or one subject, SIZE=quick to see that it goes.
bench:
	@./install.sh test
	@.venv/bin/python -m benchmarks $(foreach one,$(ONLY),--only $(one)) --size $(or $(SIZE),full)

# The models beside what a data scientist would try first, on public data: one table, kept in benchmarks/models.md; some minutes.
models:
	@./install.sh test
	@.venv/bin/python -m benchmarks.models

# Resolve the dependencies again and lock them: one file for every supported Python, with hashes, without addresses.
lock:
	uv pip compile pyproject.toml --extra demo --universal --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11 -o requirements.txt
	uv pip compile pyproject.toml --extra test --universal --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11 -c requirements.txt -o requirements-test.txt
