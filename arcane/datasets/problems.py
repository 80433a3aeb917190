"""What can be wrong with a request about datasets."""

from __future__ import annotations

from arcane.kit.problems import Conflict, NotFound, Problem


class UnknownDataset(NotFound):
    """No dataset of the caller's project has this id, or it has no such version."""

    slug = "unknown-dataset"
    title = "Unknown dataset"


class UnknownRow(NotFound):
    """The dataset has no such row (any more)."""

    slug = "unknown-row"
    title = "Unknown row"


class DatasetNameTaken(Conflict):
    """Another dataset of the project has this name."""

    slug = "dataset-name-taken"
    title = "Dataset name taken"


class DatasetChanged(Conflict):
    """Somebody else changed the same thing since the version the request was made for."""

    slug = "dataset-changed"
    title = "Dataset changed"


class DatasetBusy(Conflict):
    """A long change of the dataset, an import for instance, is under way."""

    slug = "dataset-busy"
    title = "Dataset busy"


class DatasetLimit(Conflict):
    """The dataset, or the project, has as much as this instance allows."""

    slug = "dataset-limit"
    title = "Dataset limit"


class InvalidDataset(Problem):
    """Columns, a row or a split cannot be as asked; `errors` points at them where there are several."""

    status = 422
    slug = "invalid-dataset"
    title = "Invalid dataset"


class BadFile(Problem):
    """The file, or some of its rows, cannot be imported; `errors` names the first bad rows by their lines."""

    status = 422
    slug = "bad-file"
    title = "Bad file"


class NothingCaptured(Problem):
    """None of the traces gave a row; `skipped` says of the first ones why."""

    status = 422
    slug = "nothing-captured"
    title = "Nothing captured"


class SlowSearch(Problem):
    """Searching or sorting the rows took longer than this instance allows."""

    status = 422
    slug = "slow-search"
    title = "Slow search"
