"""Documents as YAML."""

from __future__ import annotations

from typing import Final

import yaml

_FAST_DUMPER: Final[type[yaml.SafeDumper]] = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
"""That of libyaml, where there is one: the other takes ten times as long."""


class _Dumper(_FAST_DUMPER):  # type: ignore[valid-type, misc]
    """Without anchors, which not every reader of OpenAPI follows; which dumper it is shows when it runs."""

    def ignore_aliases(self, _data: object) -> bool:
        """Write everything out."""
        return True


def yaml_text(document: object) -> bytes:
    """Return plain data as YAML, with its members in their order."""
    text: str = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    return text.encode()
