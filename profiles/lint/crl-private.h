/*
 * A CRL taken apart for lints, in one pass over a source of any length.  Head
 * and tail (all but the entries) are copied; what is wrong with entries is
 * noted on the way and reported by the rows of the rules.  For profiles/lint.
 */
#ifndef CA_LINT_CRL_PRIVATE_H
#define CA_LINT_CRL_PRIVATE_H

#include "profiles/der/stream.h"
#include "profiles/lint/lint-private.h"

enum {
	CRL_PART_MAX = 1 << 20,  /* octets of head, and of tail */
	CRL_ENTRY_MAX = 1 << 16, /* octets of one entry */
	CRL_NOTES_KEPT = 10, /* entries named, by rule; the rest are counted */
	CRL_ENTRY_EXTENSIONS = 32,
	/* Entries in no order: 8 octets each are sorted, up to this many. */
	CRL_SORTED_MAX = 1 << 25,
};

/* The offset of an entry that stands somewhere in the CRL. */
#define CRL_OFFSET_UNKNOWN UINT64_MAX

/* What the walk over the entries finds, by the rule that reports it. */
enum lint_crl_note_kind {
	CRL_NOTE_DER,             /* FLD-DER-STRICT */
	CRL_NOTE_TIME_TYPE,       /* FLD-TIME-TYPE, CRL-TIME-FORM */
	CRL_NOTE_TIME_FORM,       /* FLD-TIME-FORM, CRL-TIME-FORM */
	CRL_NOTE_DUPLICATE,       /* CRL-NO-DUP-SERIAL */
	CRL_NOTE_SERIAL,          /* CRL-ENTRY-SERIAL */
	CRL_NOTE_DATE,            /* CRL-ENTRY-DATE */
	CRL_NOTE_ORDER,           /* CRL-ORDER */
	CRL_NOTE_LOST,            /* CRL-COMPLETE: surely too early */
	CRL_NOTE_LEFT,            /* CRL-COMPLETE: perhaps rightly */
	CRL_NOTE_INDIRECT,        /* CRL-NO-INDIRECT */
	CRL_NOTE_DELTA,           /* CRL-NO-DELTA: removeFromCRL */
	CRL_NOTE_EXT_UNIQUE,      /* CRL-EXT-UNIQUE, FLD-EXT-UNIQUE */
	CRL_NOTE_REASON_FORM,     /* CRL-REASON-FORM */
	CRL_NOTE_REASON_NONE,     /* CRL-REASON-CA */
	CRL_NOTE_REASON_SET,      /* CRL-REASON-SET */
	CRL_NOTE_REASON_ZERO,     /* CRL-REASON-UNSPEC */
	CRL_NOTE_REASON_HOLD,     /* CRL-REASON-NOHOLD */
	CRL_NOTE_REASON_CHANGED,  /* CRL-REASON-UPGRADE */
	CRL_NOTE_INVALIDITY,      /* CRL-INVALIDITY: there is one */
	CRL_NOTE_INVALIDITY_DATE, /* CRL-INVALIDITY: not revocationDate */
	CRL_NOTE_INVALIDITY_FORM, /* CRL-TIME-FORM */
	CRL_NOTE_EXT_OTHER,       /* CRL-ENTRY-EXT-OTHER */
	CRL_NOTE_KINDS,
};

struct lint_crl_note {
	uint64_t offset; /* of the entry */
	char text[192];
};
struct lint_crl_notes {
	uint64_t count;
	struct lint_crl_note rows[CRL_NOTES_KEPT];
};

/* A BOOLEAN DEFAULT FALSE. */
enum lint_crl_flag {
	CRL_FLAG_ABSENT,
	CRL_FLAG_FALSE, /* encoded, which DER forbids */
	CRL_FLAG_TRUE,
};

/* issuingDistributionPoint, RFC 5280, section 5.2.5. */
struct lint_crl_idp {
	const struct lint_extension *row; /* NULL: there is none */
	bool malformed;
	bool point;         /* distributionPoint */
	bool full_name;     /* of the fullName choice */
	struct der names;   /* contents of its GeneralNames */
	struct der reasons; /* onlySomeReasons: element; empty: absent */
	enum lint_crl_flag user, ca, indirect, attribute;
};

struct lint_crl_state {
	uint64_t len;        /* octets of the whole CRL */
	unsigned char *head; /* its first octets, up to the entries */
	size_t head_len;
	unsigned char *tail; /* its last ones, behind the entries */
	size_t tail_len;
	uint64_t tail_offset;
	/* Parts of head. */
	struct der version; /* element; empty: absent */
	struct der alg;     /* element, inner */
	struct lint_name issuer;
	struct lint_time this_update, next_update;
	bool has_next_update;
	/* revokedCertificates. */
	bool has_revoked; /* is the element there? */
	uint64_t entries_offset, entries_end, entries;
	bool by_serial; /* serials ascend, or stand twice */
	bool by_date;   /* ascending revocationDate, then serial */
	/* Parts of tail. */
	struct der extensions_element; /* [0]; empty: absent */
	struct lint_extensions extensions;
	struct der alg_outer; /* element */
	struct der signature; /* the BIT STRING's octets without the first */
	unsigned signature_unused;
	/* Of extensions. */
	AUTHORITY_KEYID *aki; /* NULL: absent or malformed */
	const struct lint_extension *number_row;
	struct der number; /* contents of CRLNumber; empty: none */
	struct lint_crl_idp idp;
	/* The tbsCertList's digest by the inner algorithm; 0: it is unknown. */
	const struct sigalg *sigalg;
	unsigned char digest[DIGEST_MAX];
	size_t digest_len;
	/* The CRL before this one; NULL: not known, or it cannot be read. */
	struct lint_crl_state *previous;
	bool comparable;   /* previous is of the same issuer and scope */
	int64_t left_date; /* latest revocationDate of those that left */
	struct lint_crl_notes notes[CRL_NOTE_KINDS];
};

/*
 * Read a CRL to its end.  CA_R_INPUT, with the octet, where its frame is not
 * that of RFC 5280, section 5.1; CA_R_IO; CA_R_MEMORY.
 */
int lint_crl_open(const struct der_source *source,
    struct lint_crl_state **ret_state) MUST_USE;
void lint_crl_state_free(struct lint_crl_state *state);
CLEANUP_DEFINE_PTR(lint_crl_state);

/* The octet in the CRL of what stands in head or tail. */
uint64_t lint_crl_offset(
    const struct lint_crl_state *state, const unsigned char *p);

/* Report what was noted, as findings of the run's rule. */
void lint_crl_report(const struct lint_run *run, enum lint_crl_note_kind kind);

/*
 * Note a fault at an octet of the CRL; `serial` (contents) names the entry, and
 * is empty for what is no entry's.
 */
void lint_crl_note(struct lint_crl_state *state, enum lint_crl_note_kind kind,
    uint64_t offset, struct der serial, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/*
 * Does the signature verify with this key?  1 yes, 0 no, -1 where it cannot be
 * told: the algorithm, or its key's kind, is none of the table's.  Inner and
 * outer algorithm must be the same.
 */
int lint_crl_verify(
    const struct lint_crl_state *state, const struct lint_key *key);

/* One entry of revokedCertificates, in the window of a cursor. */
struct lint_crl_entry {
	uint64_t offset;
	struct der element;
	struct der serial; /* contents */
	struct der date;   /* element */
	unsigned date_tag;
	bool date_valid;
	int64_t seconds;
	bool has_extensions;
	struct der extensions; /* contents of Extensions */
};

/* A stream over the entries of a CRL that was opened. */
int lint_crl_entries(const struct der_source *source,
    const struct lint_crl_state *state, struct der_stream *ret_stream) MUST_USE;
/* The next entry; *ret_there is false behind the last.  CA_R_INPUT. */
int lint_crl_entry_next(struct der_stream *stream,
    struct lint_crl_entry *ret_entry, bool *ret_there) MUST_USE;

/* CRLReason: its name, NULL for no value of RFC 5280; CRL-REASON-SET. */
const char *lint_crl_reason_name(int reason);
bool lint_crl_reason_allowed(int reason);

/* An entry's reason, without a word about its form. */
int lint_crl_entry_reason(const struct lint_crl_entry *entry);

/* The rules for one entry's serial, date and extensions: notes. */
void lint_crl_entry_check(
    struct lint_crl_state *state, const struct lint_crl_entry *entry);

/* Serials that stand twice, where they do not ascend: notes. */
int lint_crl_duplicates(
    const struct der_source *source, struct lint_crl_state *state) MUST_USE;

/* Entries of the previous CRL that this one has not, or differently: notes. */
int lint_crl_compare(const struct der_source *source,
    const struct der_source *previous, struct lint_crl_state *state) MUST_USE;

/* The extensions' decoded parts, from state->extensions. */
void lint_crl_extensions_read(struct lint_crl_state *state);

/* Checks of rows, in crl-extensions.c. */
lint_check lint_crl_aki, lint_crl_number, lint_crl_no_indirect,
    lint_crl_no_delta, lint_crl_idp_critical, lint_crl_idp_full,
    lint_crl_idp_root, lint_crl_idp_uri, lint_crl_idp_flags,
    lint_crl_idp_reasons, lint_crl_ext_other, lint_crl_ext_unique;

/* Contents of an INTEGER: by length, then octets; for those of one sign. */
int lint_crl_serial_order(struct der a, struct der b);

#endif
