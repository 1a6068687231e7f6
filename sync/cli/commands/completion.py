"""The command ``completion``: the script with which a shell completes commands and options."""

from __future__ import annotations

import click

from sync.cli.process.completion import completion_script
from sync.cli.process.messages import print_line

SHELLS = ("bash", "zsh", "fish")


@click.command(
    short_help="Print a script that completes commands in your shell.",
    epilog="Example: source <(catalog-sync completion bash)",
)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, *, shell: str) -> None:
    """Print a script that completes commands, options and their values in your shell.

    \b
    bash  add to ~/.bashrc:
          source <(catalog-sync completion bash)
    zsh   add to ~/.zshrc, after compinit:
          source <(catalog-sync completion zsh)
    fish  catalog-sync completion fish > ~/.config/fish/completions/catalog-sync.fish
    """  # noqa: D301  # the character \\b keeps click from joining the lines
    print_line(completion_script(context.find_root().command, shell))
