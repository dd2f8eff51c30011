# A thin front: every target is one command.
CXX_FILES = $(shell find src ngx_module tests bench -name '*.cpp' -o -name '*.hpp')

.DEFAULT_GOAL := help
.PHONY: help module asan unit test test-long bench lint format clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

module: ## build build/ngx_recording_module.so
	tools/build.sh

asan: ## build the module with ASan and UBSan, in build-asan
	SANITIZE=address,undefined tools/build.sh

unit: ## run the unit tests under ASan and UBSan
	cmake -S . -B build-asan/core -DRECORDING_TESTS=ON -DRECORDING_SANITIZE=address,undefined
	cmake --build build-asan/core
	ctest --test-dir build-asan/core --output-on-failure

test: ## run every test
	tests/run.sh

test-long: module ## what tests/run.sh does in short: 60 s windows, 50 kills, 4 h, 20 power cuts
	RECORDING_LONG=1 RECORDING_TRUE_WINDOW=1 /usr/bin/python3 -m tests.integration \
	  test_interruptions test_kills test_divide test_power_loss test_takeover

bench: ## measure against nginx-rtmp's own recorder
	bench/run.sh

lint: ## check layers, documentation and format
	/usr/bin/python3 tools/check_includes.py
	/usr/bin/python3 tools/check_docs.py
	clang-format-14 --dry-run -Werror $(CXX_FILES)

format: ## reformat the C++
	clang-format-14 -i $(CXX_FILES)

clean: ## remove the build folders
	rm -rf build build-*
