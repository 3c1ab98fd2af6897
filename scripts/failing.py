"""What ends a command, as one line: what is wrong, where, and what to do; the traceback only on request."""

import errno
import functools
import inspect
import os
import sys
import sysconfig
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer

import curriculum_rl
from curriculum_rl.errors import ConfigError, ShardError

Debug = Annotated[bool, typer.Option("--debug", help="Show the whole traceback of an error, not its one line.")]

LONGEST = 500  # characters of a library's reason that are shown
_ADVICE = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), "make room; a run goes on with --resume"),
    **dict.fromkeys((errno.EACCES, errno.EPERM), "change its permissions, or choose another place"),
    **dict.fromkeys((errno.EMFILE, errno.ENFILE), "allow more open files (ulimit -n)"),
    errno.EROFS: "choose a place that can be written",
    errno.ENOENT: "see how it is spelled, and whether a link leads nowhere",
    errno.ENOTDIR: "a part of the path is a file, not a folder",
    errno.EISDIR: "it is a folder, and a file is wanted",
    errno.EEXIST: "it is there already; choose another name",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.ELOOP: "its links lead in a circle",
    errno.ENOMEM: "give it more memory",
}
_USERS = (
    errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EEXIST,
    errno.ENAMETOOLONG, errno.ELOOP,
)  # fmt: skip
_HERE = tuple(Path(curriculum_rl.__file__).parent.joinpath(*up).resolve() for up in ((), ("..", "scripts")))
_LIBRARIES = tuple({Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "purelib", "platlib")})


def debuggable(function: Callable[..., Any]) -> Callable[..., Any]:
    """A command that takes `--debug`, and ends with one line and an exit status where it fails without."""

    @functools.wraps(function)
    def command(*args: Any, debug: bool = False, **options: Any) -> Any:
        try:
            return function(*args, **options)
        except (typer.Exit, typer.Abort):
            raise
        except Exception as error:
            if is_users_own(error):
                raise
            message, status = explained(error)
            if debug:
                traceback.print_exc()
            print(f"curriculum-rl: {message}", file=sys.stderr)
            raise typer.Exit(status) from None

    signature = inspect.signature(function)
    added = inspect.Parameter("debug", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Debug)
    command.__signature__ = signature.replace(parameters=[*signature.parameters.values(), added])  # type: ignore[attr-defined]
    command.__annotations__ = {**function.__annotations__, "debug": Debug}
    return command


def explained(error: Exception) -> tuple[str, int]:
    """The line that says what happened, and the exit status: 2 for what the user can mend, 1 for all else."""
    if isinstance(error, ConfigError):
        return str(error), 2
    if isinstance(error, ShardError):
        return str(error), 1
    if isinstance(error, OSError) and error.errno is not None:
        return _of_system(error)
    if isinstance(error, MemoryError):
        return "out of memory; take fewer replicas (--num-envs) or smaller batches, or give it more", 1
    library = _library(error)
    if library is not None:
        return f"{library}: {_reason(error)} (--debug shows where)", 1
    return (
        f"{_reason(error)}: an error inside; --debug shows where, please report it unless a class of yours is at fault",
        1,
    )


def is_users_own(error: BaseException) -> bool:
    """Whether it was raised in a file that is neither ours nor a library's: its traceback tells the user most."""
    if isinstance(error, ConfigError | ShardError):
        return False
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    innermost = next((frame for frame in reversed(frames) if not _is_library(frame)), None)
    return innermost is not None and not _is_ours(innermost)


def _of_system(error: OSError) -> tuple[str, int]:
    number = error.errno or 0
    at = error.filename if error.filename2 is None else error.filename2  # of a file that is given its name at last
    path = os.fsdecode(at) if isinstance(at, str | bytes) else ""
    told = f"{_cut(path)}: {error.strerror}" if path else str(error.strerror)
    return f"{told}; {_ADVICE.get(number, '--debug shows where')}", 2 if number in _USERS else 1


def _library(error: Exception) -> str | None:
    """The library that an error comes from, by its class or by where it was raised; None where it is ours."""
    module = type(error).__module__.partition(".")[0]
    if module not in ("builtins", "curriculum_rl", "__main__"):
        return module
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    if not frames or not _is_library(frames[-1]):
        return "unreadable text" if isinstance(error, UnicodeError) else None
    return str(frames[-1].f_globals.get("__name__", "a library")).partition(".")[0]


def _reason(error: Exception) -> str:
    """The kind of an error and its message on one line."""
    return f"{type(error).__name__}: {_cut(' '.join(str(error).split()))}".removesuffix(": ")


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _is_library(frame: FrameType) -> bool:
    name = frame.f_code.co_filename
    return name.startswith("<") or (not _is_ours(frame) and _below(name, _LIBRARIES))


def _is_ours(frame: FrameType) -> bool:
    name = str(frame.f_globals.get("__name__", ""))
    return name.partition(".")[0] == "curriculum_rl" or _below(frame.f_code.co_filename, _HERE)


def _below(name: str, folders: tuple[Path, ...]) -> bool:
    path = Path(name).resolve()
    return any(path.is_relative_to(folder) for folder in folders)
