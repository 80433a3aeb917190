"""What every browser test shares."""

from tests.support.browser import browser, site, visit

__all__ = ["browser", "site", "visit"]
