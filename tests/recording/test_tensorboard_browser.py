"""TensorBoard in a real browser: a recorded run opens as a person should see it.

Skips without Chromium and its driver (Debian: apt-get install chromium chromium-driver). Set CURRICULUM_RL_SCREENSHOTS
to a folder to keep what was seen.
"""

import io
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_rows import TOKENS, made_rows
from PIL import Image

from curriculum_rl.recording.recorder import Recorder, child_runs, deep_link

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
TASKS = ("kjv", "sotu", "clinical", "security")
PALETTE = {  # TensorBoard's line colours
    (66, 80, 102), (226, 32, 145), (252, 171, 0), (124, 179, 66), (232, 113, 10), (18, 181, 203), (147, 52, 230),
}  # fmt: skip
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--disable-dev-shm-usage", "--window-size=1600,1400",
)  # fmt: skip

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None or DRIVER is None, reason="no chromium with chromedriver on this machine"),
    pytest.mark.timeout(180),
]


@pytest.fixture(scope="module")
def logdir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was continued from segment 60 after it had gone to segment 70."""
    path, place = tmp_path_factory.mktemp("browser") / "run", None
    for rows in (made_rows(70), made_rows(120, start=60)):
        with Recorder(path, TASKS, resume_at=place, picture_every=20) as recorder:
            for row in rows:
                recorder.record(row)
                if row["tokens"] == 60 * TOKENS:
                    recorder.flush()
                    place = recorder.place
            recorder.text("config", "| key | value |\n| --- | --- |\n| agent | exp3s |")
            recorder.hparams({"agent": "exp3s", "seed": 0}, {"result/target_loss": 3.5})
    return path


@pytest.fixture(scope="module")
def port(logdir: Path) -> Iterator[int]:
    """The port of a TensorBoard that serves the run on this machine only."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(logdir), "--host", "127.0.0.1"]
    server = subprocess.Popen([*command, "--port", str(number)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: len(get(number, "/data/runs")) == 1 + len(TASKS))
        yield number
    finally:
        server.terminate()
        server.wait(timeout=20)


def get(port: int, path: str) -> Any:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        return json.load(answer)


def wait_for(condition, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            if condition():
                return
        except OSError:
            pass
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.25)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory):
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    options = Options()
    options.binary_location = str(CHROMIUM)
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


def picture(browser, name: str) -> Image.Image:
    png = browser.get_screenshot_as_png()
    if folder := os.environ.get("CURRICULUM_RL_SCREENSHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / f"{name}.png").write_bytes(png)
    return Image.open(io.BytesIO(png)).convert("RGB")


def card(browser, tag: str):
    """The first card on the page that is about a tag."""
    from selenium.webdriver.common.by import By

    cards = browser.find_elements(By.TAG_NAME, "card-view")
    return next((each for each in cards if each.text.replace("\n", "").startswith(tag)), None)


def colours_drawn(image: Image.Image, element) -> int:
    """How many of TensorBoard's line colours the upper half of a card (the chart, not its legend) shows."""
    at, size = element.location, element.size
    part = image.crop((at["x"], at["y"] + 40, at["x"] + size["width"], at["y"] + size["height"] // 2))
    pixels = np.asarray(part).reshape(-1, 3).astype(int)
    return sum(int((abs(pixels - colour).sum(axis=1) < 12).sum() > 40) for colour in map(np.array, PALETTE))


def test_one_chart_has_a_coloured_line_per_task(browser, port, logdir):
    browser.get(deep_link(port).replace("localhost", "127.0.0.1"))
    wait_for(lambda: card(browser, "task/probability") is not None)
    wait_for(lambda: colours_drawn(picture(browser, "time_series"), card(browser, "task/probability")) >= len(TASKS))
    legend = card(browser, "task/probability").text
    assert sum(name in legend for name in child_runs(TASKS)) >= 2


def test_the_heat_map_is_pinned_on_top(browser, port, logdir):
    from selenium.webdriver.common.by import By

    browser.get(deep_link(port).replace("localhost", "127.0.0.1"))
    wait_for(lambda: card(browser, "policy/heat_map") is not None)
    pinned = card(browser, "policy/heat_map")
    wait_for(lambda: len(pinned.find_elements(By.TAG_NAME, "img")) == 1)
    width = "return arguments[0].naturalWidth"
    wait_for(lambda: browser.execute_script(width, pinned.find_element(By.TAG_NAME, "img")) > 500)
    assert pinned.location["y"] < 300


@pytest.mark.parametrize(("tab", "word"), [("text", "how_to_read"), ("hparams", "result/target_loss")])
def test_texts_and_hyperparameters_are_shown(browser, port, tab, word):
    browser.get("about:blank")
    browser.get(f"http://127.0.0.1:{port}/#{tab}")
    wait_for(lambda: word in shown(browser, tab))


def shown(browser, tab: str) -> str:
    """All text of the page, that of open shadow roots and frames of the tab's plugin included."""
    picture(browser, tab)
    script = """
      const all = node => (node.nodeType === 3 ? node.data : '') + ' ' +
        [...(node.shadowRoot ? [node.shadowRoot] : []), ...node.childNodes].map(all).join('');
      return all(document.body);"""
    return str(browser.execute_script(script))


def test_a_continued_run_has_one_curve(port):
    points = get(port, "/data/plugin/scalars/scalars?run=task%3Dclinical&tag=task/probability")
    steps = [step for _, step, _ in points]
    assert steps == [(segment + 1) * TOKENS for segment in range(120)]


def test_charts_say_what_they_show(port):
    tags = get(port, "/data/plugin/scalars/tags")
    assert "favourite" in tags["."]["policy/max_probability"]["description"]
    assert "one line per task" in tags["task=kjv"]["task/probability"]["description"]
