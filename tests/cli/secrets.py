#!/usr/bin/env python3
"""No secret is where it must not be.

    secrets.py CA-TOOL

Makes an authority of three operators and runs a plan with two.  While
ca-tool runs, its /proc/PID/cmdline and environ are read; when it has logged
out and is about to print its summary (its output is a pipe that is full), all of
its memory is read; at the end, every file of the authority is.  What is looked
for: passphrases, the texts of the shares, the shared secret, both PINs.
"""
import fcntl
import hashlib
import hmac
import os
import re
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.realpath(__file__))
PASSPHRASES = {"alice": "correct-horse-of-alice", "bob": "battery-of-bob-77",
               "carol": "staple-of-carol-42"}
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def make_people(folder):
    os.mkdir(folder)
    for name, phrase in PASSPHRASES.items():
        subprocess.run([os.path.join(HERE, "..", "make-operators"),
                        folder, "2", phrase, name], check=True)
    with open(os.path.join(folder, "set.yaml"), "w", encoding="ascii") as file:
        file.write("format: ca-tool-set-1\nthreshold: 2\noperators:\n")
        for name in PASSPHRASES:
            file.write(f"  - name: {name}\n    sign: {name}.sign.crt\n"
                       f"    decrypt: {name}.decrypt.crt\n")


def start(tool, arguments, people, names, **popen):
    """ca-tool with these operators; a descriptor of its own for each."""
    argv, fds = [tool, *arguments], []
    for name in names:
        reader, writer = os.pipe()
        os.write(writer, (PASSPHRASES[name] + "\n").encode() * 8)
        os.close(writer)
        argv += ["--operator", f"{name}=file:{people}/{name}.key",
                 "--passphrase-fd", f"{name}={reader}"]
        fds.append(reader)
    process = subprocess.Popen(argv, pass_fds=fds, stdin=subprocess.DEVNULL,
                               start_new_session=True, **popen)
    for reader in fds:
        os.close(reader)
    return process


def open_share(people, path, name):
    """The text of a share, by stock openssl."""
    # The second key of the file is the one that decrypts.
    with open(f"{people}/{name}.key", encoding="ascii") as file:
        blocks = re.findall("-----BEGIN.*?-----END[^\n]*\n", file.read(), re.S)
    with open(f"{people}/{name}.decrypt.key", "w", encoding="ascii") as file:
        file.write(blocks[1])
    done = subprocess.run(
        ["openssl", "cms", "-decrypt", "-inform", "DER", "-in", path,
         "-recip", f"{people}/{name}.decrypt.crt", "-inkey",
         f"{people}/{name}.decrypt.key", "-passin",
         f"pass:{PASSPHRASES[name]}"], check=True, capture_output=True)
    return dict(line.split(": ", 1) for line in
                done.stdout.decode("ascii").splitlines() if ": " in line)


def combine(shares):
    """Lagrange's interpolation at 0."""
    secret = 0
    for i, value in shares:
        factor = 1
        for j, _ in shares:
            if j != i:
                factor = factor * j * pow(j - i, -1, ORDER) % ORDER
        secret = (secret + value * factor) % ORDER
    return secret


def hkdf_pin(secret, salt, label):
    key = hmac.new(salt, secret, hashlib.sha256).digest()
    return hmac.new(key, label + b"\x01", hashlib.sha256).hexdigest()


def needles(people, authority):
    """Everything that must be nowhere, with a name for each."""
    with open(f"{authority}/quorum/current", encoding="ascii") as file:
        current = file.read().strip()
    found = {f"passphrase of {n}": p.encode() for n, p in PASSPHRASES.items()}
    shares = []
    for name in PASSPHRASES:
        text = open_share(people, f"{authority}/quorum/{current}/{name}.cms",
                          name)
        assert text["set"] == current, text
        value = int(text["share"], 16)
        shares.append((int(text["index"]), value))
        found[f"share of {name}, hex"] = text["share"].encode()
        found[f"share of {name}, octets"] = value.to_bytes(32, "big")
        found[f"share of {name}, limbs"] = value.to_bytes(32, "little")
    secret = combine(shares[:2])
    assert secret == combine(shares[1:]), "the shares do not fit together"
    octets = secret.to_bytes(32, "big")
    found["secret, octets"] = octets
    found["secret, limbs"] = secret.to_bytes(32, "little")
    found["secret, hex"] = octets.hex().encode()
    salt = bytes.fromhex(current)
    for what in ("user", "SO"):
        found[f"{what} PIN"] = hkdf_pin(
            octets, salt, f"ca-tool {what} PIN 1".encode()).encode()
    return found


def full_pipe():
    """A pipe that takes nothing more until it is read."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETFL, os.O_NONBLOCK)
    try:
        while True:
            os.write(writer, b"x" * 4096)
    except BlockingIOError:
        pass
    fcntl.fcntl(writer, fcntl.F_SETFL, 0)
    return reader, writer


def wait_in_write(pid):
    """Until it hangs in a write to descriptor 1."""
    for _ in range(600):
        with open(f"/proc/{pid}/syscall", encoding="ascii") as file:
            words = file.read().split()
        if words[:2] == ["1", "0x1"]:
            return
        time.sleep(0.05)
    sys.exit("it never wrote its summary")


def memory(pid):
    """Every readable octet of a process."""
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps, \
            open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for line in maps:
            where, modes = line.split()[:2]
            if "r" not in modes or "[v" in line:
                continue
            begin, end = (int(x, 16) for x in where.split("-"))
            try:
                mem.seek(begin)
                yield line.strip(), mem.read(end - begin)
            except OSError:
                continue


def search(what, data, wanted, faults):
    for name, needle in wanted.items():
        if needle in data:
            faults.append(f"{name} is in {what}")


def search_files(folder, wanted, faults):
    count = 0
    for path, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(path, name), "rb") as file:
                search(os.path.join(path, name), file.read(), wanted, faults)
            count += 1
    assert count > 20, "that is no authority"


def write_plan(path):
    form = "%Y-%m-%dT%H:%M:%SZ"
    now = time.time()
    with open(path, "w", encoding="ascii") as file:
        file.write(
            "format: ca-tool-plan-1\nid: first\ntitle: A key\nwindow:\n"
            f"  from: {time.strftime(form, time.gmtime(now - 3600))}\n"
            f"  until: {time.strftime(form, time.gmtime(now + 3600))}\n"
            "steps:\n  - generate-key: { key: k, type: p-256, purpose: ca,"
            " backup: none }\n")


def main():
    tool = os.path.realpath(sys.argv[1])
    faults, log = [], tempfile.TemporaryFile()
    with tempfile.TemporaryDirectory(prefix="secrets-", dir=".") as scratch:
        people, ca = f"{scratch}/people", f"{scratch}/ca"
        make_people(people)
        done = start(tool, ["init", ca, "--id", "example.org/secrets",
                            "--operators", f"{people}/set.yaml"], people,
                     PASSPHRASES, stdout=log, stderr=log).wait()
        log.seek(0)
        assert done == 0, log.read()
        wanted = needles(people, ca)
        write_plan(f"{scratch}/plan.yaml")
        reader, writer = full_pipe()
        process = start(tool, ["plan", "run", "-d", ca, "--yes",
                               f"{scratch}/plan.yaml"], people,
                        ["alice", "carol"], stdout=writer, stderr=log)
        os.close(writer)
        wait_in_write(process.pid)
        for name in ("cmdline", "environ"):
            with open(f"/proc/{process.pid}/{name}", "rb") as file:
                search(name, file.read(), wanted, faults)
        areas = 0
        for line, data in memory(process.pid):
            search(f"memory: {line}", data, wanted, faults)
            areas += 1
        assert areas > 20, "its memory could not be read"
        while os.read(reader, 65536):
            pass
        status = process.wait()
        log.seek(0)
        output = log.read()
        assert status == 0, output
        search("what it printed", output, wanted, faults)
        search_files(ca, wanted, faults)
    if faults:
        sys.exit("\n".join(faults))
    print(f"{len(wanted)} secrets are in none of {areas} areas of memory, "
          "nor in any file")


if __name__ == "__main__":
    if os.geteuid() != 0:
        sys.exit(77)  # another process's memory is root's to read
    main()
