/*
 * The kinds of journal entries, in one table, and what each must hold.
 *
 * An entry is one line of JSON, stored and hashed as the exact bytes written,
 * at most 65,535 of them:
 *
 *   {"v":1,"seq":N,"time":"2026-11-20T12:00:00Z","kind":"intent",
 *    "people":[{"name":"alice","role":"user"}],"text":"...","data":{...}}
 *
 * compact, ASCII only (other characters as \uXXXX), members in this order.
 * `people` and `text` are what rules.md LOG-ELEMENTS asks of every record.
 * Binary values are lower-case hex; times are as above; numbers of CRLs and
 * serials are strings (serials hex of the INTEGER's content octets).  Counts,
 * sizes, list and object numbers are JSON integers; the types of all members
 * are in the table in entry.c, further members are allowed.
 *
 * Each kind is a row of the table in entry.c:
 * {kind, name, members that `data` must have, apply}; apply() brings the
 * derived tables up to date and is the only code that writes them, so that
 * they can be rebuilt from the entries.
 */
#ifndef CA_JOURNAL_ENTRY_H
#define CA_JOURNAL_ENTRY_H

#include <stddef.h>

#include "base/cleanup.h"

enum { ENTRY_MAX_BYTES = 65535, ENTRY_TEXT_MAX = 1000 };

enum entry_kind {
	/* {authority, format, token: {label}, tool} - always entry 0 */
	ENTRY_GENESIS,
	/* {label, embedded} - C_InitToken is about to be called */
	ENTRY_TOKEN_INTENT,
	/* {label, serial, manufacturer, model, hardware, firmware, flags,
	 *  module: {path, sha256, manufacturer, description, version,
	 *  cryptoki}}; with {run}, another token was adopted: the newest counts
	 */
	ENTRY_TOKEN,
	/* {sha256} of authority.yaml; {run} where it was adopted later */
	ENTRY_CONFIG,
	/* {profile, sha256} a profile that may be used; {run} where it was
	 * adopted later, and {removed: true} where it may not be used any more.
	 * The newest entry of a profile counts. */
	ENTRY_PROFILE,
	/* {set, name, role: "operator"|"witness", sign (SPKI SHA-256), decrypt
	 *  (SPKI SHA-256 or null), share (SHA-256 of NAME.cms, or null),
	 *  statement (SHA-256 of the signature, evidence; null for a witness),
	 *  certificate, decrypt_certificate (SHA-256 of the PEM that set.yaml
	 *  names, evidence; the latter only where there is a share)}
	 */
	ENTRY_ENROLMENT,
	/* {set, state, sha256 (of set.yaml, evidence), threshold, operators,
	 *  commitments (SHA-256 or null), replaces (a set or null), run}
	 * "active": the set is in force from here on; "begun": a reshare from
	 * the set in force to this one; "undone": it was given up */
	ENTRY_QUORUM,
	/* {set, name, statement (SHA-256 of the signature, evidence), text
	 *  (SHA-256 of the anchor, evidence)} */
	ENTRY_ANCHOR,
	/* {run, set, pin: "so"|"user", stage: "intent"|"done"} in a reshare */
	ENTRY_PIN_CHANGE,
	/* {run, serial, flags, module_sha256, tool: {version, sha256}, linter:
	 *  {name, version, sha256, lints}}
	 * login to the token; run is "init" or a run's nonce */
	ENTRY_LOGIN,
	/* {run, name, id, type, purpose, backup} before C_GenerateKeyPair.  With
	 * {adopted: true}, and so the ENTRY_KEY behind it: it was on the token
	 * before.  Both are then acts of kind "adopt-ca" that operators
	 * confirmed, journalled with the first intents */
	ENTRY_KEY_INTENT,
	/* {run, name, id, spki, attributes: {CKA_X: true|false|null},
	 *  generation_mechanism} the key is live */
	ENTRY_KEY,
	/* {run, name, id, objects} it was destroyed: `objects` were found; of a
	 * destroy-key step also {why}: its act is {name, id, why} */
	ENTRY_KEY_DESTROYED,
	/* {run, plan, title, manifest, directory, set, unattended}
	 * opens a run; run is its nonce; the manifest, and the inputs that it
	 * lists, are evidence.  {abandons}: the nonce of the run that is open
	 * and that this one ends; only with it may another run be open */
	ENTRY_PLAN,
	/* {run, name, set, manifest (SHA-256), statement (SHA-256, evidence)} */
	ENTRY_APPROVAL,
	/* {run, list, sha256, objects, acts, lint (SHA-256, evidence;
	 *  optional)} what is to be signed was built; list counts from 0 and
	 * rises with each resume that builds anew; objects and acts are counts,
	 * or arrays; lint is the report of all linters over the objects */
	ENTRY_LIST,
	/* {run, list, name, set, sha256 (of the list), statement (SHA-256,
	 *  evidence)} */
	ENTRY_CONFIRMATION,
	/* {run, list, object, kind, name, key (SPKI SHA-256), algorithm (hex),
	 *  tbs (SHA-256), issuer (name of the issuer's certificate),
	 *  issuer_dn (SHA-256 of the Name), profile}
	 * certificate also: {serial, subject_dn, spki (SHA-256), not_before,
	 *  not_after, ca: bool, certificate_kind, subject_key (name) or null}
	 * crl also: {number, this_update, next_update, entries}, and
	 *  {distribution_url} where it is limited to a scope
	 * csr has no issuer, issuer_dn, profile: null there */
	ENTRY_INTENT,
	/* {run, list, object, name, sha256, lint (SHA-256, evidence; optional)}
	 * the object's bytes are evidence; lint is what outside linters said */
	ENTRY_RESULT,
	/* {run, list, object, name, why, possibly_signed, lint (SHA-256,
	 *  evidence; optional)} an intent that has no good object: it is
	 * possibly signed, its serial or number is spent; lint: why a linter
	 * refused what was signed */
	ENTRY_FAILED,
	/* {run, issuer (name), issuer_dn, serial, date, reason, cause,
	 *  invalidity (a time; optional)} */
	ENTRY_REVOKED,
	/* {run, issuer (name), issuer_dn, count, list (SHA-256, evidence),
	 *  source, cause} many at once: by a query, or of certificates issued
	 * elsewhere.  The list is text: "ca-tool-revocations-1\n", then a line
	 * for each, ascending by serial, "SERIAL DATE REASON INVALIDITY
	 * EXPIRES\n": hex, times as in entries, a reason's name or
	 * "unspecified"; "-" for no invalidity date, or an unknown end of the
	 * certificate.  source: "query", "csv", "index.txt", "crl",
	 * "certificates", "adopted".  With "adopted" (adopt-ca) also {crl:
	 *  {name, sha256 (evidence), number, this_update, next_update, entries}}:
	 * the CA's last CRL, which the next one follows; an object of kind
	 * "crl", signed and adopted */
	ENTRY_REVOCATIONS,
	/* {run, issuer, issuer_dn, serial, was: {date, reason}, date, reason,
	 *  invalidity (optional)} the one change that a revocation can have: to
	 * keyCompromise, its date not later than before */
	ENTRY_REVOCATION_UPGRADED,
	/* {run, issuer, issuer_dn, count, list (SHA-256, evidence), source}
	 * certificates that were issued elsewhere.  The list is text:
	 * "ca-tool-issued-1\n", then a line for each, ascending by serial,
	 * "SERIAL EXPIRES CA SHA256\n": CA is "ca" or "ee", "-" where a thing
	 * is unknown */
	ENTRY_ISSUED,
	/* {run, name, key (name), sha256, issuer_dn, subject_dn, serial, spki,
	 *  not_before, not_after, ca} a certificate issued elsewhere */
	ENTRY_ADOPTED,
	/* {run, findings (how many), report (SHA-256), why, lint (SHA-256,
	 *  evidence; optional)} the run was refused after it was opened; its
	 * keys are to be destroyed.  The report is evidence: a JSON array of
	 * {severity, id, place, text, source}; lint as that of a list, where
	 * the run came that far */
	ENTRY_REFUSED,
	/* {run, serial} a cut-off run goes on */
	ENTRY_RESUMED,
	/* {subject, state} "authority" becomes "ready"; "ca", also with {run,
	 *  key (name), why, successor (name of a key) or null}: a CA key becomes
	 * "retiring" or "retired".  It is active before, and destroyed by
	 * key-destroyed */
	ENTRY_STATE,
	/* {run, list, window, first, count, name, key (SPKI SHA-256), algorithm
	 *  (hex), issuer, issuer_dn, responder (name of a certificate, or null),
	 *  profile, this_update, next_update, root, items (SHA-256, evidence)}
	 * OCSP responses first to first + count - 1 of batch `name` are about
	 * to be signed.  items is text, a line each: "SERIAL STATUS TBS\n", with
	 * "good" or "revoked" and the SHA-256 of ResponseData; root is that of a
	 * tree (RFC 6962) whose leaves are these lines without their newline */
	ENTRY_OCSP_INTENT,
	/* {run, list, window, name, count, root, items (SHA-256, evidence)} they
	 * are signed.  items is text, a line each: "SERIAL SHA256 BASE64\n", the
	 * OCSPResponse's hash and octets; root is that of a tree whose leaves
	 * are the OCSPResponses.  One that is "-" instead of both was not
	 * signed, and is no leaf */
	ENTRY_OCSP_RESULT,
	/* {run, list, window, name, why, possibly_signed} */
	ENTRY_OCSP_FAILED,
	/* {event, ...} with {by, content, statement}: signed by an operator or
	 * witness (evidence both); people, deviations, clock, restored guard copy ... */
	ENTRY_EVENT,
	/* {run, was, now, why} the clock was wrong: it may not be before `now`
	 * from here on, whatever entries before this one say */
	ENTRY_CLOCK,
	/* {run, serial (of the token), origin, epoch, size, root} the token now
	 * holds this head of the journal: the root over the first `size`
	 * entries.  run is "init", "key-list" or a nonce */
	ENTRY_HEAD,
	/* {run, epoch, origin, was: {origin, size, root}, head: {origin, epoch,
	 *  size, root} or null, lost, receipts: [SHA-256 of a note, evidence]}
	 * recover-journal: from here on the journal is epoch `epoch`, with an
	 * origin of its own.  `was`: what was left; `head`: what the token
	 * held; `lost`: how many entries at most are gone, by which the numbers
	 * of all CRLs jump */
	ENTRY_EPOCH,
	/* {run, outcome: "done"|"refused"|"abandoned", published (how many), files
	 * (SHA-256), transcript (SHA-256)}; files is evidence: a JSON array of
	 * {path, sha256} */
	ENTRY_CLOSE,
	/* {size, root, note} the checkpoint that closed a run */
	ENTRY_CHECKPOINT,
	ENTRY_KINDS
};

/* "genesis", ...; and back, -1 with CA_R_CORRUPT raised. */
const char *entry_kind_name(enum entry_kind kind);
int entry_kind_by_name(const char *name, enum entry_kind *ret_kind) MUST_USE;

#endif
