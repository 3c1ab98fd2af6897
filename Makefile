PYTHON ?= python3

.PHONY: demo test survival lint
demo: ; $(PYTHON) dev.py demo
test: ; $(PYTHON) dev.py test
survival: ; $(PYTHON) dev.py survival
lint: ; $(PYTHON) dev.py lint
