PYTHON ?= python3

.PHONY: demo test lint
demo: ; $(PYTHON) scripts/dev.py demo
test: ; $(PYTHON) scripts/dev.py test
lint: ; $(PYTHON) scripts/dev.py lint
