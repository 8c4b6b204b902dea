"""The tests' fixtures come from the plugin that Freehold gives to everybody."""

pytest_plugins = ["freehold.testing.plugin"]
