"""Tables for terminals and notebooks."""

from __future__ import annotations

from html import escape

Table = tuple[str, list[str], list[list[str]]]


def html(table: Table) -> str:
    """A table as HTML: texts to the left, numbers to the right."""
    title, header, rows = table
    cell = '<td style="text-align:{}">{}</td>'

    def row(cells: list[str]) -> str:
        aligned = (cell.format("right" if _is_number(text) else "left", escape(text)) for text in cells)
        return f"<tr>{''.join(aligned)}</tr>"

    head = "".join(f"<th>{escape(name)}</th>" for name in header)
    body = "".join(row(cells) for cells in rows)
    return f"<table><caption>{escape(title)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def text(table: Table) -> str:
    """A table as aligned Markdown."""
    title, header, rows = table
    widths = [max(len(row[at]) for row in [header, *rows]) for at in range(len(header))]

    def line(cells: list[str]) -> str:
        aligned = (c.rjust(w) if _is_number(c) else c.ljust(w) for c, w in zip(cells, widths))
        return f"| {' | '.join(aligned)} |"

    rule = f"| {' | '.join('-' * width for width in widths)} |"
    return "\n".join([title, "", line(header), rule, *map(line, rows)])


def _is_number(cell: str) -> bool:
    return cell[:1].isdigit() or (cell[:1] in "+−-" and cell[1:2].isdigit()) or cell == "–"
