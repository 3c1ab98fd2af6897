"""YAML that somebody wrote: bounded, every key once, and read as it was typed; else an error of one line."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml import AliasEvent, MappingNode, Node, ScalarEvent, ScalarNode, SequenceNode
from yaml.events import CollectionEndEvent, CollectionStartEvent

from curriculum_rl.errors import ConfigError, cut, shown
from curriculum_rl.schema import keys, scalars

LEVELS = 100
"""Lists and mappings inside each other, at most."""
ALIASED = 10_000
"""Values that aliases may add to those that a text holds."""

_Parser: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PLAIN = "!plain"
_STRING = "tag:yaml.org,2002:str"


class _Loader(_Parser):  # type: ignore[misc]
    """Leaves the words without quotes to `scalars.read`."""

    yaml_implicit_resolvers: dict[Any, Any] = {}  # noqa: RUF012 (PyYAML's own attribute)


_Loader.add_implicit_resolver(_PLAIN, re.compile(""), None)


@dataclass
class Content:
    """What a text holds.

    Attributes:
        value: mappings with text for keys, lists, text, numbers, booleans and None.
        typed: by dotted key, what was typed where the value does not show it, as `1e3` of 1000.0.
    """

    value: Any
    typed: dict[str, str] = field(default_factory=dict)


def read(text: str, source: str) -> Content:
    """What a text of YAML, or JSON, holds.

    Args:
        text: one document.
        source: what messages call it.

    Raises:
        ConfigError: for anything that is not plain data, said once, and the same to all readers of YAML.
    """
    try:
        nodes = _count(text, source)
        node = _Loader(text).get_single_node()
    except (yaml.YAMLError, ValueError) as error:
        raise error if isinstance(error, ConfigError) else _no_yaml(error, text, source) from None
    made = _Making(source, nodes + ALIASED)
    return Content(None if node is None else made.value(node, ()), made.typed)


def _count(text: str, source: str) -> int:
    """How many values a text holds; composing them is recursive, so that too many levels are found before."""
    depth = nodes = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, CollectionStartEvent):
            depth += 1
            if depth > LEVELS:
                raise _at(source, event, f"more than {LEVELS} lists and mappings inside each other")
        depth -= isinstance(event, CollectionEndEvent)
        nodes += isinstance(event, CollectionStartEvent | ScalarEvent | AliasEvent)
    return nodes


def _no_yaml(error: Exception, text: str, source: str) -> ConfigError:
    """The line of an error of the parser."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line, position = mark.line if mark else None, getattr(error, "position", None)
    if position is not None:  # of a character that no YAML may have; libyaml counts bytes
        before = text[:position] if _Parser is yaml.SafeLoader else text.encode()[:position].decode(errors="ignore")
        line = before.count("\n")
    said = getattr(error, "problem", None) or getattr(error, "reason", None) or error
    place = "" if line is None else f", line {line + 1}"
    hint = "; in double quotes \\ begins an escape: write '...' or /" if "escape character" in str(said) else ""
    return ConfigError(f"{source}{place}: is not YAML: {cut(' '.join(str(said).split()))}{hint}")


def _at(source: str, where: Any, message: str) -> ConfigError:
    return ConfigError(f"{source}, line {where.start_mark.line + 1}: {message}")


@dataclass
class _Making:
    """Makes values of composed nodes.

    Attributes:
        source: what messages call the text.
        left: values that may still be made: an alias's are made wherever it stands.
        typed: as of `Content`.
        around: the lists and mappings that the present value stands in.
    """

    source: str
    left: int
    typed: dict[str, str] = field(default_factory=dict)
    around: list[Node] = field(default_factory=list)

    def value(self, node: Node, key: tuple[int | str, ...]) -> Any:
        """The value of a node that stands at a key."""
        self.left -= 1
        if self.left < 0:
            raise _at(self.source, node, f"aliases expand to more than {ALIASED} values")
        if isinstance(node, ScalarNode):
            return self._scalar(node, key)
        if node in self.around:
            raise _at(self.source, node, "an alias stands inside of what it names")
        if len(self.around) >= LEVELS:
            raise _at(self.source, node, f"more than {LEVELS} lists and mappings inside each other, with aliases")
        if node.tag not in ("tag:yaml.org,2002:seq", "tag:yaml.org,2002:map"):
            raise _at(self.source, node, f"the tag {cut(node.tag)} is not read")
        self.around.append(node)
        if isinstance(node, SequenceNode):
            made: Any = [self.value(one, (*key, place)) for place, one in enumerate(node.value)]
        else:
            made = self._mapping(node, key)
        self.around.pop()
        return made

    def _scalar(self, node: ScalarNode, key: tuple[int | str, ...]) -> scalars.Scalar:
        if node.tag == _STRING:
            return str(node.value)
        if node.tag != _PLAIN:
            raise _at(self.source, node, f"the tag {cut(node.tag)} is not read")
        try:
            value = scalars.read(node.value)
        except scalars.AmbiguousError as error:
            raise _at(self.source, node, f"{keys.joined(key)}: {error}" if key else str(error)) from None
        if not isinstance(value, str) and node.value not in (repr(value), "true", "false"):
            self.typed[keys.joined(key)] = node.value
        return value

    def _mapping(self, node: Node, key: tuple[int | str, ...]) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        own: dict[str, Any] = {}
        lines: dict[tuple[str, bool], int] = {}
        for name_node, value_node in node.value:
            name, line = self._name(name_node, key), name_node.start_mark.line + 1
            merge = name == "<<" and name_node.tag == _PLAIN
            if (name, merge) in lines:
                where = keys.joined((*key, name))
                both = f"in lines {lines[name, merge]} and {line}"
                raise _at(self.source, name_node, f"{where}: stands there twice, {both}; which one is meant?")
            lines[name, merge] = line
            if merge:
                merged |= self._merged(value_node, key)
            else:
                own[name] = self.value(value_node, (*key, name))
        return merged | own

    def _name(self, node: Node, key: tuple[int | str, ...]) -> str:
        if not isinstance(node, ScalarNode):
            raise _at(self.source, node, "a key must be text, and is a list or a mapping")
        if node.tag == _PLAIN and node.value == "<<":
            return "<<"
        name = self._scalar(node, (*key, node.value))
        if not isinstance(name, str):
            what = f"read as {shown(name)}" if repr(name) != node.value else "a number"
            where = f"{keys.joined(key)}: " if key else ""
            raise _at(self.source, node, f"{where}the key {cut(node.value)} is {what}, and must be text: quote it")
        return name

    def _merged(self, node: Node, key: tuple[int | str, ...]) -> dict[str, Any]:
        """What `<<` adds: keys of a mapping, or of several, of which earlier ones win."""
        found: dict[str, Any] = {}
        for one in reversed(node.value) if isinstance(node, SequenceNode) else [node]:
            if not isinstance(one, MappingNode):
                raise _at(self.source, one, "<< must name a mapping, or a list of them")
            found |= self.value(one, key)
        return found


def dump(content: Mapping[str, Any]) -> str:
    """YAML that `read` reads back: what it would take for something else stands in quotes."""
    return yaml.dump(dict(content), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


class _Dumper(yaml.SafeDumper):
    """Also quotes what only YAML 1.2 takes for a number, and rare line ends, which it would leave as they are."""


def _text(dumper: yaml.SafeDumper, text: str) -> ScalarNode:
    return dumper.represent_scalar(_STRING, text, style='"' if re.search("[\x85\u2028\u2029]", text) else None)


_Dumper.add_representer(str, _text)
_Dumper.add_implicit_resolver("tag:yaml.org,2002:float", scalars.NUMBER, list("-+.0123456789"))
