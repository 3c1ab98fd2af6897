"""Text of your own: three corpora and a target as files, an environment file, a run. Takes 5 s of one CPU."""

import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

TOPICS = {
    "kitchen": ("the cook|a baker|my aunt", "stirs|peels|salts|warms", "the soup|an onion|some bread|two eggs"),
    "weather": ("the wind|a storm|thick fog", "covers|soaks|crosses|leaves", "the valley|our town|a hill|every field"),
    "harbour": ("the ferry|a sailor|the pilot", "enters|tows|repairs|passes", "the quay|a barge|the buoy|some cargo"),
}
ENVIRONMENT = """
name: three-topics
corpora:  # a document is a line here; docs/environments.md has the other formats
  kitchen: {paths: kitchen.txt, format: lines}
  weather: {paths: weather.txt, format: lines}
  harbour: {paths: harbour.txt, format: lines}
target: {corpus: {paths: reports.jsonl}}  # what matters downstream: never trained on
tokenizer: {kind: bpe, vocab_size: 400}
learner: {kind: transformer, layers: 1, width: 32, heads: 2}
context: 16
report: {sequences: 256, task_sequences: 16}
segment: {updates: 5}
budget: {updates: 200}
"""


def document(topic: str, number: int) -> str:
    """Three sentences about one topic."""
    choose = random.Random(f"{topic} {number}").choice
    return " ".join(" ".join(choose(words.split("|")) for words in TOPICS[topic]) + "." for _ in range(3))


def write_environment(folder: Path) -> Path:
    """Write a file of text for each topic, the target and the environment file; the path of the latter."""
    folder.mkdir(parents=True, exist_ok=True)
    for topic in TOPICS:
        (folder / f"{topic}.txt").write_text("\n".join(document(topic, number) for number in range(500)))
    reports = [json.dumps({"text": document("weather", number)}) for number in range(500, 900)]
    (folder / "reports.jsonl").write_text("\n".join(reports))
    (folder / "environment.yaml").write_text(ENVIRONMENT)
    return folder / "environment.yaml"


def main(out: Path) -> None:
    """Train with `curriculum-rl train` and print what came out: `auto` takes most of what is nearest to the target."""
    command = ["train", "--env", str(write_environment(out)), "--out", str(out / "run"), "--quiet"]
    print("curriculum-rl", *command)
    subprocess.run([sys.executable, "-m", "curriculum_rl.scripts.main", *command], check=True)
    result = json.loads((out / "run" / "result.json").read_text())
    print(f"loss on the target: {result['final']['target_loss']:.2f} nats a token")
    for task, share in result["share"].items():
        print(f"share of {task}: {share:.1%}")


if __name__ == "__main__":
    main(Path(tempfile.mkdtemp()))
