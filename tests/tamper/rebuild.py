"""The derived tables, made from the entries alone (docs/journal.md)."""

from entries import hex_digest, seconds

STATES = {"begun": 0, "active": 1, "undone": 2}
CA_STATES = {"retiring": 1, "retired": 2}
REASONS = {"unspecified": 0, "keyCompromise": 1, "cACompromise": 2,
           "affiliationChanged": 3, "superseded": 4,
           "cessationOfOperation": 5, "certificateHold": 6,
           "removeFromCRL": 8, "privilegeWithdrawn": 9, "aACompromise": 10}


class Tables:
    """Rows as dictionaries, by table and key."""

    def __init__(self, evidence=None):
        self.evidence = evidence or {}  # octets by SHA-256, hex
        self.rows = {name: {} for name in (
            "authority", "runs", "lists", "statements", "sets", "enrolments",
            "anchors", "pin_changes", "profiles", "keys", "objects",
            "revocations", "issued", "issuers", "urls", "ocsp_windows")}
        self.closes = {}

    def put(self, table, key, /, **row):
        self.rows[table][key] = row

    @property
    def authority(self):
        return self.rows["authority"].setdefault(1, {})

    def run_of(self, data):
        return self.rows["runs"].get(data.get("run"))

    def actor(self, data):
        """The run of an entry, or the one that abandons that."""
        run, newer = None, self.run_of(data)
        while newer is not None:
            run = newer
            newer = next((other for other in self.rows["runs"].values()
                          if other["abandons"] == run["run"] and
                          other["open"]), None)
        return run

    def acted(self, data):
        run = self.actor(data)
        if run is not None:
            run["acted"] = 1

    def ended(self, data):
        """An act only where another run does it."""
        if self.actor(data) is not self.run_of(data):
            self.acted(data)

    def apply(self, entry):
        handler = getattr(self, "on_" + entry.kind.replace("-", "_"), None)
        if handler is not None:
            handler(entry, entry.data)

    # ---- the authority ----------------------------------------------------

    def on_genesis(self, entry, data):
        self.put("authority", 1, one=1, id=data["authority"],
                 genesis=entry.leaf, token_label=data["token"].get("label"),
                 token_intended=0, token_serial=None, ready=0,
                 config_sha256=None, clock=0, clock_seq=0, epoch=0,
                 origin=None, epoch_seq=0, lost=0, head_epoch=None,
                 head_size=None, head_root=None, head_serial=None)

    def on_token_intent(self, _entry, _data):
        self.authority["token_intended"] = 1

    def on_token(self, _entry, data):
        self.authority["token_serial"] = data["serial"]
        self.acted(data)

    def on_config(self, _entry, data):
        self.authority["config_sha256"] = data["sha256"]
        self.acted(data)

    def on_profile(self, _entry, data):
        if data.get("removed"):
            self.rows["profiles"].pop(data["profile"], None)
        else:
            self.put("profiles", data["profile"], profile=data["profile"],
                     sha256=data["sha256"])
        self.acted(data)

    def on_state(self, _entry, data):
        if (data["subject"], data["state"]) == ("authority", "ready"):
            self.authority["ready"] = 1
        if data["subject"] == "ca":
            for key in self.rows["keys"].values():
                if key["name"] == data["key"] and key["state"] == 1:
                    key["ca_state"] = CA_STATES.get(data["state"])
                    key["successor"] = data["successor"] or key["successor"]
            self.acted(data)

    def on_clock(self, entry, data):
        self.authority["clock"] = seconds(data["now"])
        self.authority["clock_seq"] = entry.number
        self.acted(data)

    def on_head(self, _entry, data):
        self.authority.update(
            head_epoch=data["epoch"], head_size=data["size"],
            head_root=bytes.fromhex(data["root"]),
            head_serial=data["serial"])

    def on_epoch(self, entry, data):
        authority = self.authority
        authority.update(
            epoch=data["epoch"], origin=data["origin"],
            epoch_seq=entry.number, head_epoch=None, head_size=None,
            head_root=None, head_serial=None)
        authority["lost"] = authority.get("lost", 0) + data["lost"]
        self.acted(data)

    # ---- people -----------------------------------------------------------

    def on_enrolment(self, entry, data):
        self.put("enrolments", entry.number, seq=entry.number,
                 set_id=data["set"], **{name: data[name] for name in (
                     "name", "role", "sign", "decrypt", "share",
                     "statement")})

    def on_quorum(self, _entry, data):
        sets = self.rows["sets"]
        if data["set"] not in sets:
            self.put("sets", data["set"], set_id=data["set"], state=0,
                     sha256=data["sha256"], commitments=data["commitments"],
                     threshold=data["threshold"],
                     operators=data["operators"], run=data["run"])
        sets[data["set"]]["state"] = STATES.get(data["state"])
        if data["state"] == "active" and data["replaces"] in sets:
            sets[data["replaces"]]["state"] = 2
        if data["state"] == "begun" or data["state"] == "undone":
            self.acted(data)

    def on_anchor(self, entry, data):
        self.put("anchors", entry.number, seq=entry.number,
                 set_id=data["set"], name=data["name"])

    def on_pin_change(self, _entry, data):
        self.put("pin_changes", (data["run"], data["pin"]), run=data["run"],
                 pin=data["pin"], stage=data["stage"])

    def _statement(self, entry, number, subject):
        data = entry.data
        self.put("statements", entry.number, seq=entry.number,
                 run=data["run"], list=number, name=data["name"],
                 set_id=data["set"], subject=subject,
                 statement=data["statement"])

    def on_approval(self, entry, data):
        self._statement(entry, -1, data["manifest"])

    def on_confirmation(self, entry, data):
        self._statement(entry, data["list"], data["sha256"])

    # ---- runs -------------------------------------------------------------

    def on_plan(self, entry, data):
        self.put("runs", data["run"], seq=entry.number, run=data["run"],
                 plan=data["plan"], manifest=data["manifest"],
                 directory=data["directory"], open=1, refused=0, lists=0,
                 acted=0, receipt=0, abandoned=0,
                 unattended=int(data["unattended"]), set_id=data["set"],
                 abandons=data.get("abandons"))

    def on_list(self, _entry, data):
        self.put("lists", (data["run"], data["list"]), run=data["run"],
                 list=data["list"], sha256=data["sha256"])
        run = self.run_of(data)
        if run is not None:
            run["lists"] = data["list"] + 1

    def on_refused(self, _entry, data):
        run = self.run_of(data)
        if run is not None:
            run["refused"] = 1

    def on_close(self, entry, data):
        run = self.run_of(data)
        if run is None:
            return
        self.ended(data)
        if data["outcome"] == "abandoned":
            run["abandoned"] = 1
        run["open"] = 0
        self.closes[data["run"]] = entry.number

    def on_checkpoint(self, _entry, data):
        for run, number in self.closes.items():
            if number < data["size"]:
                self.rows["runs"][run]["receipt"] = 1

    # ---- keys and objects -------------------------------------------------

    def on_key_intent(self, entry, data):
        self.put("keys", data["id"], seq=entry.number, name=data["name"],
                 run=data["run"], id=bytes.fromhex(data["id"]),
                 type=data["type"], purpose=data["purpose"],
                 backup=data["backup"], state=0, ca_state=0, successor=None,
                 adopted=int(data.get("adopted", False)), spki=None,
                 spki_sha256=None)

    def on_key(self, _entry, data):
        spki = bytes.fromhex(data["spki"])
        self.rows["keys"].get(data["id"], {}).update(
            state=1, spki=spki, spki_sha256=bytes.fromhex(hex_digest(spki)))

    def on_key_destroyed(self, _entry, data):
        self.rows["keys"].get(data["id"], {}).update(state=2, ca_state=3)
        self.ended(data)

    def on_intent(self, entry, data):
        first, last = ("not_before", "not_after")
        if data["kind"] == "crl":
            first, last = ("this_update", "next_update")
        row = {name: data.get(name) for name in (
            "run", "list", "object", "kind", "name", "issuer", "issuer_dn",
            "subject_dn", "serial", "spki", "key", "certificate_kind",
            "profile", "tbs")}
        self.put("objects", (data["run"], data["list"], data["object"]),
                 seq=entry.number, state=0, adopted=0, sha256=None,
                 result=None,
                 number=int(data["number"]) if "number" in data else None,
                 valid_from=seconds(data[first]) if first in data else None,
                 valid_until=seconds(data[last]) if last in data else None,
                 ca=int(data["ca"]) if "ca" in data else None,
                 crl_url=data.get("distribution_url" if data["kind"] == "crl"
                                  else "crl_url"),
                 entries=data.get("entries") if data["kind"] == "crl"
                 else None, **row)
        if data["kind"] == "certificate":
            self.learn(data)
        self.acted(data)

    def _object(self, data):
        return self.rows["objects"].get(
            (data["run"], data["list"], data["object"]), {})

    def on_result(self, entry, data):
        self._object(data).update(state=1, sha256=data["sha256"],
                                  result=entry.number)

    def on_failed(self, _entry, data):
        self._object(data).update(state=2)
        self.ended(data)

    def on_adopted(self, entry, data):
        self.put("objects", ("adopted", entry.number), seq=entry.number,
                 run=data["run"], list=None, object=None, kind="certificate",
                 name=data["name"], state=1, adopted=1, issuer=None,
                 issuer_dn=data["issuer_dn"], subject_dn=data["subject_dn"],
                 serial=data["serial"], spki=data["spki"], key=None,
                 certificate_kind=None, profile=None, number=None,
                 valid_from=seconds(data["not_before"]),
                 valid_until=seconds(data["not_after"]),
                 ca=int(data["ca"]), crl_url=None, entries=None, tbs=None,
                 sha256=data["sha256"], result=entry.number)
        self.learn(data)
        self.acted(data)

    # ---- revocations ------------------------------------------------------

    def number(self, table, column, text):
        """Of a name or URL that is perhaps new."""
        rows = self.rows[table]
        if text not in rows:
            self.put(table, text, id=len(rows) + 1, **{column: text})
        return rows[text]["id"]

    def learn(self, data):
        """What a certificate is known by becomes known to its revocation."""
        row = self.rows["revocations"].get(
            (data["issuer_dn"], data["serial"]))
        if data["issuer_dn"] in self.rows["issuers"] and data.get("crl_url"):
            self.number("urls", "url", data["crl_url"])
        if row is not None:
            row.update(expires=seconds(data["not_after"]),
                       ca=int(data["ca"]),
                       crl_url=self.number("urls", "url", data["crl_url"])
                       if data.get("crl_url") else None)

    def known(self, dn, serial):
        """End, CA and URL of a certificate, as far as anything says them."""
        for row in self.rows["objects"].values():
            if (row["issuer_dn"], row["serial"]) == (dn, serial):
                url = row["crl_url"]
                return (row["valid_until"], row["ca"],
                        self.number("urls", "url", url) if url else None)
        row = self.rows["issued"].get((dn, serial))
        return (row["expires"], row["ca"], None) if row else (None,) * 3

    def revoke(self, entry, serial, date, reason, invalidity, expires):
        dn = entry.data["issuer_dn"]
        issuer = self.number("issuers", "dn", dn)
        until, ca, url = self.known(dn, serial)
        self.put("revocations", (dn, serial), issuer=issuer,
                 octets=len(serial) // 2, serial=bytes.fromhex(serial),
                 date=seconds(date), reason=REASONS.get(reason),
                 invalidity=seconds(invalidity) if invalidity else None,
                 expires=until or (seconds(expires) if expires else None),
                 crl_url=url, ca=ca, seq=entry.number)

    def lines(self, digest):
        """Fields of a list's lines behind the first; None for a dash."""
        text = self.evidence.get(digest, b"").decode("ascii", "replace")
        return [[None if field == "-" else field for field in line.split()]
                for line in text.splitlines()[1:]]

    def on_revocations(self, entry, data):
        self.number("issuers", "dn", data["issuer_dn"])
        for line in self.lines(data["list"]):
            self.revoke(entry, *line)
        crl = data.get("crl")
        if crl is not None:
            self.put("objects", ("taken", entry.number), seq=entry.number,
                     run=data["run"], list=None, object=None, kind="crl",
                     name=crl["name"], state=1, adopted=1,
                     issuer=data["issuer"], issuer_dn=data["issuer_dn"],
                     subject_dn=None, serial=None, spki=None, key=None,
                     certificate_kind=None, profile=None,
                     number=int(crl["number"]),
                     valid_from=seconds(crl["this_update"]),
                     valid_until=seconds(crl["next_update"]), ca=None,
                     crl_url=None, entries=crl["entries"], tbs=None,
                     sha256=crl["sha256"], result=entry.number)
        self.acted(data)

    def on_revocation_upgraded(self, _entry, data):
        row = self.rows["revocations"].get(
            (data["issuer_dn"], data["serial"]))
        if row is not None:
            row.update(date=seconds(data["date"]),
                       reason=REASONS.get(data["reason"]))
            if "invalidity" in data:
                row["invalidity"] = seconds(data["invalidity"])
        self.acted(data)

    def on_issued(self, entry, data):
        dn = data["issuer_dn"]
        issuer = self.number("issuers", "dn", dn)
        for serial, expires, kind, digest in self.lines(data["list"]):
            until = seconds(expires) if expires else None
            ca = int(kind == "ca") if kind else None
            self.put("issued", (dn, serial), issuer=issuer,
                     octets=len(serial) // 2, serial=bytes.fromhex(serial),
                     expires=until, ca=ca,
                     sha256=bytes.fromhex(digest) if digest else None,
                     seq=entry.number)
            row = self.rows["revocations"].get((dn, serial))
            if row is not None:
                row["expires"] = until or row["expires"]
                row["ca"] = row["ca"] if ca is None else ca
        self.acted(data)

    # ---- OCSP responses ---------------------------------------------------

    def on_ocsp_intent(self, entry, data):
        row = {name: data[name] for name in (
            "run", "list", "name", "first", "count", "issuer", "issuer_dn",
            "key", "responder")}
        self.put("ocsp_windows", self.window(data), seq=entry.number,
                 number=data["window"], state=0,
                 valid_from=seconds(data["this_update"]),
                 valid_until=seconds(data["next_update"]),
                 intended=data["items"], items=None, **row)
        self.acted(data)

    @staticmethod
    def window(data):
        return data["run"], data["list"], data["name"], data["window"]

    def on_ocsp_result(self, _entry, data):
        self.rows["ocsp_windows"].get(self.window(data), {}).update(
            state=1, items=data["items"])

    def on_ocsp_failed(self, _entry, data):
        self.rows["ocsp_windows"].get(self.window(data), {}).update(state=2)
        self.ended(data)

    def on_revoked(self, entry, data):
        self.revoke(entry, data["serial"], data["date"], data["reason"],
                    data.get("invalidity"), None)
        self.acted(data)


def plain(value):
    return value.encode() if isinstance(value, str) else value


def compare(journal, tables):
    """Findings where rows are not those that the entries give."""
    for name, (columns, rows) in sorted(journal.rows.items()):
        must = {tuple(plain(row.get(column)) for column in columns)
                for row in tables.rows[name].values()}
        for row in sorted(set(rows) ^ must, key=repr):
            which = "it is missing" if row in must else "no entry says this"
            shown = ", ".join(f"{column}={value!r:.40}"
                              for column, value in zip(columns, row))
            journal.find(f"table {name}", f"{which}: {shown}")
        if len(rows) != len(set(rows)):
            journal.find(f"table {name}", "a row twice")
