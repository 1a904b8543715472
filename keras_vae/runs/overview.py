"""The page of all recipes, made from their headers and the metadata of their presets.

python -m keras_vae.runs.overview recipes/README.md
"""

import sys
from pathlib import Path

from keras_vae.core.files import written_whole
from keras_vae.presets import list_pretrained, pretrained_metadata
from keras_vae.presets.layout import WEIGHTS
from keras_vae.reports.tables import text_of
from keras_vae.runs.recipe_header import RecipeHeader

INTRODUCTION = """# Recipes

Made by `python -m keras_vae.runs.overview recipes/README.md` from the headers of the recipes and the metadata of their
presets.

One file is one run: it trains, measures, and ends in a table and a folder, `runs/<recipe>/`, with `metrics.json`,
pictures and the model as a preset. `--smoke` takes a few steps on a little data; `--full` is the paper's schedule, or
the long one; `--resume` goes on from the last checkpoint; `--seed`, `--name` and `--runs` say what they are. Each
figure comes from the command of its recipe.

In the tables "paper" is the figure of the paper named there ("recalled": not read again), "bar" what was asked of the
run, and "preset" what was measured of the weights in `saved_models/`, by its name in their `metadata.json`; a hyphen is
for none.
"""


def overview(folder):
    """The page, Markdown: a list of the recipes in a folder, then what each says of itself and of its preset.

    Args:
        folder: str or Path, that of the recipes.

    Returns:
        str.
    """
    headers = [RecipeHeader.read(path) for path in sorted(Path(folder).glob("*.py"))]
    presets = {}
    for name in list_pretrained():
        metadata = pretrained_metadata(name)
        presets.setdefault(metadata["recipe"], []).append(metadata)
    ours = {header.name: presets.get(f"recipes/{header.name}.py", []) for header in headers}
    rows = [["recipe", "what it is", "preset"]]
    for header in headers:
        names = ", ".join(f"`{preset['name']}`" for preset in ours[header.name])
        rows.append([f"[`{header.name}.py`](#{header.name}py)", header.title.split(":")[0].rstrip("."), names or "-"])
    return "\n".join([INTRODUCTION, *_table(rows), *(_section(h, ours[h.name]) for h in headers)])


def _section(header, presets):
    """What one recipe says, entry by entry, and the facts of its presets."""
    entries = []
    for entry, text in header.texts.items():
        if entry == "Command":
            command, _, remark = text.partition("(")
            text = f"`{command.strip()}`" + f" ({remark}" * bool(remark)
        entries.append(f"- **{entry}**: {text}".rstrip())
        if entry in header.tables:
            entries.append("\n".join(["", *(f"  {line}" for line in _table(header.tables[entry])), ""]))
    parts = [f"\n## {header.name}.py", header.title, "\n".join(entries).strip(), *map(_preset, presets)]
    return "\n\n".join(parts)


def _preset(metadata):
    """A preset in a paragraph: model, size, data, licence, and its figures one by one."""
    name, size = metadata["name"], metadata["files"][WEIGHTS]["bytes"] / 1e6
    figures = (f"`{key}` {text_of(v)}" for key, v in metadata["metrics"].items() if not isinstance(v, list | dict))
    return (
        f"**Preset** [`{name}`](../saved_models/{name}/README.md): `{metadata['model']}`, {size:.1f} MB, "
        f"{metadata['parameter_count']:,} parameters. Data: {metadata['dataset']}. "
        f"Licence of the weights: {metadata['licence']}. Stored figures: {', '.join(figures)}."
    )


def _table(rows):
    heading, *body = rows
    return [f"| {' | '.join(row)} |" for row in (heading, ["---"] * len(heading), *body)]


def main(path):
    """Writes the page.

    Args:
        path: str or Path of the page, which stands beside the recipes.
    """
    with written_whole(path) as temporary:
        temporary.write_text(overview(Path(path).parent) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
