"""What the guide's theme leaves without a name gets one, for those who listen to a page. MkDocs calls it (`hooks`)."""

NAMED = {
    '<div class="md-search" data-md-component="search" role="dialog"': "Search",
    '<input class="md-toggle" data-md-toggle="drawer"': "Navigation",
    '<input class="md-toggle" data-md-toggle="search"': "Search",
}


def on_post_page(output: str, **_: object) -> str:
    """Return a page whose dialogs and switches have names."""
    for opening, name in NAMED.items():
        output = output.replace(opening, f'{opening} aria-label="{name}"')
    return output
