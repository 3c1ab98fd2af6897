"""The one format of saved agents: what went in comes out, a flipped bit never does, and nothing runs."""

import hashlib
import io
import json
import os
import pickle
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from curriculum_rl.agents import load, make
from curriculum_rl.agents.saving import archive, tree
from curriculum_rl.errors import ConfigError

DTYPES = ["bool", "int8", "uint16", "int64", "uint64", "float16", "float32", "float64"]
ARRAYS = st.sampled_from(DTYPES).flatmap(lambda dtype: arrays_of.arrays(dtype, arrays_of.array_shapes(min_dims=0)))
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | ARRAYS | ARRAYS.map(lambda a: a.ravel()[0])
)
VALUES = st.recursive(
    LEAVES,
    lambda part: st.lists(part) | st.lists(part).map(tuple) | st.dictionaries(st.text() | st.integers(), part),
    max_leaves=12,
)


def same(one: Any, other: Any) -> bool:
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, np.ndarray | np.generic):
        return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    return repr(one) == repr(other)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(VALUES)
def test_values_come_back_as_they_were(value: Any) -> None:
    arrays: tree.Arrays = {}
    try:
        written = json.dumps(tree.encode(value, arrays), allow_nan=False)
    except TypeError as error:
        assert "keys of a dict" in str(error) or "number" in str(error)
        return
    assert same(tree.decode(json.loads(written), arrays), value)
    assert not arrays


def test_what_is_no_value_is_refused() -> None:
    for value in (
        print,
        int,
        object(),
        {1.5: 2},
        {(1,): 2},
        np.array(["a"]),
        np.array([None]),
        {3},
        1j,
        b"1",
        Path("a"),
    ):
        with pytest.raises(TypeError):
            tree.encode([value], {})
    assert same(tree.decode(tree.encode({"$array": 1}, {}), {}), {"$array": 1})  # a user's own key


def test_tensors_and_arrays_of_any_order_come_back(tmp_path: Path) -> None:
    square = np.arange(6.0).reshape(2, 3)
    content = {"T": square.T, "F": np.asfortranarray(square), "big": np.array([1, 2], ">i4"), "t": torch.arange(3)}
    archive.write(tmp_path / "agent", "A", content)
    found = archive.read(tmp_path / "agent").content
    assert np.array_equal(found["T"], square.T) and np.array_equal(found["F"], square)
    assert found["big"].tolist() == [1, 2] and torch.equal(found["t"], torch.arange(3))
    found["T"][0, 0] = 5  # memories are changed in place


@pytest.fixture
def file(tmp_path: Path) -> Path:
    archive.write(tmp_path / "agent.zip", "A", {"number": 1, "array": np.arange(4)})
    return tmp_path / "agent.zip"


def refused(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        archive.read(path)
    message = str(caught.value)
    assert message.startswith("path: ") and str(path) in message and "\n" not in message
    return message


def test_no_flipped_bit_is_read_wherever_it_is(file: Path) -> None:
    whole = file.read_bytes()
    for place in range(len(whole)):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ (1 << place % 8)]) + whole[place + 1 :])
        assert "damaged" in refused(file)
    file.write_bytes(whole)
    assert archive.read(file).agent == "A"


def test_no_shortened_or_lengthened_file_is_read(file: Path) -> None:
    whole = file.read_bytes()
    for cut in {*range(0, len(whole), 7), len(whole) - 1}:
        file.write_bytes(whole[:cut])
        assert "damaged" in refused(file)
    file.write_bytes(whole + b"0")
    assert "damaged" in refused(file)


def test_the_same_agent_is_the_same_file_and_an_older_one_stays_if_writing_fails(file, tmp_path, monkeypatch) -> None:
    whole = file.read_bytes()
    archive.write(tmp_path / "again.zip", "A", {"number": 1, "array": np.arange(4)})
    assert (tmp_path / "again.zip").read_bytes() == whole

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        archive.write(file, "A", {"number": 2})
    with pytest.raises(TypeError):
        archive.write(file, "A", {"number": print})
    assert file.read_bytes() == whole and sorted(path.name for path in tmp_path.iterdir()) == ["again.zip", "agent.zip"]


def sealed(
    path: Path, members: dict[str, bytes] | list[tuple[str, bytes]], compression: int = zipfile.ZIP_STORED
) -> None:
    """A file with a right sha256, whatever it holds."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as made:
        for name, data in members.items() if isinstance(members, dict) else members:
            made.writestr(name, data)
        made.comment = b"0" * 64
    whole = buffer.getvalue()[:-64]
    path.write_bytes(whole + hashlib.sha256(whole).hexdigest().encode())


EMPTY = b"\x08\0\0\0\0\0\0\0{}      "


def values(content: Any = None, **more: Any) -> bytes:
    return json.dumps({"format": archive.FORMAT, "agent": "A", "content": content or {}, **more}).encode()


def tensors(header: dict[str, Any], data: bytes = b"") -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({}, "its members must be agent.json and arrays.safetensors"),
        ({"agent.json": values()}, "its members must be"),
        ({"agent.json": values(), "arrays.safetensors": EMPTY, "more": b""}, "its members must be"),
        ({"../agent.json": values(), "arrays.safetensors": EMPTY}, "its members must be"),
        ([("agent.json", values()), ("agent.json", values())], "its members must be"),
        ({"agent.json": b"[]", "arrays.safetensors": EMPTY}, "agent.json is no object"),
        ({"agent.json": b"{", "arrays.safetensors": EMPTY}, "Expecting property name"),
        ({"agent.json": b"\xff", "arrays.safetensors": EMPTY}, "utf-8"),
        ({"agent.json": b"[" * 10**6, "arrays.safetensors": EMPTY}, "recursion"),
        ({"agent.json": b'{"format": NaN}', "arrays.safetensors": EMPTY}, "NaN is no number of JSON"),
        ({"agent.json": b'{"format": ' + b"9" * 10**5 + b"}", "arrays.safetensors": EMPTY}, "digits"),
        ({"agent.json": b"{}", "arrays.safetensors": EMPTY}, "it has no 'format'"),
        ({"agent.json": values(format=4), "arrays.safetensors": EMPTY}, "it is of format 4, and this version reads 5"),
        ({"agent.json": values(format=6), "arrays.safetensors": EMPTY}, "it is of format 6, and this version reads 5"),
        ({"agent.json": values(agent=3), "arrays.safetensors": EMPTY}, "agent.json does not describe an agent"),
        ({"agent.json": values([1]), "arrays.safetensors": EMPTY}, "agent.json does not describe an agent"),
        ({"agent.json": values({"a": {"$array": "0"}}), "arrays.safetensors": EMPTY}, "it has no '0'"),
        ({"agent.json": values({"a": {"$array": ["0"]}}), "arrays.safetensors": EMPTY}, "it has no"),
        ({"agent.json": values({"a": {"$run": "x"}}), "arrays.safetensors": EMPTY}, "'[$]run' stands for nothing"),
        ({"agent.json": values({"a": {"$float": "x"}}), "arrays.safetensors": EMPTY}, "'x' is no number"),
        (
            {"agent.json": values({"a": {"$number": ["O", 1]}}), "arrays.safetensors": EMPTY},
            "'O' is no type of numbers",
        ),
        ({"agent.json": values({"a": {"$number": ["int8", 300]}}), "arrays.safetensors": EMPTY}, "out of bounds"),
        ({"agent.json": values({"a": {"$number": ["int8", "x"]}}), "arrays.safetensors": EMPTY}, "'x' is no number"),
        ({"agent.json": values({"a": {"$tuple": 3}}), "arrays.safetensors": EMPTY}, "a tuple is no list"),
        ({"agent.json": values({"a": {"$pairs": [3]}}), "arrays.safetensors": EMPTY}, "unpack"),
        ({"agent.json": values(), "arrays.safetensors": b"junk"}, "header"),
        ({"agent.json": values(), "arrays.safetensors": b"\xff" * 64}, "header"),
        (
            {
                "agent.json": values(),
                "arrays.safetensors": tensors(
                    {"0": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 4]}}, b"1234"
                ),
            },
            "",
        ),
        (
            {
                "agent.json": values(),
                "arrays.safetensors": tensors({"0": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}, b"1234"),
            },
            "agent.json does not describe an agent",
        ),
        (
            {
                "agent.json": values({"a": {"$array": "0"}}),
                "arrays.safetensors": tensors({"0": {"dtype": "BF16", "shape": [1], "data_offsets": [0, 2]}}, b"12"),
            },
            "it has no 'BF16'",
        ),
    ],
)
def test_a_hostile_file_with_a_right_sha256_is_one_line(members: Any, message: str, tmp_path: Path) -> None:
    sealed(tmp_path / "agent.zip", members)
    assert re.search(message, refused(tmp_path / "agent.zip"))


def test_sizes_are_bounded_before_anything_is_read(tmp_path: Path) -> None:
    bomb = {"agent.json": values({"a": "0" * 2**24}), "arrays.safetensors": EMPTY}
    sealed(tmp_path / "agent.zip", bomb, zipfile.ZIP_DEFLATED)
    assert (tmp_path / "agent.zip").stat().st_size < 2**16
    assert "stored, not compressed" in refused(tmp_path / "agent.zip")
    sealed(tmp_path / "agent.zip", bomb)
    assert "agent.json is larger than" in refused(tmp_path / "agent.zip")
    with (tmp_path / "large.zip").open("wb") as hole:
        hole.truncate(archive.LARGEST + 1)
    assert "larger than 268,435,456 bytes" in refused(tmp_path / "large.zip")


def test_what_is_no_file_is_one_line(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for path in ("none", "", "pipe", "link", "n" * 300, "a/b", "\0"):
        with pytest.raises(ConfigError, match=r"^path: ") as caught:
            archive.read(tmp_path / path)
        assert "\n" not in str(caught.value)


class Evil:
    """Makes a folder when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = str(marker)

    def __reduce__(self) -> Any:
        return os.mkdir, (self.marker,)


def test_a_pickle_in_any_place_is_not_run(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    poison = pickle.dumps(Evil(marker))
    pickle.loads(poison)
    marker.rmdir()
    buffer = io.BytesIO()
    np.save(buffer, np.array([Evil(marker)], object), allow_pickle=True)
    for data in (poison, buffer.getvalue()):
        (tmp_path / "agent.zip").write_bytes(data)
        assert "no saved agent" in refused(tmp_path / "agent.zip")
        for members in (
            {"agent.json": data, "arrays.safetensors": EMPTY},
            {"agent.json": values(), "arrays.safetensors": data},
            {"agent.json": values(), "state.npz": data},
            {"data": data, "policy.pth": data},
        ):
            sealed(tmp_path / "agent.zip", members)
            refused(tmp_path / "agent.zip")
    assert not marker.exists()


@pytest.mark.parametrize(
    ("part", "value", "message"),
    [
        ("options", {"env": "evil:Env-v0"}, "options: 'env' is none of"),
        ("options", {"_init_setup_model": False}, "options: '_init_setup_model' is none of"),
        ("options", {"pool": 3}, "pool: 3 must be true or false"),
        ("options", 3, "int"),
        ("rule", {"env": 1}, "rule: 'env' is none of"),
        ("rule", {"step": "x"}, ""),
        ("seed", "x", "seed: x must be"),
        ("seed", 2**40, "seed: 1099511627776 must be"),
        ("timesteps", -1, "timesteps: -1 must be"),
        ("seconds", float("inf"), "seconds: inf must be"),
        ("action_space", {"kind": "box"}, "it has no 'low'"),
        ("action_space", {"kind": "multi_binary", "n": 3}, "an agent plays Discrete"),
        ("remembered", {}, "it has no 'replicas'"),
        ("remembered", lambda old: {**old, "replicas": 10**9}, "replicas: 1000000000 must be"),
        ("remembered", lambda old: {**old, "streams": [{"bit_generator": "PCG64"}]}, ""),
        ("remembered", lambda old: {**old, "streams": 3}, ""),
        ("remembered", lambda old: {**old, "entropy": -1}, ""),
        ("memory", {}, "its memory has nothing, not rule"),
        (
            "memory",
            lambda old: {name: array[:, :3] if array.ndim > 1 else array for name, array in old.items()},
            "shape",
        ),
        ("memory", lambda old: {name: array.tolist() for name, array in old.items()}, "is no array of numbers"),
        ("memory", lambda old: {name: np.full_like(array, np.nan) for name, array in old.items()}, ""),
    ],
)
def test_what_the_file_of_a_bandit_says_is_checked(part, value, message, bandit_env, tmp_path) -> None:
    make("exp3s", bandit_env(), seed=1).learn(20).save(tmp_path / "agent.zip")
    saved = archive.read(tmp_path / "agent.zip")
    changed = {**saved.content, part: value(saved.content[part]) if callable(value) else value}
    archive.write(tmp_path / "agent.zip", saved.agent, changed)
    with pytest.raises(ConfigError, match=f"^path: cannot read .*agent.zip: .*{message}") as caught:
        load("exp3s", tmp_path / "agent.zip")
    assert "\n" not in str(caught.value)
