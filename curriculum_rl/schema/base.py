"""What all sections of an environment file share."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Discriminator, Field


class Section(BaseModel):
    """A mapping of the file in which unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Custom(BaseModel):
    """Anything of the user's own: `kind: "module:Class"`; every other key is an argument of the class."""

    model_config = ConfigDict(extra="allow", frozen=True)
    kind: str = Field(pattern=r"^[\w.]+:\w+$")

    @property
    def options(self) -> dict[str, Any]:
        """The other keys."""
        return dict(self.model_extra or {})


def kind_of(default: str) -> Discriminator:
    """Choose a section by its `kind`; one with a colon is the user's own class."""

    def tag(value: Any) -> str:
        kind = value.get("kind", default) if isinstance(value, Mapping) else getattr(value, "kind", default)
        return "custom" if ":" in str(kind) else str(kind)

    return Discriminator(tag)
