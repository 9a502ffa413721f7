"""`healthd completion`: the script that has a shell ask this program after TAB."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from healthd.cli import output
from healthd.cli.exits import Exit, Problem


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> int:
    r"""Print the completion script of SHELL: commands, options, and the names of services and servers.

    \b
    bash: healthd completion bash > /etc/bash_completion.d/healthd
    zsh:  healthd completion zsh > "${fpath[1]}/_healthd"
    fish: healthd completion fish > ~/.config/fish/completions/healthd.fish

    Exit status: 0 printed, 64 usage.
    """
    kind = get_completion_class(shell)
    if kind is None:
        raise Problem(Exit.USAGE, f"healthd: click knows no completion for {shell}")
    output.say_plain(kind(ctx.find_root().command, {}, "healthd", "_HEALTHD_COMPLETE").source().rstrip("\n"))
    return Exit.OK
