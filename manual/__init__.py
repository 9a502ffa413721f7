"""The manual pages, made of what the program says of itself, so that they cannot say anything else.

`python -m manual FOLDER` writes them: healthd(8) from the commands, healthd.toml(5) from the configuration's schema,
healthd-checkers(7) from the checkers. Tables that only people could write are taken from docs/commands.md.
"""
