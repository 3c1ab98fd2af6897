PYTHON ?= python3

.PHONY: demo test lint
demo: ; $(PYTHON) dev.py demo
test: ; $(PYTHON) dev.py test
lint: ; $(PYTHON) dev.py lint
