"""What can be wrong with a request about model configurations."""

from __future__ import annotations

from collections.abc import Sequence

from arcane.catalog.problems import FieldError
from arcane.kit.problems import Conflict, NotFound, Problem


class UnknownModelConfiguration(NotFound):
    """No model configuration of the caller's organisation has this id."""

    slug = "unknown-model-configuration"
    title = "Unknown model configuration"


class ModelConfigurationNameTaken(Conflict):
    """Another model configuration of the organisation has this name."""

    slug = "model-configuration-name-taken"
    title = "Model configuration name taken"


class ModelConfigurationChanged(Conflict):
    """Somebody else changed the model configuration since the version the request names."""

    slug = "model-configuration-changed"
    title = "Model configuration changed"


class ModelConfigurationInUse(Conflict):
    """Something that is kept refers to the model configuration: a version of a prompt, for instance."""

    slug = "model-configuration-in-use"
    title = "Model configuration in use"


class ModelConfigurationLimit(Conflict):
    """The organisation has as many model configurations as this instance allows."""

    slug = "model-configuration-limit"
    title = "Too many model configurations"


class InvalidModelConfiguration(Problem):
    """The configuration cannot work; `errors` points at the fields."""

    status = 422
    slug = "invalid-model-configuration"
    title = "Invalid model configuration"

    def __init__(self, errors: Sequence[FieldError]) -> None:
        self.errors = tuple(errors)
        listed = [{"pointer": error.pointer, "detail": error.detail} for error in errors]
        super().__init__(f"{len(listed)} field(s) of the model configuration need a look", errors=listed)


class NoWorker(Problem):
    """Models are called by workers, and none is there that could do it now."""

    status = 503
    slug = "no-worker"
    title = "No worker"


class ModelFailed(Problem):
    """The model, or the way to it, did not give an answer; `cause` says why and `retry` whether it may work later."""

    status = 502
    slug = "model-failed"
    title = "Model failed"
