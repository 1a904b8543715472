"""What a recipe says of itself: its docstring, read without running it."""

import ast
import dataclasses
import re
from pathlib import Path

OURS = "preset"  # how the heading of a column begins whose figures are those of the recipe's preset
NONE = "-"  # a cell without a figure
THEIRS = ("paper", "bar")  # rows that hold no figure of ours


@dataclasses.dataclass
class RecipeHeader:
    """A recipe's title and its entries: `Paper` or `Compare`, `Command`, `Hardware`, `Measured`, `Notes`.

    An entry begins with its name at the margin and goes on in lines indented by ten. Lines that begin with a bar and a
    space are a table, of which the first is the heading. The figures of the preset that the recipe published stand in a
    column whose heading begins with "preset", in rows named by their key in the preset's `metadata.json`, with the unit
    after a comma or none: "psnr, dB". A recipe of several presets has a column for each: "preset features_mnist".

    Args:
        name: str, the file's name without `.py`.
        title: str, its first line.
        texts: dict entry -> str, the words of each, in one line.
        tables: dict entry -> list of rows, each a list of str; of those entries that have one.

    Example:

    >>> header = RecipeHeader.of("tiny", '''Tiny.
    ...
    ... Measured  seed 0:
    ...           | figure   | bar | preset |
    ...           | psnr, dB | 27  | 27.5   |
    ... ''')
    >>> header.title, header.texts["Measured"], list(header.figures())
    ('Tiny.', 'seed 0:', [('psnr, dB', '27.5')])
    """

    name: str
    title: str
    texts: dict
    tables: dict

    @classmethod
    def read(cls, path):
        """The header of a recipe.

        Args:
            path: str or Path of the recipe.

        Returns:
            RecipeHeader.
        """
        path = Path(path)
        return cls.of(path.stem, ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))))

    @classmethod
    def of(cls, name, docstring):
        """The header that a docstring is.

        Args:
            name: str, the recipe's.
            docstring: str.

        Returns:
            RecipeHeader.

        Raises:
            ValueError: for a line that belongs to no entry, or a table whose rows are not as long as its heading.
        """
        title, *lines = docstring.strip().splitlines()
        texts, tables, entry = {}, {}, None
        for line in filter(None, (line.rstrip() for line in lines)):
            begun = re.fullmatch(r"([A-Z]\w+)\s{2,}(\S.*)", line)
            if begun:
                entry, line = begun.groups()
                texts[entry] = []
            elif entry is None or not line.startswith(" " * 10):
                raise ValueError(f"{name}: a line of the header must belong to an entry. Received: {line!r}.")
            if (line := line.strip()).startswith("| "):
                tables.setdefault(entry, []).append([cell.strip() for cell in line.strip("|").split("|")])
            else:
                texts[entry].append(line)
        for rows in tables.values():
            for row in rows:
                if len(row) != len(rows[0]):
                    raise ValueError(f"{name}: a row must have {len(rows[0])} cells, as its heading. Received: {row}.")
        return cls(name, title, {entry: " ".join(words) for entry, words in texts.items()}, tables)

    def figures(self, preset=None):
        """The figures that are said to be the preset's.

        Args:
            preset: str, the name of one of several; None for all columns. Default: None.

        Returns:
            generator of (row's name, figure), both str.
        """
        _, *rows = self.tables.get("Measured", [[]])
        for column in self.columns(preset):
            yield from ((row[0], row[column]) for row in rows if row[0] not in THEIRS and row[column] != NONE)

    def columns(self, preset=None):
        """The columns of "Measured" that hold figures of the preset.

        Args:
            preset: str, the name of one of several; None for all. Default: None.

        Returns:
            list of int.
        """
        found = []
        for column, title in enumerate(self.tables.get("Measured", [[]])[0]):
            named = re.match(rf"{OURS} (\w+)", title)
            if title.startswith(OURS) and (not named or preset in (None, named[1])):
                found.append(column)
        return found
