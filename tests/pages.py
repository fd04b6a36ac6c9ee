"""The pages as the tests read them: their text, their commands, what a program makes of those."""

import importlib
import re
from argparse import ArgumentParser
from pathlib import Path

import common
import pytest
from conftest import ROOT, SCRIPTS

PATHS = [ROOT / "README.md", *ROOT.glob(".github/*.md"), *(ROOT / "docs").rglob("*.md")]
PAGES = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in PATHS}
CHINESE = {name: text for name, text in PAGES.items() if "zh-CN" in name}
ENGLISH = {name: text for name, text in PAGES.items() if name not in CHINESE}
LANGUAGES = {"English": ENGLISH, "Chinese": CHINESE}
PASTED = re.compile(r'```sh\n(python -c "\n.*?\n")\n```', re.S)  # one command of several lines
FOLDERS = ("", "docs/tools", "docs/measure", "tests")


def flags_of(text):
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text))


def blocks(text, kinds):
    """The contents of a page's blocks of code of these kinds: "sh|bat"."""
    return re.findall(rf"```(?:{kinds})\n(.*?)```", text, re.S)


def commands(text):
    """What a page shows to type, in blocks and in sentences: of `a && b` each, \\ written as /."""
    text = PASTED.sub("", text).replace("\\\n", " ")  # a command may go on in the next line
    lines = "\n".join(blocks(text, "sh|bat|powershell")).splitlines()
    lines += re.findall("^%run .*", "\n".join(blocks(text, "python")), re.M)
    sentences = re.sub(r"```.*?```", "", text, flags=re.S)
    lines += re.findall(r"`((?:python3?|pip|pytest|git|diff|patch|\S+\.py) [^`]*)`", sentences)
    parts = [part.strip() for line in lines for part in " ".join(line.split()).split("&&")]
    return [part.replace("\\", "/") for part in parts if part]


def program_of(words):
    """The path of the Python program that a command starts, and its arguments, or (None, words)."""
    name, *arguments = words
    if re.fullmatch(r"python3?|py", Path(name).stem) and arguments:
        if arguments[0] == "-m" and arguments[1].startswith("docs."):
            return arguments[1].replace(".", "/") + ".py", arguments[2:]
        name, *arguments = arguments
    if name == "%run":
        name, *arguments = arguments
    if not name.endswith(".py"):
        return None, words
    places = [Path(folder) / name for folder in FOLDERS]
    (path,) = [place.as_posix() for place in places if (ROOT / place).is_file()] or [name]
    return path, arguments


class Accepted(Exception):
    """Raised in place of what a program does after it has read its command line."""


def parse(path, arguments, folder):
    """Let a program read a command line in a folder that has what is named -> its parser, or fail.

    Nothing else of the program runs.
    """
    for name in "my", "runs", "path/to":
        (folder / name).mkdir(parents=True, exist_ok=True)
    for value in arguments:
        if value.endswith(".weights.h5"):  # as a run before has left it
            (folder / value).touch()
    module = importlib.import_module(path.removesuffix(".py").replace("/", "."))
    scripts = path.removesuffix(".py") in (*SCRIPTS, "docs/tools/baseline")
    owner = common if scripts else module if hasattr(module, "parse_args") else ArgumentParser
    parsers, parse_args = [], ArgumentParser.parse_args

    def noting(parser, *args, **kwargs):
        parsers.append(parser)
        return parse_args(parser, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(ArgumentParser, "parse_args", noting)
        whole = owner.parse_args

        def stop(*args, **kwargs):
            whole(*args, **kwargs)
            raise Accepted

        patch.setattr(owner, "parse_args", stop)
        with pytest.raises(Accepted):
            module.main(arguments)
    return parsers[-1]
