"""What all sections of an environment file share, and how a section is chosen by its `kind`."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, get_args

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, ValidationError, model_validator
from pydantic_core import CoreSchema, core_schema

from curriculum_rl.errors import ConfigError, shown
from curriculum_rl.schema import numbers
from curriculum_rl.schema.mistakes import first_line
from curriculum_rl.schema.own import SPEC, BesideFile

OWN = "module:Class"
"""What stands for the user's own classes where kinds are listed."""


class Section(BaseModel):
    """A mapping of the file in which unknown keys are errors, and so are booleans and infinities for numbers."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    def __init__(self, /, **values: Any) -> None:
        """Make one in Python.

        Raises:
            ConfigError: on the first thing that is wrong, in one line with its key and value.
        """
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise ConfigError(first_line(error, values)) from None

    # Sections inside sections are made by pydantic itself, which puts their mistakes into one list.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    @model_validator(mode="before")
    @classmethod
    def _numbers_are_numbers(cls, values: Any) -> Any:
        if isinstance(values, Mapping):
            numbers.check(values, {key: field.annotation for key, field in cls.model_fields.items()})
        return values

    def settings(self, of: "type[Section] | None" = None, *, beyond: "type[Section] | None" = None) -> dict[str, Any]:
        """Values by key, without `kind`; sections inside stay sections.

        Args:
            of: only the keys of this class, which the section extends.
            beyond: only keys that the section adds to this class.
        """
        keys = (type(self) if of is None else of).model_fields
        known = {"kind"} if beyond is None else {"kind", *beyond.model_fields}
        return {key: getattr(self, key) for key in keys if key not in known}


class KindSection(Section):
    """A section with a `kind`, which says what is made of it.

    Attributes:
        builds: the class, or function, as `module:Class`; imported when it is needed, so that the schema stays light.
    """

    kind: str
    builds: ClassVar[str]

    @classmethod
    def name(cls) -> str:
        """The `kind` that chooses it."""
        return str(get_args(cls.model_fields["kind"].annotation)[0])

    @classmethod
    def summary(cls) -> str:
        """The first line of its docstring."""
        return (cls.__doc__ or "").split("\n")[0]


class Custom(BaseModel):
    """Anything of the user's own: `kind: "module:Class"`; every other key is an argument of the class."""

    model_config = ConfigDict(extra="allow", frozen=True)
    kind: Annotated[str, BesideFile()] = Field(pattern=f"^{SPEC.pattern}$")

    @property
    def options(self) -> dict[str, Any]:
        """The other keys."""
        return dict(self.model_extra or {})


@dataclass(frozen=True)
class OneOf:
    """The annotation of a value that is one of some sections, chosen by its `kind`.

    Attributes:
        sections: the kinds.
        default: that of a value without `kind`.
        own: whether a kind with a colon is the user's own class.
    """

    sections: tuple[type[KindSection], ...]
    default: type[KindSection]
    own: bool = True

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """A union that is told apart by `kind`."""
        choices = {section.name(): handler.generate_schema(section) for section in self.sections}
        if self.own:
            choices[OWN] = handler.generate_schema(Custom)
        return core_schema.tagged_union_schema(choices, self._tag)

    def chosen(self, value: Any) -> type[BaseModel] | None:
        """The section that a value chooses; None: there is no such kind."""
        tag = self._tag(value)
        return Custom if tag == OWN else {section.name(): section for section in self.sections}.get(tag)

    def _tag(self, value: Any) -> str:
        default = self.default.name()
        kind = value.get("kind", default) if isinstance(value, Mapping) else getattr(value, "kind", default)
        kind = kind if isinstance(kind, str) else shown(kind)
        return OWN if self.own and ":" in kind else kind


@dataclass(frozen=True)
class OnDisk:
    """The annotation of a path, which a file may give relative to itself.

    Attributes:
        always: False: it may also be the name of something on a hub, which it is where there is no such path.
    """

    always: bool = True

    def against(self, path: str, folder: Path) -> str:
        """The path as seen from the file's folder, `~` and `$VARIABLES` expanded."""
        found = folder / os.path.expanduser(os.path.expandvars(path))  # noqa: PTH111
        return str(found) if self.always or path.startswith((".", "~", "$")) or found.exists() else path


LocalPath = Annotated[str, OnDisk()]
"""A path; in a file it is relative to the file."""
PathOrName = Annotated[str, OnDisk(always=False)]
"""A path if there is one, relative to the file; else a name on a hub."""
