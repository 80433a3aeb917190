"""What can be wrong with a request about experiments."""

from __future__ import annotations

from collections.abc import Sequence

from arcane.kit.problems import Conflict, NotFound, Problem


class UnknownExperiment(NotFound):
    """No experiment of the project has this id."""

    slug = "unknown-experiment"
    title = "Unknown experiment"


class UnknownExperimentRow(NotFound):
    """The experiment's version of the dataset has no such row."""

    slug = "unknown-experiment-row"
    title = "Unknown row of the experiment"


class BadMapping(Problem):
    """Variables and columns do not fit together; `errors` points at each that does not."""

    status = 422
    slug = "bad-mapping"
    title = "Variables and columns do not fit"

    def __init__(self, errors: Sequence[tuple[str, str]]) -> None:
        listed = [{"pointer": pointer, "detail": detail} for pointer, detail in errors]
        super().__init__("; ".join(detail for _, detail in errors), errors=listed)


class ExperimentEmpty(Problem):
    """The version of the dataset, or the split of it, has no rows."""

    status = 422
    slug = "experiment-empty"
    title = "Nothing to run over"


class ExperimentTooLarge(Problem):
    """The version of the dataset has more rows than an experiment may have on this instance."""

    status = 422
    slug = "experiment-too-large"
    title = "Too many rows"


class ExperimentState(Conflict):
    """The experiment's state does not allow it."""

    slug = "experiment-state"
    title = "Not in this state"


class ExperimentsDiffer(Problem):
    """Experiments that are put side by side are over one dataset."""

    status = 422
    slug = "experiments-differ"
    title = "Experiments over different datasets"
