"""What the models of events have in common: those that a service publishes and those it reads of another's."""

from typing import Any

from pydantic import BaseModel, ConfigDict


class PublishedEvent(BaseModel):
    """Consumers declare the fields that they read and ignore the rest."""

    model_config = ConfigDict(frozen=True)

    def as_data(self) -> dict[str, Any]:
        return self.model_dump(mode="json")


class ReadEvent(BaseModel):
    """Another service's event, or a part of it: only the fields read here, the rest ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)
