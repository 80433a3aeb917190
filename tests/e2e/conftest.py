"""What every browser test shares."""

from tests.support.browser import browser, site, visit
from tests.support.instance import enter, instance, owner, workplace

__all__ = ["browser", "enter", "instance", "owner", "site", "visit", "workplace"]
