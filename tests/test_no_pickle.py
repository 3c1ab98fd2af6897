"""Nothing is unpickled but by the one module whose business that is; what loads weights loads arrays alone."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted(
    path
    for room in ("agents", "benchmarks", "curriculum_rl", "docs", "envs", "examples", "scripts")
    for path in (ROOT / room).rglob("*.py")
    if not any(parent.is_symlink() for parent in path.parents)
)
TREES = {str(path.relative_to(ROOT)): ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES}
THE_ONE = "agents/rl/foreign.py"
MODULES = {"pickle", "_pickle", "cPickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"}
# Functions and methods, of whatever they are called on, that unpickle or run what a file says.
CALLS = {"load_from_zip_file", "load_from_pkl", "save_to_pkl", "read_pickle"}
# Functions that do so unless they are told not to: the argument, and the only value that it may have.
ARGUMENTS = {"weights_only": True, "trust_remote_code": False, "allow_pickle": False, "use_safetensors": True}
NEEDED = {"torch.load": "weights_only", "th.load": "weights_only"}
# stable-baselines3's own `load` and `save` are called by a class, as in `BaseAlgorithm.save(agent, ...)`.
THEIRS = {"BaseAlgorithm", "BasePolicy", "VecNormalize", "PPO", "A2C", "DQN", "SAC", "TD3", "DDPG"}


def uses(tree: ast.AST) -> list[str]:
    """What of a module unpickles, or might."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.partition(".")[0] in MODULES]
        elif isinstance(node, ast.ImportFrom):
            names = {alias.name for alias in node.names} & CALLS
            found += [node.module or ""] if (node.module or "").partition(".")[0] in MODULES else sorted(names)
        elif isinstance(node, ast.Call):
            found += called(node)
    return found


def called(node: ast.Call) -> list[str]:
    name = ast.unparse(node.func)
    given = {argument.arg: argument.value for argument in node.keywords}
    found = [name] if name.rpartition(".")[2] in CALLS else []
    owner, _, method = name.rpartition(".")
    if method in ("load", "save") and owner.rpartition(".")[2] in THEIRS:
        found.append(name)
    if name in ("yaml.load", "yaml.load_all", "yaml.unsafe_load", "yaml.full_load"):
        found.append(name)
    for argument, only in ARGUMENTS.items():
        value = given.get(argument)
        if value is not None and not (isinstance(value, ast.Constant) and value.value is only):
            found.append(f"{name}({argument}={ast.unparse(value)})")
        if value is None and NEEDED.get(name) == argument:
            found.append(f"{name} without {argument}")
    return found


def test_nothing_is_unpickled() -> None:
    found = {path: uses(tree) for path, tree in TREES.items()}
    assert set(found.pop(THE_ONE)) == {"load_from_zip_file", "BaseAlgorithm.save"}
    assert len(found) > 200 and not {path: names for path, names in found.items() if names}


def test_models_say_that_they_want_safetensors_and_no_code() -> None:
    made = 0
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".from_pretrained"):
                given = {argument.arg for argument in node.keywords}
                assert "trust_remote_code" in given, f"{path}: {ast.unparse(node)}"
                weights = not any(word in ast.unparse(node.func) for word in ("Tokenizer", "AutoConfig"))
                assert "use_safetensors" in given or not weights, f"{path}: {ast.unparse(node)}"
                made += 1
    assert made >= 2


@pytest.mark.parametrize(
    "text",
    [
        "import pickle",
        "from cloudpickle import loads",
        "import joblib.hashing",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "np.load(path, allow_pickle=True)",
        "np.load(path, allow_pickle=given)",
        "from stable_baselines3.common.save_util import load_from_zip_file",
        "save_util.load_from_zip_file(path)",
        "stable_baselines3.PPO.load(path)",
        "VecNormalize.load(path, env)",
        "BaseAlgorithm.load(path)",
        "pd.read_pickle(path)",
        "yaml.load(text, Loader)",
        "AutoModel.from_pretrained(name, trust_remote_code=True)",
        "AutoModel.from_pretrained(name, use_safetensors=False)",
        "yaml.unsafe_load(text)",
    ],
)
def test_each_way_is_seen(text: str) -> None:
    assert uses(ast.parse(text))


@pytest.mark.parametrize(
    "text",
    ["np.load(path)", "json.load(file)", "agent.load(path)", "configs.load(name)", "torch.load(p, weights_only=True)"],
)
def test_what_is_harmless_is_not(text: str) -> None:
    assert not uses(ast.parse(text))
