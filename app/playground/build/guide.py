"""What the guide's theme leaves out: names for those who listen to a page, and where code in tables may break.

MkDocs calls it (`hooks`).
"""

import re

NAMED = {
    '<div class="md-search" data-md-component="search" role="dialog"': "Search",
    '<input class="md-toggle" data-md-toggle="drawer"': "Navigation",
    '<input class="md-toggle" data-md-toggle="search"': "Search",
}
CELL = re.compile(r"<td[^>]*>.*?</td>", re.DOTALL)
CODE = re.compile(r"<code>([^<]*)</code>")
BETWEEN = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[_.:,?=-])(?=\w)|(?<=\w)(?=/)")


def on_post_page(output: str, **_: object) -> str:
    """Return a page whose dialogs and switches have names, and whose tables break code between words alone."""
    for opening, name in NAMED.items():
        output = output.replace(opening, f'{opening} aria-label="{name}"')
    return CELL.sub(lambda cell: CODE.sub(_breakable, cell[0]), output)


def _breakable(code: re.Match[str]) -> str:
    return f"<code>{BETWEEN.sub('<wbr>', code[1])}</code>"
