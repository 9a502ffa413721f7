"""`healthd completion`: the script that has a shell ask this program after TAB."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from healthd.cli import output
from healthd.cli.exits import Exit, Problem

ASKS = "_HEALTHD_COMPLETE"
"""The variable by which click knows that it is asked."""

BASH = f"""\
_healthd_completion() {{
    local IFS=$'\\n' words=() cword=0 i word type value prefix response
    # To bash the colon of ADDRESS:PORT ends a word: the parts are put together again, and what stands there
    # already is taken off the answers.
    for ((i = 0; i < ${{#COMP_WORDS[@]}}; i++)); do
        word=${{COMP_WORDS[i]}}
        if ((i > 1)) && [[ $word == :* || ${{words[-1]}} == *: ]]; then
            words[-1]+=$word
        else
            words+=("$word")
        fi
        ((i == COMP_CWORD)) && cword=$((${{#words[@]}} - 1))
    done
    prefix=${{words[cword]}}
    prefix=${{prefix%"${{prefix##*:}}"}}
    response=$(env COMP_WORDS="${{words[*]}}" COMP_CWORD=$cword {ASKS}=bash_complete "$1")
    COMPREPLY=()
    for word in $response; do
        IFS=',' read -r type value <<< "$word"
        case $type in
            dir) compopt -o dirnames ;;
            file) compopt -o default ;;
            plain) COMPREPLY+=("${{value#"$prefix"}}") ;;
        esac
    done
}}
complete -o nosort -F _healthd_completion healthd"""


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> int:
    """Print the completion script of SHELL: commands, options, and the names of services and servers.

    \b
    bash: healthd completion bash > /etc/bash_completion.d/healthd
    zsh:  healthd completion zsh > "${fpath[1]}/_healthd"
    fish: healthd completion fish > ~/.config/fish/completions/healthd.fish

    Exit status: 0 printed, 64 usage.
    """  # noqa: D301 - click is to see the character, which keeps lines apart
    if shell == "bash":
        output.say_plain(BASH)
        return Exit.OK
    kind = get_completion_class(shell)
    if kind is None:
        raise Problem(Exit.USAGE, f"healthd: click knows no completion for {shell}")
    output.say_plain(kind(ctx.find_root().command, {}, "healthd", ASKS).source().rstrip("\n"))
    return Exit.OK
