/*
 * The journal: all state of an authority, in one SQLite file, journal.db.
 *
 * Entries are appended by journal_append() alone; their leaf hashes and the
 * hashes of complete subtrees (RFC 6962, SHA-256) are stored with them.  Keys,
 * certificates, serials, CRL numbers, revocations and runs are tables derived
 * from the entries, written by the same call in the same transaction.
 *
 * Rollback-journal mode, synchronous=EXTRA: when journal_commit() returns 0,
 * what was appended survives a power loss.
 *
 * Queries fill `ret_row` and set *ret_found; rows are cleared by their
 * x_clear().  All strings and bytes in rows are malloc'd copies.
 */
#ifndef CA_JOURNAL_JOURNAL_H
#define CA_JOURNAL_JOURNAL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "ceremony/journal/entry.h"

struct journal;

enum { HASH_LEN = 32, HASH_HEX_SIZE = 65, NONCE_LEN = 16 };

enum journal_mode {
	JOURNAL_READ,  /* one consistent snapshot, nothing is written */
	JOURNAL_WRITE, /* the caller holds the authority's lock */
};

/*
 * A writer has the file to itself from its opening to its closing, so that no
 * reader can hold up a commit in the middle of a ceremony; readers share it.
 * Whoever comes too late waits three seconds and gets CA_R_BUSY: close a
 * reader before a writer is opened, in one process too.  A struct journal is
 * used by one thread at a time.
 */

/*
 * Create `dir`/journal.db with the schema.  What a cut-off create left (no
 * file, or one without entries) is made anew; one that holds entries is
 * CA_R_EXISTS.
 */
int journal_create(const char *dir, struct journal **ret_journal) MUST_USE;

/*
 * Open `dir`/journal.db.  CA_R_MISSING if absent; CA_R_CORRUPT if it is no
 * journal, has a schema of its own or another version, or contradicts itself
 * (count of entries, last leaf hash).
 */
int journal_open(const char *dir, enum journal_mode mode,
    struct journal **ret_journal) MUST_USE;

void journal_free(struct journal *journal);
CLEANUP_DEFINE_PTR(journal);

/* Who makes the entries from here on: name and role; default: none. */
int journal_set_person(
    struct journal *journal, const char *name, const char *role) MUST_USE;

/*
 * Instead of that one, several: an array of {name, role}, copied; for the
 * operators who take part in a run.  NULL: that one again.
 */
int journal_set_people(struct journal *journal, const json_t *people) MUST_USE;

/*
 * Transactions.  journal_append() outside of one is a transaction by itself.
 * After a failed append or commit the transaction is gone.
 */
int journal_begin(struct journal *journal) MUST_USE;
int journal_commit(struct journal *journal) MUST_USE;
void journal_rollback(struct journal *journal);

/*
 * Append an entry.  Takes the reference to `data` (also on failure), which
 * must be an object with the members of its kind (entry.h); CA_R_INTERNAL if
 * it has not, or if the line would be longer than ENTRY_MAX_BYTES.
 * A fact that may exist once only (name, serial of an issuer, CRL number, CKA
 * id, plan id, open run) and exists already is CA_R_EXISTS.
 * What contradicts the entries before (a result without an intent, a close
 * without a run or with unanswered intents, a run that is not open: see
 * docs/journal.md) is CA_R_INTERNAL.
 * `text` is one sentence for people.  *ret_seq may be asked for or NULL.
 */
int journal_append(struct journal *journal, enum entry_kind kind, json_t *data,
    const char *text, uint64_t *ret_seq) MUST_USE;

/* Of evidence, in octets: what is larger is neither taken in nor read back. */
enum { JOURNAL_EVIDENCE_MAX = 1 << 28 };

/*
 * Content-addressed evidence, in the open transaction or by itself.  An object
 * is put before the result or adoption that names it is appended.  What is
 * given out has been hashed again; CA_R_MISSING if there is none.  CA_R_INPUT
 * where it is larger than JOURNAL_EVIDENCE_MAX.
 */
int journal_evidence_put(struct journal *journal, const void *data, size_t len,
    unsigned char ret_sha256[HASH_LEN]) MUST_USE;
int journal_evidence_get(struct journal *journal,
    const unsigned char digest[HASH_LEN], unsigned char **ret_data,
    size_t *ret_len) MUST_USE;

/*
 * The same in flat memory: `len` octets of a file from `offset` on; and to a
 * function, piece by piece.  The hash is checked before the first piece is
 * given out, and again on the way.
 */
int journal_evidence_put_file(struct journal *journal, int fd, uint64_t offset,
    uint64_t len, unsigned char ret_sha256[HASH_LEN]) MUST_USE;
int journal_evidence_read(struct journal *journal,
    const unsigned char digest[HASH_LEN],
    int (*take)(void *ctx, const unsigned char *data, size_t len),
    void *ctx) MUST_USE;

/* The tree over all entries so far, O(log n). */
int journal_head(struct journal *journal, uint64_t *ret_size,
    unsigned char ret_root[HASH_LEN]) MUST_USE;

/*
 * The root over the first `size` entries.  CA_R_VERIFY if there are not so
 * many.
 */
int journal_root_at(struct journal *journal, uint64_t size,
    unsigned char ret_root[HASH_LEN]) MUST_USE;

/*
 * The latest time that a run gave to what it did, 0 if there is none: the
 * clock may not be set before it.  Entries that are made before anybody has
 * looked at the clock (a login, an event, a key listing) do not count.
 */
int journal_last_time(struct journal *journal, int64_t *ret_time) MUST_USE;

/* ---- the authority ---------------------------------------------------- */

struct authority_row {
	char *id;
	unsigned char genesis[HASH_LEN]; /* leaf hash of entry 0 */
	bool token_intended;
	char *token_label;  /* of the genesis entry, or of an adopted token */
	char *token_serial; /* NULL until ENTRY_TOKEN */
	bool ready;
	char *config_sha256; /* newest ENTRY_CONFIG, hex, or NULL */
	/* Of heads and checkpoints: the id, until recover-journal opened
	 * another epoch. */
	char *origin;
	uint64_t epoch;
	uint64_t epoch_seq; /* of the entry that opened it, or 0 */
	/* The newest ENTRY_HEAD of this epoch; head_root: journal_root_at() */
	bool has_head;
	uint64_t head_size;
	char *head_serial; /* of the token that holds it, or NULL */
};
int journal_authority(
    struct journal *journal, struct authority_row *ret_row) MUST_USE;
void authority_row_clear(struct authority_row *row);
CLEANUP_DEFINE_STRUCT(authority_row);

/* ---- keys ------------------------------------------------------------- */

/* Of a CA, that is: of its key. */
enum ca_state {
	CA_ACTIVE,
	CA_RETIRING, /* issues no more; still signs CRLs and OCSP responses */
	CA_RETIRED,  /* signs nothing any more */
	CA_DESTROYED,
};
/* "active", "retiring", "retired", "destroyed". */
const char *ca_state_name(enum ca_state state);

enum key_state {
	KEY_INTENDED, /* perhaps on the token, perhaps in part */
	KEY_LIVE,
	KEY_GONE, /* destroyed */
};

struct key_row {
	char *name; /* also its CKA_LABEL */
	char *run;
	unsigned char *id;
	size_t id_len;
	char *type;    /* "p-384" */
	char *purpose; /* "ca", "ocsp", "journal" */
	char *backup;  /* "none", "clone" */
	enum key_state state;
	enum ca_state ca_state; /* of a key whose purpose is "ca" */
	char *successor;        /* name of the key that took over; or NULL */
	bool adopted;           /* it was on the token before */
	unsigned char *spki; /* DER, kept from generation; NULL if intended */
	size_t spki_len;
};
/* The key called `name` that is not destroyed. */
int journal_key(struct journal *journal, const char *name, bool *ret_found,
    struct key_row *ret_row) MUST_USE;
/* The key with this public key, in any state. */
int journal_key_by_spki(struct journal *journal,
    const unsigned char spki_sha256[HASH_LEN], bool *ret_found,
    struct key_row *ret_row) MUST_USE;
/*
 * Each key of a run (NULL: of all), in the order of their intents.  `visit`
 * may append (so too below, but for revocations); when it returns other than
 * 0, the walk ends with -1.
 */
int journal_each_key(struct journal *journal, const char *run,
    int (*visit)(void *ctx, const struct key_row *row), void *ctx) MUST_USE;
void key_row_clear(struct key_row *row);
CLEANUP_DEFINE_STRUCT(key_row);

/* ---- certificates, CRLs, requests ------------------------------------- */

enum object_state {
	OBJECT_INTENDED, /* an intent, no result: possibly signed */
	OBJECT_SIGNED,
	OBJECT_FAILED,
};

/* A row for each intent, and for each adopted certificate. */
struct object_row {
	char *run;
	unsigned list, object;
	char *kind; /* "certificate", "crl", "csr" */
	char *name;
	enum object_state state;
	bool adopted;
	char *issuer;     /* name of the issuer's certificate; NULL for csr */
	char *issuer_dn;  /* SHA-256 hex */
	char *subject_dn; /* certificate; SHA-256 hex */
	char *serial;     /* certificate; hex */
	char *spki;       /* certificate; SHA-256 hex of the subject's key */
	char *key;        /* SPKI SHA-256 hex of the key that signs */
	char *certificate_kind; /* "root", ..., or NULL */
	char *profile;
	uint64_t number;     /* crl */
	int64_t from, until; /* notBefore/notAfter, thisUpdate/nextUpdate */
	bool ca;
	/* certificate: the URL of its CRL, as its intent says; crl: the one in
	 * its issuingDistributionPoint.  NULL: none, or it is not said */
	char *crl_url;
	uint64_t entries; /* crl */
	uint64_t seq;     /* of its ENTRY_INTENT or ENTRY_ADOPTED */
	char *tbs;        /* SHA-256 hex */
	char *sha256;     /* of the object; NULL until signed */
	/* Number of its ENTRY_RESULT or ENTRY_ADOPTED; 0 until signed. */
	uint64_t result;
};
void object_row_clear(struct object_row *row);
CLEANUP_DEFINE_STRUCT(object_row);

/* The signed or adopted object of this kind and name. */
int journal_object(struct journal *journal, const char *kind, const char *name,
    bool *ret_found, struct object_row *ret_row) MUST_USE;

/* The signed or adopted certificate with this serial (hex). */
int journal_certificate_by_serial(struct journal *journal,
    const char *issuer_dn, const char *serial, bool *ret_found,
    struct object_row *ret_row) MUST_USE;

/* Its bytes. */
int journal_object_bytes(struct journal *journal, const struct object_row *row,
    unsigned char **ret_der, size_t *ret_len) MUST_USE;

/*
 * Each object; run and kind select where not NULL.  In the order of intents;
 * every state.
 */
int journal_each_object(struct journal *journal, const char *run,
    const char *kind, int (*visit)(void *ctx, const struct object_row *row),
    void *ctx) MUST_USE;

/*
 * Was this serial ever in an intent, result or adopted certificate, among those
 * that were issued elsewhere, or revoked?
 */
int journal_serial_used(struct journal *journal, const char *issuer_dn,
    const char *serial, bool *ret_used) MUST_USE;

/* Is this subject key in a signed, intended or adopted certificate? */
int journal_spki_used(
    struct journal *journal, const char *spki_sha256, bool *ret_used) MUST_USE;

/*
 * The number for the issuer's next CRL: above every number in an intent, and
 * above those that entries lost before an epoch may have had.
 */
int journal_crl_next_number(struct journal *journal, const char *issuer_dn,
    uint64_t *ret_number) MUST_USE;

/* The issuer's newest signed CRL. */
int journal_crl_last(struct journal *journal, const char *issuer_dn,
    bool *ret_found, struct object_row *ret_row) MUST_USE;

/* ---- revocations ------------------------------------------------------ */

struct revocation_row {
	char *serial; /* hex */
	int64_t date;
	char *reason;       /* as in ENTRY_REVOKED */
	int64_t invalidity; /* 0: none */
	int64_t expires;    /* notAfter of the certificate; 0: unknown */
	uint64_t seq;       /* of the entry that revoked it */
};
void revocation_row_clear(struct revocation_row *row);
CLEANUP_DEFINE_STRUCT(revocation_row);
/* Ascending by the serial's value, in flat memory; `visit` may not append. */
int journal_each_revocation(struct journal *journal, const char *issuer_dn,
    int (*visit)(void *ctx, const struct revocation_row *row),
    void *ctx) MUST_USE;
int journal_revocation(struct journal *journal, const char *issuer_dn,
    const char *serial, bool *ret_found) MUST_USE;
int journal_revocation_row(struct journal *journal, const char *issuer_dn,
    const char *serial, bool *ret_found,
    struct revocation_row *ret_row) MUST_USE;

/*
 * What stands on a CRL, straight from the sorted index.  The members point into
 * the database and are good until visit() returns.
 */
struct crl_row {
	const unsigned char *serial; /* content octets */
	size_t serial_len;
	int64_t date;
	int reason;         /* CRLReason, 0: none */
	int64_t invalidity; /* 0: none */
};
struct crl_selection {
	const char *issuer_dn;
	/* Only of certificates whose crl_url this is; NULL: all. */
	const char *url;
	bool only_ca, only_user;
	/*
	 * CRL-COMPLETE: left out is what expired before this time and was
	 * revoked before this entry, so that a CRL after its end has had it.
	 * Unknown ends never go.  0: nothing goes.
	 */
	int64_t gone_before;
	uint64_t gone_seq;
};
/* For the length of the CRL before it is written, in one pass. */
struct crl_totals {
	uint64_t entries;
	uint64_t serial_octets;
	uint64_t reasons;      /* entries with a reasonCode */
	uint64_t invalidities; /* with an invalidityDate */
	uint64_t generalized;  /* whose date is in 2050 or later */
};
int journal_crl_totals(struct journal *journal,
    const struct crl_selection *selection,
    struct crl_totals *ret_totals) MUST_USE;
/* Ascending; `visit` may not append.  Flat memory. */
int journal_each_crl_row(struct journal *journal,
    const struct crl_selection *selection,
    int (*visit)(void *ctx, const struct crl_row *row), void *ctx) MUST_USE;
/*
 * What an issuer has revoked, by the CRL that has it: a row for each URL and
 * kind of certificate.
 */
struct revoked_part {
	char *url;       /* in the certificates; NULL: none, or not known */
	int ca;          /* 1, 0, or -1: unknown */
	uint64_t seq;    /* of the newest entry that revoked one of them */
	int64_t expires; /* the last end that is known, or 0 */
	bool unknown;    /* of one of them it is not */
};
void revoked_part_clear(struct revoked_part *row);
CLEANUP_DEFINE_STRUCT(revoked_part);
/* `visit` may not append. */
int journal_each_revoked_part(struct journal *journal, const char *issuer_dn,
    int (*visit)(void *ctx, const struct revoked_part *row),
    void *ctx) MUST_USE;
/*
 * The newest signed CRL of the issuer that has such certificates: a full one, or
 * that of the URL.  The number of its intent, and nextUpdate.
 */
int journal_crl_last_of(struct journal *journal, const char *issuer_dn,
    const struct revoked_part *part, bool *ret_found, uint64_t *ret_seq,
    int64_t *ret_until) MUST_USE;
/* How many of the part were revoked behind entry `seq`. */
int journal_revoked_since(struct journal *journal, const char *issuer_dn,
    const struct revoked_part *part, uint64_t seq,
    uint64_t *ret_count) MUST_USE;
/* How many, to see whether a CRL that was built is out of date. */
int journal_revocation_count(struct journal *journal, const char *issuer_dn,
    uint64_t *ret_count) MUST_USE;

/* ---- certificates issued elsewhere ------------------------------------ */

struct issued_row {
	char *serial;    /* hex */
	int64_t expires; /* 0: unknown */
	int ca;          /* 1, 0, or -1: unknown */
	char *sha256;    /* of the certificate, hex; or NULL */
};
void issued_row_clear(struct issued_row *row);
CLEANUP_DEFINE_STRUCT(issued_row);
int journal_issued(struct journal *journal, const char *issuer_dn,
    const char *serial, bool *ret_found, struct issued_row *ret_row) MUST_USE;
/* Ascending by the serial's value; `visit` may not append. */
int journal_each_issued(struct journal *journal, const char *issuer_dn,
    int (*visit)(void *ctx, const struct issued_row *row), void *ctx) MUST_USE;

/*
 * Certificates that are signed or adopted; what is NULL or 0 does not restrict.
 * Ascending by the serial's value; `visit` may not append.
 */
struct certificate_filter {
	const char *issuer_dn, *profile, *spki;
	int64_t from, until; /* of notBefore, both inclusive */
	const char *plan;    /* its id */
	int64_t alive;       /* only those whose notAfter is not before it */
	bool current;        /* only those that are not revoked */
};
int journal_each_certificate(struct journal *journal,
    const struct certificate_filter *filter,
    int (*visit)(void *ctx, const struct object_row *row), void *ctx) MUST_USE;

/*
 * Has the issuer end entities whose certificates have not expired at `at`,
 * revoked or not?  Those that are possibly signed count; responders do not.
 */
struct users_filter {
	const char *issuer_dn;
	const char *url; /* of their CRL; NULL: any */
	int64_t at;
	bool unknown; /* issued elsewhere, and of an unknown kind: they count */
};
int journal_has_users(struct journal *journal,
    const struct users_filter *filter, bool *ret_found) MUST_USE;

/* ---- OCSP responses, a window at a time ------------------------------- */

struct ocsp_window_row {
	char *run, *name;
	unsigned list, window;
	uint64_t first, count;
	enum object_state state;
	char *issuer, *issuer_dn, *key, *responder;
	int64_t from, until;    /* thisUpdate, nextUpdate */
	char *intended, *items; /* SHA-256 hex of the evidence; or NULL */
};
void ocsp_window_row_clear(struct ocsp_window_row *row);
CLEANUP_DEFINE_STRUCT(ocsp_window_row);
/* A batch, as far as it was signed. */
struct ocsp_batch_row {
	char *name, *profile;
	char *responder;     /* name of its certificate; NULL: the CA itself */
	uint64_t count;      /* of responses */
	int64_t from, until; /* the last thisUpdate, the first nextUpdate */
};
void ocsp_batch_row_clear(struct ocsp_batch_row *row);
CLEANUP_DEFINE_STRUCT(ocsp_batch_row);
/* About certificates of the issuer, in the order in which they were begun. */
int journal_each_ocsp_batch(struct journal *journal, const char *issuer_dn,
    int (*visit)(void *ctx, const struct ocsp_batch_row *row),
    void *ctx) MUST_USE;
/* Of a run (NULL: all), in the order of their intents. */
int journal_each_ocsp_window(struct journal *journal, const char *run,
    int (*visit)(void *ctx, const struct ocsp_window_row *row),
    void *ctx) MUST_USE;

/* ---- runs ------------------------------------------------------------- */

struct run_row {
	char *run; /* nonce, hex */
	char *plan;
	char *manifest;  /* SHA-256 hex */
	char *directory; /* below ceremonies/ */
	bool open, refused;
	int lists;    /* lists journalled so far */
	uint64_t seq; /* of its ENTRY_PLAN */
	/* Something was done that cannot be undone by the run itself: an
	 * intent, an act, a reshare that has begun, anything that settles the
	 * run that it abandons. */
	bool acted;
	bool abandoned, unattended;
	char *set;      /* the quorum set that was in force when it began */
	char *abandons; /* the run that this one ends; NULL: none */
};
void run_row_clear(struct run_row *row);
CLEANUP_DEFINE_STRUCT(run_row);

/*
 * The run that is open: begun, not closed; the newest, which abandons the other,
 * where there are two.
 */
int journal_open_run(
    struct journal *journal, bool *ret_found, struct run_row *ret_row) MUST_USE;
/* The latest run that was closed, but whose checkpoint is not there yet. */
int journal_run_without_receipt(
    struct journal *journal, bool *ret_found, struct run_row *ret_row) MUST_USE;
/* The run with this nonce. */
int journal_run(struct journal *journal, const char *run, bool *ret_found,
    struct run_row *ret_row) MUST_USE;
/* The run of a plan, open or closed. */
int journal_run_of_plan(struct journal *journal, const char *plan,
    bool *ret_found, struct run_row *ret_row) MUST_USE;

/* ---- the quorum ------------------------------------------------------- */

struct quorum_row {
	char *set;         /* its id, hex */
	char *sha256;      /* of set.yaml, hex */
	char *commitments; /* SHA-256, hex, or NULL */
	unsigned threshold, operators;
};
void quorum_row_clear(struct quorum_row *row);
CLEANUP_DEFINE_STRUCT(quorum_row);

/* The set in force. */
int journal_quorum(struct journal *journal, bool *ret_found,
    struct quorum_row *ret_row) MUST_USE;
/* The set to which a reshare has begun that is neither over nor given up. */
int journal_quorum_begun(struct journal *journal, bool *ret_found,
    struct quorum_row *ret_row) MUST_USE;
/* Any set that ever was begun or in force. */
int journal_quorum_by_set(struct journal *journal, const char *set,
    bool *ret_found, struct quorum_row *ret_row) MUST_USE;

struct enrolment_row {
	char *name, *role;
	char *sign, *decrypt, *share, *statement; /* hex; NULL where null */
};
void enrolment_row_clear(struct enrolment_row *row);
CLEANUP_DEFINE_STRUCT(enrolment_row);

/* In the order of their entries. */
int journal_each_enrolment(struct journal *journal, const char *set,
    int (*visit)(void *ctx, const struct enrolment_row *row),
    void *ctx) MUST_USE;

/* Has this operator of the set signed the anchor? */
int journal_has_anchor(struct journal *journal, const char *set,
    const char *name, bool *ret_found) MUST_USE;

/* How far the change of a PIN ("so", "user") came in a run. */
enum pin_stage { PIN_UNTOUCHED, PIN_INTENDED, PIN_CHANGED };
int journal_pin_stage(struct journal *journal, const char *run, const char *pin,
    enum pin_stage *ret_stage) MUST_USE;

/* An approval of a run's manifest, or a confirmation of one of its lists. */
struct statement_row {
	int list; /* -1: an approval */
	char *name, *set;
	char *subject;   /* SHA-256 of what was signed, hex */
	char *statement; /* SHA-256 of the signature, evidence, hex */
};
void statement_row_clear(struct statement_row *row);
CLEANUP_DEFINE_STRUCT(statement_row);

/* In the order of their entries. */
int journal_each_statement(struct journal *journal, const char *run,
    int (*visit)(void *ctx, const struct statement_row *row),
    void *ctx) MUST_USE;

/* ---- profiles --------------------------------------------------------- */

/* The SHA-256 (hex) of the profile that may be used under this name. */
int journal_profile(struct journal *journal, const char *profile,
    bool *ret_found, char **ret_sha256) MUST_USE;
/* Each profile that may be used, by name. */
int journal_each_profile(struct journal *journal,
    int (*visit)(void *ctx, const char *profile, const char *sha256),
    void *ctx) MUST_USE;

/* ---- reading ---------------------------------------------------------- */

/*
 * Each entry from `first` on, as its bytes, in order.  kind: ENTRY_KINDS for
 * all.
 */
int journal_each_entry(struct journal *journal, uint64_t first,
    enum entry_kind kind,
    int (*visit)(void *ctx, uint64_t seq, const char *line, size_t len),
    void *ctx) MUST_USE;

/* The note of the newest checkpoint entry; malloc'd. */
int journal_last_checkpoint(
    struct journal *journal, bool *ret_found, char **ret_note) MUST_USE;

#endif
