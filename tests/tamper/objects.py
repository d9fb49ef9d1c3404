"""Keys, certificates, CRLs and requests: each signature, and whether that key
and issuer could make it then (RFC 5280, docs/journal.md)."""

import re

import asn1
from entries import hex_digest, seconds
from openssl import verifies

ATTRIBUTES = {"CKA_TOKEN": True, "CKA_PRIVATE": True, "CKA_SENSITIVE": True,
              "CKA_EXTRACTABLE": False, "CKA_LOCAL": True,
              "CKA_ALWAYS_SENSITIVE": True, "CKA_NEVER_EXTRACTABLE": True,
              "CKA_SIGN": True, "CKA_DECRYPT": False, "CKA_UNWRAP": False,
              "CKA_DERIVE": False}
# Of an intent; all else are facts of its object.
PLACE = {"run", "list", "object", "kind", "name", "key", "algorithm", "tbs"}


def same_reason(one, other):
    def letters(text):
        return re.sub("[^a-z]", "", (text or "unspecified").lower())
    return letters(one) == letters(other)


class Objects:
    """A pass over the entries, in order; `people` is one entry ahead."""

    def __init__(self, journal, people):
        self.journal, self.people = journal, people
        self.keys = {}          # CKA_ID: data of key-intent, spki, state
        self.intents = {}       # (run, list, object): entry, "state"
        self.certificates = {}  # name: Certificate
        self.serials, self.numbers = {}, {}
        self.revoked = {}       # issuer_dn: {serial: (date, reason)}
        self.expiry = {}        # (issuer_dn, serial): not_after
        self.results = {}       # result entry number: (kind, name, sha256)
        self.heads = []         # (entry number, size)
        self.known = set()      # (issuer_dn, serial): issued, here or not

    def bad(self, entry, text):
        self.journal.at(entry, text)

    def take(self, entry):
        handler = getattr(self, "on_" + entry.kind.replace("-", "_"), None)
        if handler is not None:
            handler(entry, entry.data)

    # ---- keys -------------------------------------------------------------

    def on_head(self, entry, data):
        self.heads.append((entry.number, data["size"]))

    def under_head(self, first, last):
        """Before entry `last`, the token had a head over entry `first`."""
        return any(first < size <= number < last
                   for number, size in self.heads)

    def on_key_intent(self, entry, data):
        if data["id"] in self.keys or any(
                key["name"] == data["name"] and key["state"] != "gone"
                for key in self.keys.values()):
            self.bad(entry, "its name or CKA_ID is in use")
        self.keys[data["id"]] = {**data, "state": "intended", "spki": None,
                                 "entry": entry.number, "ca": "active"}

    def on_key(self, entry, data):
        key = self.keys.get(data["id"])
        if key is None or key["state"] != "intended" or (
                key["run"], key["name"]) != (data["run"], data["name"]):
            self.bad(entry, "it does not follow from its key-intent")
            return
        spki = bytes.fromhex(data["spki"])
        if any(other["spki"] == spki for other in self.keys.values()):
            self.bad(entry, "this public key was there before")
        key.update(state="live", spki=spki)
        wrong = [name for name, value in ATTRIBUTES.items()
                 if data["attributes"].get(name, value) is not value]
        if wrong or "CKA_EXTRACTABLE" not in data["attributes"]:
            self.bad(entry, f"its attributes are wrong: {wrong}")
        if not self.under_head(key["entry"], entry.number):
            self.bad(entry, "it was made without a head on the token")
        self.check_spki(entry, key)

    def check_spki(self, entry, key):
        curves = {"p-256": 32, "p-384": 48, "p-521": 66}
        try:
            bits = asn1.whole(key["spki"]).parts()[1].bits()
        except (asn1.Malformed, IndexError):
            self.bad(entry, "its public key is malformed")
            return
        wanted = curves.get(key["type"])
        if wanted is not None and (bits[:1], len(bits)) != (
                b"\4", 2 * wanted + 1):
            self.bad(entry, "its public key is of another type")

    def on_key_destroyed(self, entry, data):
        key = self.keys.get(data["id"])
        if key is None or key["state"] == "gone" or (
                key["name"] != data["name"]):
            self.bad(entry, "there is no such key")
            return
        if "why" in data and key["purpose"] == "ca" and (
                key["ca"] != "retired") and self.is_used(key):
            self.bad(entry, "its CA has not ended")
        key["state"] = "gone"

    # ---- the life of a CA (docs/ca.md) ------------------------------------

    def is_used(self, key):
        """It has a certificate, or has signed something."""
        digest = hex_digest(key["spki"] or b"")
        return any(digest in (intent["entry"].data["key"],
                              intent["entry"].data.get("spki"))
                   for intent in self.intents.values()) or any(
                       hex_digest(certificate.spki) == digest
                       for certificate in self.certificates.values())

    def on_state(self, entry, data):
        """States only go downwards."""
        if data["subject"] != "ca":
            return
        named = [key for key in self.keys.values()
                 if key["name"] == data["key"] and key["state"] == "live" and
                 key["purpose"] == "ca"]
        before = {"retiring": ("active",), "retired": ("active", "retiring")}
        if not named or named[0]["ca"] not in before.get(data["state"], ()):
            self.bad(entry, "its CA cannot come into this state")
            return
        successor = [key for key in self.keys.values()
                     if key["name"] == data.get("successor") and
                     key["state"] == "live" and key["purpose"] == "ca"]
        if data.get("successor") is not None and (
                data["state"] != "retiring" or data["key"] ==
                data["successor"] or not successor or
                successor[0]["ca"] != "active"):
            self.bad(entry, "its successor is no other CA that is active")
        named[0]["ca"] = data["state"]

    def check_state(self, entry, digest, what):
        """May the CA of this key sign a `what`, or have it signed?"""
        state = next((key["ca"] for key in self.keys.values()
                      if key["spki"] is not None and
                      hex_digest(key["spki"]) == digest), "active")
        if state == "retired" or (state == "retiring" and what not in (
                "crl", "ocsp", "ocsp-responder")):
            self.bad(entry, f"its CA is {state}")

    def key_of(self, digest):
        for key in self.keys.values():
            if key["spki"] is not None and key["state"] == "live" and (
                    hex_digest(key["spki"]) == digest):
                return key
        return None

    # ---- intents ----------------------------------------------------------

    def on_intent(self, entry, data):
        place = (data["run"], data["list"], data["object"])
        if place in self.intents:
            self.bad(entry, "it comes twice")
        self.intents[place] = {"entry": entry, "state": "open"}
        key = self.key_of(data["key"])
        if key is None:
            self.bad(entry, "its key is not on the token")
        elif data["kind"] != "csr" and key["purpose"] != "ca":
            self.bad(entry, "its key has another purpose")
        self.compare_row(entry, data)
        self.check_state(entry, data["key"],
                         data.get("certificate_kind", data["kind"]))
        if data["kind"] != "csr":
            self.check_issuer(entry, data)
            self.check_profile(entry, data,
                               data.get("certificate_kind", "crl"))

    def check_profile(self, entry, data, wanted):
        digest = self.people.profiles.get(data["profile"])
        if digest is None:
            self.bad(entry, "its profile may not be used")
            return
        text = self.journal.evidence.get(digest, b"").decode(
            "utf-8", "replace")
        kind = re.search(r"^kind: *['\"]?([a-z-]+)", text, re.M)
        if text and (kind is None or kind[1] != wanted):
            self.bad(entry, "its profile is for something else")

    def compare_row(self, entry, data):
        run = self.people.runs.get(data["run"], {"lists": {}})
        row = run["lists"].get(data["list"], (None, {}))[1].get(
            data["object"])
        if row is None or any(row.get(name) != data[name] for name in (
                "kind", "name", "key", "algorithm", "tbs")):
            self.bad(entry, "it is not what its list says")
        elif row.get("facts") != {name: value for name, value in data.items()
                                  if name not in PLACE}:
            self.bad(entry, "it says other things than its list")

    def check_issuer(self, entry, data):
        if data["kind"] == "certificate":
            self.spend(entry, self.serials, data["issuer_dn"],
                       data["serial"])
            self.expiry[(data["issuer_dn"], data["serial"])] = seconds(
                data["not_after"])
            if data["subject_key"] is not None and not any(
                    key["name"] == data["subject_key"] and key["spki"] and
                    hex_digest(key["spki"]) == data["spki"]
                    for key in self.keys.values()):
                self.bad(entry, "it is not for the key that it names")
            if data["certificate_kind"] == "root":
                if data["key"] != data["spki"] or (
                        data["issuer_dn"] != data["subject_dn"]):
                    self.bad(entry, "it is a root, but not self-signed")
                return
        else:
            self.rising(entry, data)
        issuer = self.certificates.get(data["issuer"])
        if issuer is None:
            self.bad(entry, "its issuer is not there")
            return
        if (hex_digest(issuer.spki), hex_digest(issuer.subject)) != (
                data["key"], data["issuer_dn"]) or not issuer.ca:
            self.bad(entry, "it does not fit its issuer")
        if not issuer.not_before <= entry.time <= issuer.not_after:
            self.bad(entry, "its issuer is outside its dates")
        if data["kind"] == "certificate":
            if issuer.serial in self.revoked.get(
                    hex_digest(issuer.issuer), {}):
                self.bad(entry, "its issuer is revoked")
            if seconds(data["not_after"]) > issuer.not_after:
                self.bad(entry, "it outlives its issuer")

    def spend(self, entry, table, issuer, number):
        if (issuer, number) in table:
            self.bad(entry, "its serial or number is used twice")
        table[(issuer, number)] = entry.number

    def rising(self, entry, data):
        number = int(data["number"])
        if any(issuer == data["issuer_dn"] and other >= number
               for issuer, other in self.numbers):
            self.bad(entry, "its number does not rise")
        self.spend(entry, self.numbers, data["issuer_dn"], number)

    # ---- results ----------------------------------------------------------

    def intent_of(self, entry, data):
        found = self.intents.get((data["run"], data["list"], data["object"]))
        if found is None or found["state"] != "open" or (
                found["entry"].data["name"] != data["name"]):
            self.bad(entry, "it does not follow from an intent")
            return None
        return found

    def on_failed(self, entry, data):
        intent = self.intent_of(entry, data)
        if intent is not None:
            intent["state"] = ("possible" if data["possibly_signed"]
                               else "unsigned")

    def on_result(self, entry, data):
        found = self.intent_of(entry, data)
        if found is None:
            return
        found["state"] = "signed"
        intent = found["entry"]
        if not self.under_head(intent.number, entry.number):
            self.bad(entry, "it was signed without a head on the token")
        self.results[entry.number] = (intent.data["kind"], data["name"],
                                      data["sha256"])
        der = self.journal.evidence.get(data["sha256"])
        if der is None:
            return
        try:
            self.judge(entry, intent.data, der)
        except (asn1.Malformed, ValueError, IndexError, KeyError) as problem:
            self.bad(entry, f"its object is malformed: {problem!r}")

    def judge(self, entry, intent, der):
        read = {"certificate": asn1.Certificate, "crl": asn1.Crl,
                "csr": asn1.Request}[intent["kind"]]
        thing = read(der)
        if (hex_digest(thing.tbs), thing.algorithm.hex()) != (
                intent["tbs"], intent["algorithm"]):
            self.bad(entry, "its object is not what its intent says")
        key = self.key_of(intent["key"])
        if key is None or not verifies(key["spki"], thing.algorithm,
                                       thing.signature, thing.tbs):
            self.bad(entry, "the signature of its object does not verify")
        if intent["kind"] == "certificate":
            self.judge_certificate(entry, intent, thing)
        elif intent["kind"] == "crl":
            self.judge_crl(entry, intent, thing)

    def judge_certificate(self, entry, intent, certificate):
        said = (intent["serial"], intent["issuer_dn"], intent["subject_dn"],
                intent["spki"], seconds(intent["not_before"]),
                seconds(intent["not_after"]), intent["ca"])
        if said != (certificate.serial, hex_digest(certificate.issuer),
                    hex_digest(certificate.subject),
                    hex_digest(certificate.spki), certificate.not_before,
                    certificate.not_after, certificate.ca):
            self.bad(entry, "its certificate is not what its intent says")
        self.certificates[intent["name"]] = certificate
        self.known.add((intent["issuer_dn"], intent["serial"]))

    def judge_crl(self, entry, intent, crl):
        said = (int(intent["number"]), intent["issuer_dn"],
                seconds(intent["this_update"]),
                seconds(intent["next_update"]), intent["entries"])
        if said != (crl.number, hex_digest(crl.issuer), crl.this_update,
                    crl.next_update, len(crl.entries)):
            self.bad(entry, "its CRL is not what its intent says")
        known = self.revoked.get(intent["issuer_dn"], {})
        for serial, (date, reason) in known.items():
            if serial in crl.entries:
                continue
            expired = self.expiry.get((intent["issuer_dn"], serial))
            if expired is None or expired >= crl.this_update:
                self.bad(entry, f"{serial} is revoked, and not on it")
        for serial, (date, reason) in crl.entries.items():
            if serial not in known or known[serial][0] != date or (
                    not same_reason(known[serial][1], reason)):
                self.bad(entry, f"nothing says this of {serial} on it")

    # ---- acts -------------------------------------------------------------

    def on_revoked(self, entry, data):
        table = self.revoked.setdefault(data["issuer_dn"], {})
        if data["serial"] in table:
            self.bad(entry, "its serial was revoked before")
        if data["cause"] != "plan" and not any(
                intent["state"] != "signed" and
                intent["entry"].data.get("serial") == data["serial"] and
                intent["entry"].data["issuer_dn"] == data["issuer_dn"]
                for intent in self.intents.values()):
            self.bad(entry, "nothing is possibly signed with this serial")
        table[data["serial"]] = (seconds(data["date"]), data["reason"])

    def on_adopted(self, entry, data):
        der = self.journal.evidence.get(data["sha256"])
        if der is None:
            return
        try:
            found = asn1.Certificate(der)
        except (asn1.Malformed, ValueError, IndexError) as problem:
            self.bad(entry, f"its certificate is malformed: {problem!r}")
            return
        key = self.key_of(data["spki"])
        if (data["serial"], data["issuer_dn"], data["subject_dn"],
                data["spki"], seconds(data["not_before"]),
                seconds(data["not_after"]), data["ca"]) != (
                found.serial, hex_digest(found.issuer),
                hex_digest(found.subject), hex_digest(found.spki),
                found.not_before, found.not_after, found.ca) or (
                key is None or key["name"] != data["key"]):
            self.bad(entry, "its certificate is another, or of no key here")
        self.spend(entry, self.serials, data["issuer_dn"], data["serial"])
        self.certificates[data["name"]] = found
        self.known.add((data["issuer_dn"], data["serial"]))
        self.results[entry.number] = ("certificate", data["name"],
                                      data["sha256"])

    def unfinished(self, entry, data):
        """A run that is done has done all of its newest list."""
        run = self.people.runs.get(data["run"], {"lists": {}})
        if not run["lists"]:
            return
        number = max(run["lists"])
        rows = run["lists"][number][1]
        missing = [row for row in rows
                   if isinstance(row, int) and self.intents.get(
                       (data["run"], number, row), {}).get(
                           "state") != "signed"]
        if missing:
            self.bad(entry, f"objects {missing} of its list were not signed")
        for kind, act in rows.get("acts", []):
            if kind == "revoke" and act["serial"] not in self.revoked.get(
                    act["issuer_dn"], {}):
                self.bad(entry, f"{act['serial']} was not revoked")
            if kind == "ca-state" and not any(
                    other.kind == "state" and
                    {**other.data, "run": None} == {**act, "run": None} and
                    other.data.get("run") == data["run"]
                    for other in self.journal.entries[:entry.number]):
                self.bad(entry, f"the CA of {act['key']} did not become "
                                f"{act['state']}")

    def on_close(self, entry, data):
        if data["outcome"] == "done":
            self.unfinished(entry, data)
        if data["outcome"] == "refused" and any(
                nonce == data["run"] and intent["state"] == "signed"
                for (nonce, _, _), intent in self.intents.items()):
            self.bad(entry, "it has signed, and is closed as refused")
        for (nonce, _, _), intent in self.intents.items():
            if nonce == data["run"] and intent["state"] == "open":
                self.bad(entry, "an intent of its run is open")
        if any(key["run"] == data["run"] and key["state"] == "intended"
               for key in self.keys.values()):
            self.bad(entry, "a key of its run is neither there nor gone")
        for (nonce, _, _), intent in self.intents.items():
            said = intent["entry"].data
            if nonce == data["run"] and intent["state"] == "possible" and (
                    said["kind"] == "certificate") and (
                    said["certificate_kind"] != "root") and (
                    said["serial"] not in self.revoked.get(
                        said["issuer_dn"], {})):
                self.bad(entry, f"{said['serial']} is possibly signed, and "
                                "not revoked")
