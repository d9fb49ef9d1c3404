"""pair(): a rule, an object that keeps it and objects that break it."""

UNSET = object()
PAIRS = []


class Pair:
    def __init__(self, rule, good, bad, options, where):
        self.rule, self.good, self.where = rule, good, where
        self.bad = bad if isinstance(bad, (list, tuple)) else [bad]
        self.options = options


def pair(rule, good, bad, ruleset=None, issuer=UNSET, previous=None,
         existing=UNSET, kind=UNSET, at=None, blocklist=None, signing=False,
         title=None):
    """
    The linter must find `rule` in each of `bad` (an object or octets, or a
    list of them) and must not find it in `good`; it may find other rules in
    both.  `issuer` is each object's own (x509.issuer_of) unless given, None
    for none; `existing` likewise; `kind` only for CRLs.  `blocklist`: text.
    `title`: what went wrong once, and is tried here.
    """
    import sys
    caller = sys._getframe(1)
    while caller.f_code.co_name != "<module>":
        caller = caller.f_back
    where = "%s:%d" % (caller.f_code.co_filename, caller.f_lineno)
    PAIRS.append(Pair(rule, good, bad, {
        "ruleset": ruleset, "issuer": issuer, "previous": previous,
        "existing": existing, "kind": kind, "at": at, "blocklist": blocklist,
        "signing": signing}, where + (", " + title if title else "")))
