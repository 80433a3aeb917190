"""The base of all shapes that are taken and answered over HTTP."""

from __future__ import annotations

import warnings

from pydantic import BaseModel, ConfigDict
from pydantic.warnings import UnsupportedFieldAttributeWarning


class Schema(BaseModel):
    """A shape of the API. Its validator is built when somebody first needs it.

    Hundreds of shapes are declared at start, and a new instance is asked for few of them.
    """

    model_config = ConfigDict(defer_build=True)


# FastAPI names its bodies by an alias that pydantic has no use for, and silences what pydantic says of it. That ends
# before a shape that waits is built.
warnings.filterwarnings("ignore", category=UnsupportedFieldAttributeWarning)
