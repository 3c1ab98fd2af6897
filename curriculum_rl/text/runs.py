"""Runs of letters, of signs or of blanks so long that no tokenizer could be trained on them whole."""

import re
from collections.abc import Iterable, Iterator

_LONGEST = 1_000  # characters of a run that stay whole: 15 million of one were not done in 4 minutes
_PIECES = 2_000  # of so many characters that are read of longer runs, in all
_SMALL = 1 << 20  # characters of a text that may be split into words to see whether it has long runs
_RUN = re.compile(r"\w+|[^\w\s]+|\s+")


def without_long_runs(texts: Iterable[str]) -> Iterator[str]:
    """The texts; one with a run of more than 1,000 characters in pieces, and of such runs 2,000 pieces in all."""
    left = _PIECES
    for text in texts:
        begin = 0
        for run in _long_runs(text):
            yield text[begin : run.start()]
            for start in range(run.start(), run.end(), _LONGEST)[:left]:
                left -= 1
                yield text[start : min(start + _LONGEST, run.end())]
            begin = run.end()
        yield text[begin:]


def _long_runs(text: str) -> Iterator[re.Match[str]]:
    if len(text) <= _LONGEST:
        return
    if len(text) <= _SMALL:
        lengths = [len(word) for word in text.split()]
        if max(lengths, default=0) <= _LONGEST and len(text) - sum(lengths) - len(lengths) < _LONGEST:
            return
    yield from (run for run in _RUN.finditer(text) if run.end() - run.start() > _LONGEST)
