"""Tables in the terminal."""

import numbers

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table


def table(rows, title=None, columns=None):
    """Prints rows as a table: numbers to the right, floats with four significant digits.

    Args:
        rows: a dict name -> value (two columns), a list of dicts (a column per key), or a list of sequences, which
            needs `columns`.
        title: str above the table, or None.
        columns: sequence of str, the headings; by default the keys of the dicts in the order met.

    Raises:
        ValueError: for rows of sequences without `columns`, or not as long as them.

    Example:
        >>> table({"NLL (nats)": 86.76, "active units": 19})     # doctest: +SKIP
    """
    headings, body = _cells(rows, columns)
    title = None if title is None else escape(title)
    drawn = Table(title=title, box=box.SIMPLE_HEAD, title_style="bold", title_justify="left", show_header=any(headings))
    for index, heading in enumerate(headings):
        numeric = all(_is_number(row[index]) or row[index] is None for row in body)
        # The first column names its row, to be copied from: it is folded last.
        widest = 0 if index else max((len(text_of(row[0])) for row in body), default=0)
        justify = "right" if numeric and body else "left"
        drawn.add_column(heading, justify=justify, overflow="fold", min_width=min(widest, 32) or None)
    for row in body:
        drawn.add_row(*(escape(text_of(value)) for value in row))  # a file may be called digit[b].png
    # Made here and not at import, so that it follows the stdout of the moment; a file gets the room it needs.
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=max(console.width, 120))
    console.print(drawn)


def text_of(value):
    """How a table writes one value: 86.76, 1,024, 3.2e-05, yes, a dash for None."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if _is_number(value):
        number = value.item() if hasattr(value, "item") else value
        return f"{number:,}" if isinstance(number, int) else f"{number:.4g}" if abs(number) < 1e4 else f"{number:,.0f}"
    return str(value)


def _is_number(value):
    if isinstance(value, bool):
        return False
    return isinstance(value, numbers.Real) or (hasattr(value, "item") and getattr(value, "ndim", None) == 0)


def _cells(rows, columns):
    if isinstance(rows, dict):
        rows, columns = list(rows.items()), columns or ("", "")
    rows = list(rows)
    if rows and isinstance(rows[0], dict):
        columns = list(columns or dict.fromkeys(key for row in rows for key in row))
        return columns, [[row.get(key) for key in columns] for row in rows]
    if columns is None:
        raise ValueError("`columns` must be given where `rows` are sequences. Received: columns=None.")
    for row in rows:
        if len(row) != len(columns):
            raise ValueError(f"`rows` must have {len(columns)} values each, one per column. Received: {row!r}.")
    return list(columns), rows
