"""Packages of their own: tests/contract/test_plugin.py installs them and runs their tests."""

collect_ignore_glob = ["*/tests/*"]
