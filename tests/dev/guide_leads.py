"""Whether every error text of a list leads somewhere in a guide.

Usage: guide_leads.py GUIDE LIST LABEL...

Each line of LIST (but empty ones and comments) has to be a cell of a table in GUIDE, in backticks;
each link in its row has to lead to a heading of GUIDE, and the text below that heading has to have
every LABEL. Prints what is missing and exits with 1.
"""

import re
import sys
from pathlib import Path


def anchor_of(heading):
    """As GitHub makes it: letters, digits, hyphens; blanks become hyphens."""
    kept = "".join(one for one in heading.strip().lower() if one.isalnum() or one in " -_")
    return kept.replace(" ", "-")


def sections_of(guide):
    parts = re.split(r"^## (.+)$", guide, flags=re.MULTILINE)
    return {anchor_of(heading): text for heading, text in zip(parts[1::2], parts[2::2])}


def missing(guide, texts, labels):
    sections = sections_of(guide)
    rows = [line for line in guide.split("\n") if line.startswith("| `")]
    for text in texts:
        row = next((row for row in rows if row.startswith(f"| `{text}` |")), None)
        if row is None:
            yield f"no row for '{text}'"
            continue
        links = re.findall(r"\]\(#([^)]+)\)", row)
        if not links:
            yield f"'{text}' leads nowhere"
        for link in links:
            if link not in sections:
                yield f"'{text}' leads to '{link}', which is no heading"
                continue
            for label in labels:
                if label not in sections[link]:
                    yield f"'{text}' leads to '{link}', which has no '{label}'"


def main(guide, listed, *labels):
    lines = Path(listed).read_text(encoding="utf-8").split("\n")
    texts = [line for line in lines if line and not line.startswith("#")]
    found = list(missing(Path(guide).read_text(encoding="utf-8"), texts, labels))
    print("\n".join(found))
    return 1 if found or not texts else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
