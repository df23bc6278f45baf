"""Messages about an athlete that every service hears, and what each says once it has erased one."""

from typing import Any, Literal, cast

from pydantic import BaseModel, create_model

from shared.contract.words import EffectWord, ServiceName
from shared.messages.values import Id, Profile, Value


class PutAthlete(Profile):
    athlete: Id

    @property
    def profile(self) -> Profile:
        return Profile.model_validate(self.model_dump(exclude={"athlete"}))


class EraseAthlete(Value):
    athlete: Id


def athlete_erased(service: ServiceName) -> type[BaseModel]:
    """The event ``<service>.athlete-erased``; its effect is ``none`` where an earlier erase has left nothing."""
    return create_model(
        "AthleteErased",
        athlete=(Id, ...),
        service=(cast(Any, Literal)[service], service),
        effect=(EffectWord, ...),
    )
