"""``kit doctor``: what is wrong with this machine, and the cure."""

from __future__ import annotations

import dataclasses

import click

from kit.cli import options
from kit.cli.output import print_json


@click.command("doctor")
@options.as_json
def command(as_json: bool) -> int:
    """Find out what is wrong with this machine, and how to cure it.

    Looks at Python, packages, locale, proxies, disk, the kit's own folder, servers that were left
    behind, sandboxes and containers, and starts the embedded PostgreSQL once. Changes nothing.

    \b
    Examples:
      kit doctor
      kit doctor --json
    """
    from kit.doctor import Status, examine

    findings = []
    if not as_json:
        from kit.cli.findings import show_finding, show_verdict
    for finding in examine():
        findings.append(finding)
        if not as_json:
            show_finding(finding)
    healthy = all(finding.status is not Status.BAD for finding in findings)
    if as_json:
        print_json({"healthy": healthy, "findings": [dataclasses.asdict(f) for f in findings]})
    else:
        show_verdict(findings)
    return 0 if healthy else 3
