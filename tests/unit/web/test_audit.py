"""What changed, as the audit page tells it."""

from web.pages.audit import Changed, changes


def test_what_is_the_same_or_empty_is_not_told() -> None:
    assert changes({"name": "a", "description": ""}, {"name": "a", "description": None}) == ()
    assert changes(None, None) == ()


def test_what_differs_is_told_by_the_path_to_it() -> None:
    before = {"name": "a", "settings": {"url": "http://one", "auth": {"user": "x"}}, "version": 1}
    after = {"name": "b", "settings": {"url": "http://one", "auth": {"user": "y"}}, "version": 2}
    assert changes(before, after) == (
        Changed("name", "a", "b"),
        Changed("settings.auth.user", "x", "y"),
        Changed("version", "1", "2"),
    )


def test_lists_of_words_read_as_such() -> None:
    assert changes({"roles": ["Viewer"]}, {"roles": ["Member", "Viewer"]}) == (
        Changed("roles", "Viewer", "Member, Viewer"),
    )
    assert changes(None, {"on": True, "limits": [1, 2]}) == (Changed("limits", "", "[1,2]"), Changed("on", "", "true"))
