"""Event files: checksums against TensorBoard's own, and reading back through TensorBoard."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import crc32c as reference

from curriculum_rl.recording.events import LONG_RECORD, EventFile, crc32c, flush


def test_the_published_check_value():
    assert int(crc32c([b"123456789"])[0]) == 0xE3069283


@given(st.lists(st.binary(max_size=40), max_size=8))
def test_checksums_are_those_of_tensorboard(records):
    assert crc32c(records).tolist() == [reference(record) for record in records]


def test_long_and_short_records_mix():
    records = [b"x" * (LONG_RECORD + 1), b"", b"abc", bytes(range(256)) * 16]
    assert crc32c(records).tolist() == [reference(record) for record in records]


def read(directory):
    accumulator = EventAccumulator(str(directory), size_guidance={"scalars": 0, "images": 0, "tensors": 0})
    return accumulator.Reload()


def points(accumulator, tag):
    return [(event.step, event.value) for event in accumulator.Scalars(tag)]


def test_scalars_are_read_back_without_what_is_not_finite(tmp_path):
    file = EventFile(tmp_path / "run", descriptions={"a": "what a is"})
    for step in range(5):
        file.scalars({"a": step / 2, "b": np.nan if step % 2 else 1.0}, step=step * 10, wall_time=100.0 + step)
        if step == 2:
            flush([file])
    flush([file])
    seen = read(tmp_path / "run")
    assert points(seen, "a") == [(step * 10, step / 2) for step in range(5)]
    assert points(seen, "b") == [(0, 1.0), (20, 1.0), (40, 1.0)]
    assert [event.wall_time for event in seen.Scalars("a")] == [100.0, 101.0, 102.0, 103.0, 104.0]
    assert seen.SummaryMetadata("a").summary_description == "what a is"


def test_text_and_image_are_read_back(tmp_path):
    file = EventFile(tmp_path)
    file.text("note", "**bold**", step=3, wall_time=1.0)
    file.image("picture", b"png", size=(7, 5), step=4, wall_time=2.0)
    flush([file])
    seen = read(tmp_path)
    assert seen.Tensors("note/text_summary")[0].tensor_proto.string_val[0] == b"**bold**"
    image = seen.Images("picture")[0]
    assert (image.step, image.width, image.height, image.encoded_image_string) == (4, 7, 5, b"png")


def test_nothing_is_written_before_there_is_an_event(tmp_path):
    flush([EventFile(tmp_path / "run", purge_step=5)])
    assert not (tmp_path / "run").exists()


def test_a_purge_drops_what_an_earlier_file_had_from_that_step_on(tmp_path):
    first = EventFile(tmp_path)
    for step in (10, 20, 30):
        first.scalars({"a": 1.0}, step=step, wall_time=1.0)
    second = EventFile(tmp_path, purge_step=21)
    second.scalars({"a": 2.0}, step=25, wall_time=2.0)
    flush([first, second])
    assert first.path < second.path
    assert points(read(tmp_path), "a") == [(10, 1.0), (20, 1.0), (25, 2.0)]


def test_files_sort_in_the_order_of_the_resumes_also_when_the_clock_was_set_back(tmp_path, monkeypatch):
    for clock, purge, steps in ((2e9, None, (1, 2, 3, 4)), (1e9, 3, (3, 4, 5)), (1.5e9, 5, (5, 6))):
        monkeypatch.setattr("time.time_ns", lambda clock=clock: int(clock * 1e9))
        file = EventFile(tmp_path, purge_step=purge)
        for step in steps:
            file.scalars({"a": clock / 1e9 + step}, step=step, wall_time=clock)
        flush([file])
    assert len(list(tmp_path.iterdir())) == 3
    points = [(event.step, event.value) for event in EventAccumulator(str(tmp_path)).Reload().Scalars("a")]
    assert points == [(1, 3.0), (2, 4.0), (3, 4.0), (4, 5.0), (5, 6.5), (6, 7.5)]
