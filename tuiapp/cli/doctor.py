"""`facewright doctor`."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from engine.protocol.errors import EXIT_DONE, EXIT_FAILED
from tuiapp.cli.arguments import no_more, read_switches
from tuiapp.doctor import Finding, Verdict, examine

_MARKS = {
    Verdict.GOOD: ("✓", "green"),
    Verdict.FACT: ("·", "default"),
    Verdict.ADVICE: ("!", "yellow"),
    Verdict.PROBLEM: ("✗", "bold red"),
}


def doctor(words: list[str]) -> int:
    """Show all findings; exit status 4 if one is a problem."""
    switches = read_switches(words, ("json",))
    no_more(switches.rest)
    folder = switches.workspace.root
    findings = examine(folder if folder.is_dir() else Path.cwd())
    if switches.json:
        sys.stdout.write(json.dumps([asdict(finding) for finding in findings], indent=2) + "\n")
    else:
        _print_table(findings)
    problems = any(finding.verdict is Verdict.PROBLEM for finding in findings)
    return EXIT_FAILED if problems else EXIT_DONE


def _print_table(findings: list[Finding]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in findings:
        mark, style = _MARKS[finding.verdict]
        text = Text(finding.text)
        if finding.remedy:
            text.append(f"\n-> {finding.remedy}", style="dim")
        table.add_row(Text(mark, style=style), finding.topic, text)
    Console().print(table)
