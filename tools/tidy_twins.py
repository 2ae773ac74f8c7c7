"""Pages for users are there in English and in Chinese, and say the same.

The Chinese page may translate prose and the comments in code blocks. Everything that a reader types
or looks for is the same in both: the levels of the headings, the rows of tables, the code blocks
without their comments, and the words in backticks.
"""

import os
import re
from fnmatch import fnmatch

CHINESE_ROOT = "README.zh-CN.md"
CHINESE_FOLDER = "docs/zh-CN/"
# For who works on Gantry, or made by a command: these are English only.
ENGLISH_ONLY = ("docs/adr/*", "docs/security/*", "docs/protocols/init.md")
LINES_TO_THE_LINK = 10

BLOCK = re.compile(r"^(```|~~~)[^\n]*\n(.*?)^\1[^\n]*$", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"(?:^\n|\A)((?:    [^\n]*\n|\n(?=    ))+)", re.MULTILINE)
COMMENT = re.compile(r"(?:^|(?<=\s))(?:#|//|<!--)\s[^\n]*")
WORD = re.compile(r"(`+)(.+?)\1", re.DOTALL)


def twin_of(path):
    """The Chinese page of an English one; nothing when it needs none."""
    if path == "README.md":
        return CHINESE_ROOT
    if not fnmatch(path, "docs/*.md") or path.startswith(CHINESE_FOLDER):
        return None
    if any(fnmatch(path, glob) for glob in ENGLISH_ONLY):
        return None
    return CHINESE_FOLDER + path.removeprefix("docs/")


def blocks_of(text):
    found = [match.group(2) for match in BLOCK.finditer(text)]
    found += [match.group(1) for match in INDENTED.finditer(BLOCK.sub("", text))]
    return [re.sub(r"\s+\n", "\n", COMMENT.sub("", block) + "\n").strip() for block in found]


def words_of(prose):
    return {" ".join(word.group(2).split()) for word in WORD.finditer(prose)}


def differences(english, chinese):
    """What a reader of the one page finds and a reader of the other does not, in words."""
    ours, theirs = blocks_of(english), blocks_of(chinese)
    for number, (our, their) in enumerate(zip(ours, theirs), 1):
        if our != their:
            yield f"code block {number} differs"
    if len(ours) != len(theirs):
        yield f"{len(theirs)} code blocks, {len(ours)} in English"
    ours, theirs = (INDENTED.sub("\n", BLOCK.sub("", page)) for page in (english, chinese))
    levels = [re.findall(r"^(#+) ", prose, flags=re.MULTILINE) for prose in (ours, theirs)]
    if levels[0] != levels[1]:
        yield f"{len(levels[1])} headings, {len(levels[0])} in English, or other levels"
    rows = [len(re.findall(r"^\|", prose, flags=re.MULTILINE)) for prose in (ours, theirs)]
    if rows[0] != rows[1]:
        yield f"{rows[1]} rows in tables, {rows[0]} in English"
    missing, strange = words_of(ours) - words_of(theirs), words_of(theirs) - words_of(ours)
    if missing:
        yield f"'{min(missing)}' is missing ({len(missing)} words in backticks are)"
    if strange:
        yield f"'{min(strange)}' is not in English ({len(strange)} words in backticks are not)"


def begins_with_link(text, path, other):
    link = os.path.relpath(other, os.path.dirname(path) or ".")
    return f"]({link})" in "\n".join(text.split("\n")[:LINES_TO_THE_LINK])


def check_twins(texts, findings):
    """A tree without a Chinese page has no pairs."""
    chinese_pages = {path for path in texts
                     if path == CHINESE_ROOT or path.startswith(CHINESE_FOLDER)}
    pairs = {twin: path for path in texts if (twin := twin_of(path))} if chinese_pages else {}
    for twin, path in sorted(pairs.items()):
        if twin not in texts:
            findings.add(path, 1, "twin", f"'{twin}' does not exist; translate this page")
            continue
        for page, other in ((path, twin), (twin, path)):
            if not begins_with_link(texts[page], page, other):
                findings.add(page, 1, "twin", f"no link to '{other}' at the top; add one")
        for difference in differences(texts[path], texts[twin]):
            findings.add(twin, 1, "twin", f"{difference}; bring both pages to say the same")
    for page in sorted(chinese_pages - set(pairs)):
        findings.add(page, 1, "twin", "there is no English page of it; move or remove it")
