#!/usr/bin/env python3
"""Hold the help of every command against the manual page, both ways.

usage: manual.py CA-TOOL MANUAL
"""
import re
import subprocess
import sys


def run(*args):
    return subprocess.run(args, check=True, capture_output=True,
                          text=True).stdout


def help_options(tool, command):
    """{(letter or '', name)} of `ca-tool COMMAND --help`."""
    text = run(tool, *command.split(), "--help")
    return set(re.findall(r"^ +(?:-(\w), )?(?:  +)?--([\w-]+)", text, re.M))


def section(manual, name):
    return re.search(rf"^\.Sh {name}\n(.*?)(?=^\.Sh )", manual,
                     re.M | re.S).group(1)


def flags(lines):
    """Flags as written: names of two or more letters, and single letters."""
    names, letters = set(), set()
    for line in lines:
        names.update(re.findall(r"Fl Fl ([\w-]+)", line))
        for word in re.findall(r"(?<!Fl )Fl (?!Fl)(\w+)", line):
            letters.update(word)
    return names, letters


def synopsis(manual):
    """{command: (names, letters)}."""
    found = {}
    for part in section(manual, "SYNOPSIS").split(".Nm\n")[1:]:
        lines = part.splitlines()
        found[lines[0].removeprefix(".Cm ")] = flags(lines[1:])
    return found


def described(manual):
    """{(letter or '', name)} of the list of options."""
    text = manual[manual.index(".Ss Options"):manual.index(".Ss PINs")]
    found = set()
    for line in text.splitlines():
        if line.startswith(".It "):
            names, letters = flags([line])
            found.add(("".join(letters), "".join(names)))
    return found


def main(tool, path):
    with open(path, encoding="utf-8") as file:
        manual = file.read()
    commands = run(tool, "help", "--list").splitlines()
    shown = synopsis(manual)
    wrong = []
    if set(commands) != set(shown):
        wrong.append(f"commands differ: {set(commands) ^ set(shown)}")
    every = set()
    for command in commands:
        options = help_options(tool, command)
        if not options:
            wrong.append(f"{command}: no options in its help")
        every |= options
        names, letters = shown.get(command, (set(), set()))
        for letter, name in options:
            if name not in names and letter not in letters:
                wrong.append(f"{command}: --{name} is not in the SYNOPSIS")
        for name in names - {name for _, name in options}:
            wrong.append(f"{command}: the SYNOPSIS has --{name}, "
                         "which is not in its help")
        for letter in letters - {letter for letter, _ in options}:
            wrong.append(f"{command}: the SYNOPSIS has -{letter}, "
                         "which is not in its help")
    for letter, name in every ^ described(manual):
        wrong.append(f"-{letter} --{name} is in only one of help and manual")
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
