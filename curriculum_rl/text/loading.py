"""Loads a data set of the `datasets` library from a directory or the hub; whatever fails is one line."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from curriculum_rl.durable import sha256
from curriculum_rl.errors import ConfigError
from curriculum_rl.text.cache import Cache
from curriculum_rl.text.documents import sha256_of

_ROWS_AT_ONCE = 10_000  # of a data set, hashed together
TRAIN = "train"
"""The split where none is named."""


def load(path: str, split: str | None, config_name: str | None) -> Any:
    """A split of a data set.

    Args:
        path: A directory of `save_to_disk`, a folder of data files, or a hub name.
        split: None: "train", or the whole of a directory without splits.
        config_name: Of a hub name that has several.

    Raises:
        ConfigError: It cannot be loaded, has no such split, or a setting would have no effect.
    """
    import datasets  # seconds to import, and only this needs it

    folder = Path(path).expanduser()
    saved = next((name for name in ("dataset_dict.json", "state.json") if (folder / name).is_file()), None)
    if saved and config_name is not None:
        raise ConfigError(f"config_name: {folder} is a directory of save_to_disk, which has none (got {config_name!r})")
    try:
        if saved is None:
            return datasets.load_dataset(path, config_name, split=split or TRAIN, cache_dir=_prepared(folder))
        found = datasets.load_from_disk(str(folder))
    except _library_errors() as error:
        reason = (str(error).strip() or type(error).__name__).split("\n")[0]
        raise ConfigError(f"path: cannot load {path!r}, split {split or TRAIN!r}: {reason}") from error
    if saved == "state.json":
        if split is not None and split != str(found.split):
            raise ConfigError(f"split: {folder} has no splits; leave it away (got {split!r})")
        return found.with_format(None)  # a data set is saved with the format and columns that it shows
    if (split or TRAIN) not in found:
        raise ConfigError(f"split: {folder} has no split {split or TRAIN!r}; there are {', '.join(map(str, found))}")
    return found[split or TRAIN].with_format(None)


def _prepared(folder: Path) -> str | None:
    """Where `datasets` prepares a folder of data files, by their content; its own place goes by time stamps."""
    if not folder.is_dir():
        return None  # a name on the hub, whose versions it knows
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    content = [[path.relative_to(folder).as_posix(), sha256(path)] for path in files]
    return str(Cache().root / "datasets" / sha256_of("folder", content))


def rows(dataset: Any, place: str) -> Iterator[dict[str, Any]]:
    """The rows of a loaded data set.

    Raises:
        ConfigError: One cannot be read.
    """
    with _readable(place):
        yield from dataset


def arrow_sha256(dataset: Any, place: str) -> str:
    """sha256 of a data set's rows in their order, as a stream of Arrow that holds no other rows of its files.

    Raises:
        ConfigError: One cannot be read.
    """
    import pyarrow  # type: ignore[import-untyped]

    digest = hashlib.sha256()
    with _readable(place):
        for batch in dataset.with_format("arrow").iter(_ROWS_AT_ONCE):
            sink = pyarrow.BufferOutputStream()
            with pyarrow.ipc.new_stream(sink, batch.schema.remove_metadata()) as stream:
                stream.write_table(batch.replace_schema_metadata().combine_chunks())
            digest.update(sink.getvalue())
    return digest.hexdigest()


@contextmanager
def _readable(place: str) -> Iterator[None]:
    """What the library raises of a damaged data set becomes a ConfigError."""
    try:
        yield
    except ConfigError:
        raise
    except _library_errors() as error:
        reason = (str(error).strip() or type(error).__name__).split("\n")[0]
        raise ConfigError(f"path: cannot read {place}: {reason}") from error


def _library_errors() -> tuple[type[Exception], ...]:
    """What `datasets` and Arrow raise of a data set that is damaged, or not what it says."""
    import pyarrow
    from datasets.exceptions import DatasetsError

    builtin = (OSError, ValueError, TypeError, LookupError, AttributeError, RuntimeError, ImportError, OverflowError)
    return (*builtin, DatasetsError, pyarrow.ArrowException)
