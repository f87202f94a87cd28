"""What a recipe says of itself: source, year, claim, and how ours differs."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Card:
    """One published system.

    Attributes:
        system: its id in `systems.tsv`, e.g. "dreamer-v3".
        title, authors, year, venue, url: the source.
        claim: what the paper claims, in a sentence.
        mechanism: how it works, in a sentence.
        differs: how this recipe differs from the paper, one difference a line.
        space: where it predicts: "latent", "pixel", "token", "representation" or "implicit".
    """

    system: str
    title: str
    authors: str
    year: int
    venue: str
    url: str
    claim: str
    mechanism: str
    differs: tuple[str, ...]
    space: str

    def bibtex(self) -> str:
        """A BibTeX entry for the source."""
        last = self.authors.split(",")[0].split()[-1].lower()
        return (
            f"@article{{{last}{self.year}{self.system.replace('-', '')},\n"
            f"  title = {{{self.title}}},\n  author = {{{self.authors.replace(', ', ' and ')}}},\n"
            f"  year = {{{self.year}}},\n  journal = {{{self.venue}}},\n  url = {{{self.url}}},\n}}"
        )
