"""Inline pieces: what stands inside a sentence and must come through a translation verbatim, exactly as often."""

from __future__ import annotations

import re

INLINE = re.compile(
    r"""
      (?:https?://|(?<![\w.])www\.)[^\s<>"]*[^\s<>".,;:!?)\]}'”’]     # URL, without the sentence's own punctuation
    | (?<![\w.+-])[\w.+-]++@[\w-]+(?:\.[\w-]+)+                       # e-mail address
    | ``(?:[^`\n]|`(?!`))+`` | `[^`\n]+`                              # inline code
    | <!--(?:[^\n<-]|-(?!->)|<(?!!--))*-->                            # comment
    | </?[A-Za-z][^<>\n]*>                                            # tag, or <PLACEHOLDER>
    | \$\$[^$\n]+\$\$ | \\\((?:[^\n\\]|\\(?![()]))+\\\) | \\\[(?:[^\n\\]|\\(?![][]))+\\\]  # LaTeX between its own marks
    | \$(?:[^\s$]+|(?=[^$\n]*[\\^_=])[^\s$](?:[^$\n]*[^\s$])?)\$(?!\d)  # $x$, $a = b$, but not $5 and $10
    | \\[A-Za-z]+(?:\{[^{}\n]*\})+                                    # \command{...}
    | \{\s*"[^{}\n]*(?:\{[^{}\n]*\}[^{}\n]*)*\}                       # a JSON object on one line
    | \{%[^\n{}]*%\} | \{\{[^{}\n]*\}\} | \$?\{\w+(?:\.\w+)*\}           # {% if %} {{ name }} ${name} {name}
    | %\(\w+\)[sd] | %(?:\d+\$)?[sd]\b                                # %(name)s %1$s %s
    | \[[A-Z][A-Z0-9_ ]*\]                                            # [NAME]
    | (?<![A-Za-z0-9+/=_-])[A-Za-z0-9+/=_-]{48,}                      # base64, hashes, keys: no word is as long
    """,
    re.VERBOSE,
)


def inline_pieces(text: str) -> list[str]:
    """The inline pieces of a sentence, in order."""
    return INLINE.findall(text)


def pieces_kept(source: str, target: str) -> tuple[int, int]:
    """(pieces of the source that stand in the target exactly as often, pieces in all)."""
    pieces = inline_pieces(source)
    return sum(target.count(p) == source.count(p) for p in pieces), len(pieces)


def all_pieces_kept(source: str, target: str) -> bool:
    """Whether every inline piece of the source stands in the target exactly as often."""
    kept, pieces = pieces_kept(source, target)
    return kept == pieces
