"""Strange environment files: a sound one with some of its values, keys or letters changed."""

import copy
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from curriculum_rl.testing.problems import tiny_environment, write_texts
from surviving.commands import Commands
from surviving.verdicts import Verdict, judge

CANARY = """from pathlib import Path

Path("ran").touch()


class Canary:
    def __init__(self, *_, **__):
        Path("ran").touch()
"""
_MARK = "@@{}@@"
_TYPED_COMMAND = ("train", "--env", "env.yaml", "--agent", "random", "--out", "run", "--quiet")
# What is written as it stands, unquoted: YAML reads each otherwise than a person might mean, or not at all.
_TYPED = (
    "no", "on", "~", "null", "true", "0100", "0x1F", "1_000", "1e3", "1.e-3", ".inf", "-.inf", ".nan", "12:30",
    "1e999", "2023-01-01", "2023-99-99", "2023", "-1", "0", "1", "2", "3", "-0.0", "0.5", "9" * 400, "2147483648",
    "''", "' '", "[]", "{}", "[[]]", "[1, 2]", "[a, b]", "{a: 1, a: 2}", "*nowhere", "&a [*a]", "&b {c: *b}",
    "!!binary aGk=", "!!python/object/apply:os.system ['touch ran']", "!!set {a, b}", "!!str 3", "? [1]", "- x",
    "'unclosed", "\"\\ud800\"", "\"\\0\"", "\"\\x07\"", "@at", "`tick", "%", "a: b: c", "x # y", "|", ">",
    "!custom x", "<<", "[" * 300, "{a: " * 150, "subprocess:Popen", "os:system", "canary:Canary", "builtins:exec",
    "nowhere:X", "a:b:c", "../../etc/passwd", "/etc/passwd", "/dev/zero", "/dev/stdin", "/", ".", "*", "**/*",
    "~nobody/x", "sea.txt", "star.jsonl", "missing.txt", "sea", "star", "all", "noise", "sea.causal_lm", "auto",
    "cuda", "cpu", "x" * 5000,
)  # fmt: skip


def environment(folder: Path) -> dict[str, Any]:
    """The sound one, whose run is over in a second, with paths that are relative to it."""
    env = tiny_environment(folder)
    for section in env["corpora"].values():
        if "paths" in section:
            section["paths"] = Path(section["paths"]).name
    report = {"sequences": 8, "task_sequences": 4, "finetune": {**env["report"]["finetune"], "updates": 1}}
    return {**env, "report": report, "budget": {"updates": 4}}


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths to everything in a tree but its root."""
    if isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        return [path for key, part in pairs for path in ((*at, key), *places(part, (*at, key)))]
    return []


@st.composite
def environment_files(draw: st.DrawFn, sound: dict[str, Any]) -> bytes:
    """The bytes of an environment file that has something strange in it."""
    tree = copy.deepcopy(sound)
    typed: list[str] = []
    for _ in range(draw(st.integers(1, 3))):
        _change(draw, tree, typed)
    text = yaml.safe_dump(tree, sort_keys=False, allow_unicode=True) if draw(st.booleans()) else json.dumps(tree)
    for n, raw in enumerate(typed):
        text = (
            text.replace(f'"{_MARK.format(n)}"', raw).replace(f"'{_MARK.format(n)}'", raw).replace(_MARK.format(n), raw)
        )
    data = text.encode("utf-8", errors="surrogatepass")
    return _scribbled(draw, data) if draw(st.integers(0, 3)) == 0 else data


def _change(draw: st.DrawFn, tree: dict[str, Any], typed: list[str]) -> None:
    """Replace, remove, rename or add one value of the tree, in place."""
    path = draw(st.sampled_from(places(tree)))
    parent = tree
    for key in path[:-1]:
        parent = parent[key]
    key, how = path[-1], draw(st.sampled_from(("replace", "replace", "replace", "remove", "rename", "add")))
    if how == "remove":
        del parent[key]
    elif how == "replace":
        parent[key] = _strange(draw, typed, parent[key])
    elif isinstance(parent, dict):
        new = str(
            draw(st.one_of(st.text(max_size=6), st.sampled_from(("kind", "name", "no", "2023", "a.b", "__class__"))))
        )
        parent[new] = parent.pop(key) if how == "rename" else _strange(draw, typed, key)


def _strange(draw: st.DrawFn, typed: list[str], old: Any) -> Any:
    """Something that does not belong there; typed text is put in when the tree is text."""
    if draw(st.integers(0, 4)):
        typed.append(draw(st.sampled_from(_TYPED)))
        return _MARK.format(len(typed) - 1)
    anything = st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.floats(), st.text(max_size=30))
    nested = st.recursive(
        anything,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=6,
    )
    return draw(st.one_of(nested, st.just([old]), st.just({"kind": old}), st.just(str(old))))


def _scribbled(draw: st.DrawFn, data: bytes) -> bytes:
    """The bytes with a stretch of them changed."""
    at = draw(st.integers(0, len(data)))
    put = draw(
        st.one_of(
            st.binary(max_size=4),
            st.sampled_from((b"\t", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\n\n", b"- ", b": ", b"#", b"\r")),
        )
    )
    how = draw(st.sampled_from(("insert", "replace", "cut", "twice")))
    if how == "cut":
        return data[:at]
    if how == "twice":
        return data + data[at:]
    return data[:at] + put + data[at + (len(put) if how == "replace" else 0) :]


def play(commands: Commands, count: int, number: int, folder: Path) -> Iterator[tuple[bytes, Verdict]]:
    """Try `count` files, the same for the same number, and say how each was taken."""
    folder.mkdir(parents=True, exist_ok=True)
    write_texts(folder)
    sound, taken = environment(folder), list[tuple[bytes, Verdict]]()
    if commands.run(_TYPED_COMMAND, _place(folder, yaml.safe_dump(sound).encode())).status:
        raise RuntimeError("the sound environment file is refused")

    @settings(**fuzzing(count))
    @seed(number)
    @given(environment_files(sound))
    def try_one(data: bytes) -> None:
        taken.append((data, _tried(data, commands, folder)))

    try_one()
    yield from taken


def fuzzing(count: int) -> dict[str, Any]:
    """Settings of hypothesis for `count` examples that no file of an earlier call decides, and none stops."""
    return {
        "max_examples": count,
        "database": None,
        "deadline": None,
        "phases": [Phase.generate],
        "suppress_health_check": list(HealthCheck),
    }


def _tried(data: bytes, commands: Commands, folder: Path) -> Verdict:
    place = _place(folder, data)
    given_files = {path.name for path in place.iterdir()}
    return judge(commands.run(_TYPED_COMMAND, place, limit=60.0), place, given_files)


def _place(folder: Path, data: bytes) -> Path:
    place = folder / "try"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    for name in ("sea.txt", "land.txt", "star.jsonl"):
        (place / name).hardlink_to(folder / name)
    (place / "canary.py").write_text(CANARY)
    (place / "env.yaml").write_bytes(data)
    return place
