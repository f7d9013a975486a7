"""``kit results``: signatures over gradings."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import click

from kit.cli import options
from kit.cli.output import print_json, say

FOLDER = click.argument(
    "folder", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path)
)


@click.group("results")
def command() -> None:
    """For instructors: sign results, and find out whether somebody has changed them.

    \b
    Examples:
      kit results key grading.key
      kit grade submissions/ --out out/ --sign grading.key
      kit results verify out/ --key grading.key.pub
    """


@command.command("key")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
def key(*, file: Path) -> int:
    """Make a pair of keys: FILE to sign with, FILE.pub for whoever verifies.

    \b
    Example:
      kit results key grading.key
    """
    from grader.signing.keys import fingerprint, make_keys, public_path

    made = make_keys(file)
    click.echo(f"Private key: {file}. Keep it to yourself: who has it can sign as you.")
    click.echo(f"Public key:  {public_path(file)}. Give it to whoever is to verify.")
    click.echo(f"Fingerprint: {fingerprint(made)}")
    return 0


@command.command("sign")
@FOLDER
@options.key("--key", "The private key.", required=True)
def sign(*, folder: Path, key: Path) -> int:
    """Sign the reports that are in DIR now, as kit grade --sign does.

    \b
    Example:
      kit results sign out/ --key grading.key
    """
    from grader.signing.keys import read_private_key
    from grader.signing.signature import sign as sign_folder

    click.echo(sign_folder(folder, read_private_key(key)))
    return 0


@command.command("verify")
@FOLDER
@options.key("--key", "The public key of whoever is to have signed.", required=True)
@options.as_json
def verify(*, folder: Path, key: Path, as_json: bool) -> int:
    """Find out whether DIR is as it was signed, and if not, what was changed.

    Exit code 1 if something was changed or somebody else has signed, 2 if DIR is not signed.

    \b
    Example:
      kit results verify out/ --key grading.key.pub
    """
    from grader.signing.keys import read_public_key
    from grader.signing.signature import verify as verify_folder
    from kit.cli.endings import plain

    verdict = verify_folder(folder, read_public_key(key))
    if as_json:
        print_json(dataclasses.asdict(verdict))
        return 1 if verdict.problems else 0
    for problem in verdict.problems:
        click.echo(plain(problem))
    if not verdict.problems:
        counts = f"{verdict.submissions} submissions, {verdict.files} files beside results.json"
        click.echo(f"As it was signed: {counts}.")
    if verdict.unsigned:
        say(f"Note: added since, and not signed: {plain(', '.join(verdict.unsigned))}.")
    return 1 if verdict.problems else 0
