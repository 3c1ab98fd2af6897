"""A corpus that somebody types: a path, a pattern, or a section in braces as an environment file has it."""

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from curriculum_rl.errors import ConfigError, cut
from curriculum_rl.schema import places, reading
from curriculum_rl.schema.base import Custom, Section
from curriculum_rl.schema.corpora import CorpusConfig, ReadCorpus
from curriculum_rl.schema.mistakes import first_line

_SAVED = ("dataset_info.json", "dataset_dict.json")  # what `save_to_disk` leaves in a folder


class _Typed(Section):
    corpus: CorpusConfig


def corpus(text: str, key: str) -> ReadCorpus | Custom:
    """The section that a text stands for; paths are relative to the working directory.

    Args:
        text: the path of a file or of a folder that `datasets` saved, a pattern, or `{paths: ..., text_field: ...}`.
        key: what messages call it.

    Raises:
        ConfigError: for a section that is wrong, or one that is not read but derived from others.
    """
    value: Any
    if text.startswith("{"):
        value = reading.read(text, key).value
    elif any((Path(text) / name).is_file() for name in _SAVED):
        value = {"kind": "dataset", "path": text}
    else:
        value = {"paths": text}
    content = places.changed({"corpus": value}, _Typed, places.typed)
    try:
        found = _Typed.model_validate(content).corpus
    except ValidationError as error:
        raise ConfigError(f"{cut(key)}: {first_line(error, content).removeprefix('corpus.')}") from None
    if not isinstance(found, ReadCorpus | Custom):
        raise ConfigError(f"{cut(key)}: kind {found.kind!r} is derived or made up; give text that is read")
    if "heldout" in found.model_fields_set:
        raise ConfigError(f"{cut(key)}: heldout: all of it is read; leave it away")
    return found
