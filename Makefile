# Each target does its own setup first; `make help` lists them.
with := setup/with

.DEFAULT_GOAL := help
.PHONY: help setup lab lab-down demo unit test affected soak mutants lint docs bench

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install what is missing: node, packages, the Pulumi engine; as root on Linux also the lab's tools
	@setup/all

lab: setup ## start two servers on this machine, for the demo and the tests (root on Linux)
	@$(with) lab/up --settings

lab-down: ## stop them
	@$(with) lab/down

demo: setup ## move a site between the two servers and back, under load
	@$(with) node demo/run.ts

unit: ## tests that need no root
	@setup/all unit
	@$(with) vitest run --project unit

test: setup ## every check and test; the last line counts them
	@$(with) node test/tally.ts

affected: setup ## lint, and the tests that your change touches (BASE=revision: since then; SOAK=1: those of make soak, too)
	@$(with) node test/tools/runAffected.ts $(BASE)

soak: setup ## what takes too long for every change: every guard, the comparison, every step killed anywhere, and a switch with every fault, at every statement (SHARD=2/6: the second of six parts)
	@$(with) node test/tools/soak.ts $(SHARD)

mutants: setup ## break the product in many places, one at a time, and see a test fail for each (ONLY=name: one of them)
	@$(with) node test/mutants/run.ts $(ONLY)

lint: ## types, style and shell scripts
	@$(with) tsc --noEmit
	@$(with) eslint --max-warnings 0 .
	@$(with) prettier --check --log-level warn .
	@setup/shell-files | xargs -0 shellcheck --external-sources
	@setup/shell-files | xargs -0 shfmt -i 2 -ci -d

docs: ## write the table in CONTRIBUTING.md anew, after a change of test/tools/affected.ts
	@$(with) node test/tools/contributing.ts

bench: setup ## measure a move beside its peers; results in bench/results.json (ONLY=preview-seconds: one figure; BENCH_RUNS=5: runs of each)
	@setup/bench
	@$(with) node bench/run.ts $(ONLY)
