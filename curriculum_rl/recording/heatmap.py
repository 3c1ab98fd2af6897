"""A heat map of the policy drawn in a few milliseconds, for TensorBoard: tasks down, segments across."""

import io
from collections.abc import Sequence
from functools import cache, lru_cache

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

Floats = npt.NDArray[np.float64]
Pixels = npt.NDArray[np.uint8]

WIDTH = 400  # pixels of the cells, across: TensorBoard shrinks what is wider than its card until text is too small
BAND = 26  # pixels of one task's band, down
GAP = 10
TOP, FOOT = 34, 40
BAR, BAR_SPACE = 14, 80  # pixels of the colour bar and of its numbers, across
FONT, SMALL = 17, 15
INK, GREY, PAPER = 32, 110, 255
COLOURS = 192  # palette entries of the colour map; the other 64 are greys, for text


def columns(values: Floats, count: int) -> Floats:
    """Average neighbouring columns of (K, S) so that at most `count` are left: (K, min(S, count))."""
    if values.shape[1] <= count:
        return values
    edges = np.linspace(0, values.shape[1], count + 1).astype(int)
    sums = np.add.reduceat(values, edges[:-1], axis=1)
    means: Floats = sums / np.diff(edges)
    return means


def heat_map(values: Floats, tasks: Sequence[str], *, tokens: int) -> tuple[bytes, tuple[int, int]]:
    """Draw the probability of every task over the segments.

    Args:
        values: (K, S) probabilities, S >= 1, oldest segment first.
        tasks: K names, for the bands.
        tokens: learner tokens at the last segment.

    Returns:
        An encoded PNG and its (width, height) in pixels.
    """
    count, segments = values.shape
    highest = max(float(values.max()), 1e-9)
    frame, left = _frame(tuple(tasks))
    paper = frame.copy()
    draw = ImageDraw.Draw(paper)
    draw.text((left, TOP / 2), "probability of picking each task", INK, _font(FONT), anchor="lm")
    _label_segments(draw, left, count, f"segment {segments} ({count_text(tokens)} tokens)")
    _label_colours(draw, left, count, highest)
    pixels: Pixels = np.uint8(COLOURS) + (np.asarray(paper, dtype=np.uint8) >> np.uint8(2))
    bottom = TOP + count * BAND
    pixels[TOP:bottom, left : left + WIDTH] = _cells(columns(values, WIDTH) / highest)
    bar = left + WIDTH + GAP
    pixels[TOP:bottom, bar : bar + BAR] = np.rint(np.linspace(COLOURS - 1, 0, bottom - TOP))[:, None]
    return _encode(pixels)


def _cells(heat: Floats) -> Pixels:
    """Palette entries of (K, S) heat in [0, 1], blown up without blur to the size of the cells."""
    across = np.arange(WIDTH) * heat.shape[1] // WIDTH
    entries = np.rint(heat * (COLOURS - 1)).astype(np.uint8)
    return np.repeat(entries[:, across], BAND, axis=0)


def _encode(pixels: Pixels) -> tuple[bytes, tuple[int, int]]:
    """Palette entries as PNG; a palette picture is a third of the bytes of an RGB one, and needs no quantising."""
    picture = Image.fromarray(pixels, mode="P")
    picture.putpalette(_palette())
    file = io.BytesIO()
    picture.save(file, "png", compress_level=1)
    return file.getvalue(), picture.size


@lru_cache(maxsize=4)
def _frame(tasks: tuple[str, ...]) -> tuple[Image.Image, int]:
    """What stays the same from picture to picture: the names; and where the cells begin, in pixels from the left."""
    font = _font(FONT)
    left = int(max(font.getlength(name) for name in tasks)) + 2 * GAP
    paper = Image.new("L", (left + WIDTH + GAP + BAR + BAR_SPACE, TOP + len(tasks) * BAND + FOOT), PAPER)
    draw = ImageDraw.Draw(paper)
    for band, name in enumerate(tasks):
        draw.text((left - GAP, TOP + (band + 0.5) * BAND), name, INK, font, anchor="rm")
    return paper, left


def _label_segments(draw: ImageDraw.ImageDraw, left: int, count: int, last: str) -> None:
    """The two ends of the x axis."""
    bottom = TOP + count * BAND
    for x, label, anchor in ((left, "segment 1", "la"), (left + WIDTH - 1, last, "ra")):
        draw.line((x, bottom, x, bottom + 4), GREY)
        draw.text((x, bottom + 8), label, GREY, _font(SMALL), anchor=anchor)


def _label_colours(draw: ImageDraw.ImageDraw, left: int, count: int, highest: float) -> None:
    """The numbers of the colour bar: 0, the largest value, and the uniform probability between them."""
    x, height, uniform = left + WIDTH + GAP + BAR, count * BAND, 1 / count
    marks = {0.0: "0", highest: f"{highest:.2g}"}
    # Two numbers closer than a line of text would cover each other.
    if SMALL < height * uniform / highest < height - SMALL:
        marks[uniform] = f"{uniform:.2g} even"
    for value, label in marks.items():
        y = TOP + (height - 1) * (1 - value / highest)
        draw.line((x, y, x + 4, y), GREY)
        draw.text((x + 8, y), label, GREY, _font(SMALL), anchor="lm")


def count_text(number: float) -> str:
    """A count for people: 950, 12k, 3.4M, 1.2B."""
    for scale, unit in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if number >= scale:
            scaled = number / scale
            return f"{scaled:.1f}{unit}" if scaled < 10 else f"{scaled:.0f}{unit}"
    return f"{number:.0f}"


@cache
def _palette() -> bytes:
    """Viridis, which is readable in grey and by the colour-blind, then greys: 256 colours of three bytes."""
    colours = mpl.colormaps["viridis"](np.linspace(0, 1, COLOURS), bytes=True)[:, :3]
    greys = np.repeat(np.linspace(0, 255, 256 - COLOURS).astype(np.uint8)[:, None], 3, axis=1)
    return np.concatenate([colours, greys]).astype(np.uint8).tobytes()


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    """Pillow's own font, so that pictures look alike on every machine.

    Raises:
        RuntimeError: Pillow was built without FreeType.
    """
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise RuntimeError("Pillow was built without FreeType: install a wheel of pillow")
    return font
