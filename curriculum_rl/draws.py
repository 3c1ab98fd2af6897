"""Random numbers as pure functions of a key: which window, which uniform number, without any generator to save.

Nothing here has a state. The n-th draw of a task is computed from the task's key and n alone, so that exact resume
needs only a counter per task and two agents compared under one seed see the same data.

Shape letters: R draws made in one call.
"""

import hashlib
import math

import numpy as np
import numpy.typing as npt

Keys = npt.NDArray[np.uint64]
Indices = npt.NDArray[np.int64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio, the step of splitmix64
_FACTOR = np.uint64(0xBF58476D1CE4E5B9)  # the multiplier of splitmix64's first step
_ROUNDS = 12  # 200,000 keys show no bias from size 7 on (8 rounds: from 37 on) and less than 1 % at sizes 5 and 6


def key(*parts: int | str) -> int:
    """A stable 64-bit key of the parts: the same in every process, on every machine.

    `key(1, "2")`, `key("1", 2)` and `key("12")` all differ.

    Args:
        parts: Integers of any size and strings.

    Returns:
        An integer in [0, 2^64).
    """
    digest = hashlib.sha256()
    for part in parts:
        data = f"s{part}".encode() if isinstance(part, str) else f"i{int(part)}".encode()
        digest.update(f"{len(data)}:".encode() + data)
    return int.from_bytes(digest.digest()[:8], "little")


def spread(key: int, n: Indices) -> Keys:
    """The key of the n-th draw under a key.

    Args:
        key: In [0, 2^64), as `key` returns it.
        n: (R,) which draws, non-negative.

    Returns:
        (R,) 64-bit keys, all different for different n.
    """
    start = _mixed(np.array([key & 0xFFFFFFFFFFFFFFFF], dtype=np.uint64))
    return _mixed(start + (n.astype(np.uint64) + np.uint64(1)) * _GOLDEN)


def uniforms(keys: Keys, count: int, stream: int = 0) -> npt.NDArray[np.float32]:
    """Uniform random numbers, a row of them for each key.

    Args:
        keys: (R,) keys.
        count: Numbers for each key.
        stream: Numbers of different streams of the same key are independent; non-negative.

    Returns:
        (R, count) float32 in [0, 1), multiples of 2^-24.
    """
    starts = _mixed(keys ^ _mixed(np.array([stream], dtype=np.uint64) + _GOLDEN))
    steps = np.arange(1, count + 1, dtype=np.uint64) * _GOLDEN
    bits = _mixed(starts[:, None] + steps)
    bits >>= np.uint64(40)
    numbers: npt.NDArray[np.float32] = bits.astype(np.float32)
    numbers *= np.float32(2.0**-24)
    return numbers


def permuted(index: Indices, size: "int | Indices", keys: Keys) -> Indices:
    """Where a random permutation of range(size), chosen by a key, sends an index; no permutation is ever stored.

    Args:
        index: (R,) in [0, size).
        size: How many things are permuted, one number or (R,) numbers, at least 1 and below 2^62.
        keys: (R,) which permutation; rows with equal key and size share one.

    Returns:
        (R,) int64 in [0, size): for one key and size a bijection of range(size).

    Source:
        A Feistel network on Z_a x Z_b with a * b just above size, and cycle walking for the few that fall outside:
        Black and Rogaway, Ciphers with Arbitrary Finite Domains, CT-RSA 2002, methods 2 and 3.
    """
    sizes = np.broadcast_to(np.asarray(size, dtype=np.uint64), index.shape)
    left_sizes, right_sizes = _factors(size, index.shape)
    rounds = _round_keys(keys)
    result = _feistel(index.astype(np.uint64), left_sizes, right_sizes, rounds)
    outside = np.flatnonzero(result >= sizes)
    while outside.size:  # at most sqrt(size) of the a * b values lie outside, so this ends after a step or two
        result[outside] = _feistel(result[outside], left_sizes[outside], right_sizes[outside], rounds[:, outside])
        outside = outside[result[outside] >= sizes[outside]]
    return result.astype(np.int64)


def window_of(task_key: int, n: Indices, size: int) -> Indices:
    """The n-th window that a task reads: every window once per epoch, in a fresh order each epoch.

    Args:
        task_key: The task's key, made of the seed and the task.
        n: (R,) counts from 0.
        size: Windows of the task's corpus, at least 1.

    Returns:
        (R,) int64 in [0, size).
    """
    epoch, position = np.divmod(n, np.int64(size))
    return permuted(position, size, spread(task_key, epoch))


def _mixed(values: Keys) -> Keys:
    """A bijection of 64-bit integers that leaves no visible pattern, in place on a fresh array.

    Source:
        The finaliser of splitmix64 (Steele, Lea and Flood 2014, with Stafford's variant 13 constants).
    """
    bits = values.copy()
    bits ^= bits >> np.uint64(30)
    bits *= _FACTOR
    bits ^= bits >> np.uint64(27)
    bits *= np.uint64(0x94D049BB133111EB)
    bits ^= bits >> np.uint64(31)
    return bits


def _factors(size: "int | Indices", shape: tuple[int, ...]) -> tuple[Keys, Keys]:
    """(R,) a and b with a * b >= size > a * b - a, both near sqrt(size)."""
    sizes = np.unique(np.asarray(size, dtype=np.int64), return_inverse=True)
    pairs = []
    for number in sizes[0].tolist():
        if number < 1:
            raise ValueError(f"size must be at least 1, got {number}")
        side = math.isqrt(number - 1) + 1  # ceil(sqrt(number)), exact for large numbers where floats are not
        pairs.append((side, -(-number // side)))
    table = np.array(pairs, dtype=np.uint64)[sizes[1].reshape(-1)]
    return np.broadcast_to(table[:, 0], shape), np.broadcast_to(table[:, 1], shape)


def _round_keys(keys: Keys) -> Keys:
    """(rounds, R) the key of each Feistel round."""
    return _mixed(keys[None, :] + np.arange(1, _ROUNDS + 1, dtype=np.uint64)[:, None] * _GOLDEN)


def _feistel(values: Keys, left_sizes: Keys, right_sizes: Keys, rounds: Keys) -> Keys:
    """One pass of the network over (R,) values in [0, a * b)."""
    left, right = values % left_sizes, values // left_sizes
    for number, round_key in enumerate(rounds):
        if number % 2 == 0:
            left = _rotated(left, right, left_sizes, round_key)
        else:
            right = _rotated(right, left, right_sizes, round_key)
    return left + right * left_sizes


def _rotated(values: Keys, other: Keys, sizes: Keys, round_key: Keys) -> Keys:
    """Values plus a random number that depends on the other half, modulo sizes."""
    bits = other + round_key
    bits *= _FACTOR
    bits ^= bits >> np.uint64(29)
    bits *= _GOLDEN
    bits >>= np.uint64(32)
    bits *= sizes
    bits >>= np.uint64(32)  # now in [0, size), without a division
    bits += values
    bits -= sizes * (bits >= sizes)
    return bits
