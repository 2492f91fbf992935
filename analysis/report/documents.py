"""The report as Markdown, as LaTeX tables and as PDF."""

from __future__ import annotations

import logging
import re

from analysis.report.machines import TABLE_HEADS as MACHINE_HEADS
from analysis.report.page import Contents, render_paper
from analysis.report.tables import Table, markdown_table, printed_tables

#: What LaTeX reads as commands, and how it is written as text.
_ESCAPES = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "−": "$-$", "–": "--", "’": "'", "<": "$<$", ">": "$>$", "…": r"\ldots{}",
    "“": "``", "”": "''",
}  # fmt: skip


def markdown(contents: Contents) -> str:
    """The report in Markdown: the answer, figures as links to their files, tables, methods, what is missing, provenance."""
    results, finding = contents.results, contents.finding
    simulated = results.simulated
    lines = [f"# {finding.headline}{' (simulated)' if simulated else ''}", "", f"*{contents.title}*", ""]
    if simulated:
        lines += ["**Simulated ratings: they say nothing about any codec.**", ""]
    lines += [line for sentence in finding.sentences for line in (sentence, "")]
    for table in printed_tables(results):
        lines += [f"## {table.caption}", "", markdown_table(table.columns, table.rows), ""]
    if contents.machines:
        lines += ["## Machines beside people", ""]
        lines += [line for sentence in contents.machines.sentences for line in (sentence, "")]
        lines += [markdown_table(MACHINE_HEADS, contents.machines.rows), ""]
    lines += ["## Figures", ""]
    lines += [f"- [{one.title}](figures/{one.key}.svg)" for group in contents.figures.values() for one in group]
    lines += ["", "## Methods", "", contents.methods, ""]
    if contents.gaps:
        lines += ["## Not computed", "", *(f"- {gap}" for gap in contents.gaps), ""]
    lines += ["## Provenance", "", markdown_table(("What", "Value"), list(contents.origin.items())), ""]
    return "\n".join(lines)


def latex_tables(contents: Contents) -> dict[str, str]:
    """File name -> a booktabs table, to be \\input into a paper that loads the package booktabs."""
    return {f"tables/{table.key}.tex": _latex(table, contents.results.simulated) for table in printed_tables(contents.results)}


def latex_text(words: str) -> str:
    r"""``words`` as LaTeX text.

    >>> latex_text("50 % of a_b & −1")
    '50 \\% of a\\_b \\& $-$1'
    """
    return re.sub(r"[\\&%$#_{}~^−–’<>…“”]", lambda found: _ESCAPES[found[0]], words)


def pdf(contents: Contents) -> tuple[bytes | None, str]:
    """The report as PDF, or None and a sentence on what is missing here to write one (WeasyPrint, or the pango it draws with)."""
    try:
        import weasyprint
    except ImportError:
        return None, "There is no report.pdf: the package weasyprint is not installed (pip install weasyprint)."
    except OSError as error:
        library = str(error).split("'")[1] if "'" in str(error) else "pango"
        hint = "Debian: apt install libpango-1.0-0 libpangoft2-1.0-0"
        return None, f"There is no report.pdf: WeasyPrint needs the system library {library} ({hint})."

    # It tells of every rule of the sheet that is meant for screens.
    weasyprint.LOGGER.setLevel("ERROR")
    logging.getLogger("fontTools").setLevel("ERROR")
    written: bytes = weasyprint.HTML(string=render_paper(contents)).write_pdf()
    return written, ""


def _latex(table: Table, simulated: bool) -> str:
    first = "l" + "l" * (len(table.columns) - 1)
    caption = latex_text(table.caption) + (" (simulated ratings)" if simulated else "") + "."
    rows = [" & ".join(map(latex_text, row)) + r" \\" for row in table.rows]
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{caption}}}",
            rf"\label{{tab:{table.key}}}",
            rf"\begin{{tabular}}{{{first}}}",
            r"\toprule",
            " & ".join(map(latex_text, table.columns)) + r" \\",
            r"\midrule",
            *rows,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )
