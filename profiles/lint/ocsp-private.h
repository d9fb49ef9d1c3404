/*
 * An OCSP response taken apart for lints: RFC 6960, section 4.2.1, with the
 * octets of each part as they stand.  For profiles/lint alone.
 */
#ifndef CA_LINT_OCSP_PRIVATE_H
#define CA_LINT_OCSP_PRIVATE_H

#include "profiles/lint/lint-private.h"

enum {
	OCSP_SINGLES_MAX = 1024,
	OCSP_CERTS_MAX = 16,
	OCSP_BY_NAME = 0xa1,
	OCSP_BY_KEY = 0xa2,
	OCSP_GOOD = 0x80,
	OCSP_REVOKED = 0xa1,
	OCSP_UNKNOWN = 0x82,
	OCSP_STATUS_SUCCESSFUL = 0,
};

/* SingleResponse. */
struct lint_ocsp_single {
	struct der element;
	struct der cert_id;  /* element */
	struct der hash_alg; /* element */
	int hash_nid;        /* NID_undef: none that OpenSSL knows */
	struct der name_hash, key_hash, serial; /* contents */
	unsigned status; /* OCSP_GOOD, OCSP_REVOKED, OCSP_UNKNOWN */
	struct der status_element;
	struct lint_time revoked_at; /* of OCSP_REVOKED */
	struct der reason;           /* contents; empty: there is none */
	struct lint_time this_update, next_update;
	bool has_next_update;
	struct der extensions; /* [1]'s element; empty: absent */
};

struct lint_ocsp_state {
	struct der element;
	struct der status;    /* contents of responseStatus */
	bool has_bytes;       /* responseBytes */
	struct der type;      /* contents of responseType; empty: none */
	bool is_basic;        /* what follows is there only then */
	struct der basic;     /* BasicOCSPResponse, element */
	struct der data;      /* tbsResponseData, element */
	struct der alg;       /* element */
	struct der signature; /* the BIT STRING's octets without the first */
	unsigned signature_unused;
	struct der version; /* [0]'s element; empty: absent */
	unsigned responder; /* OCSP_BY_NAME or OCSP_BY_KEY */
	struct lint_name responder_name;
	struct der responder_key; /* contents of the OCTET STRING */
	struct lint_time produced_at;
	struct lint_ocsp_single *singles;
	size_t count;
	struct der extensions_element; /* [1]; empty: absent */
	struct lint_extensions extensions;
	struct der certs; /* [0] of BasicOCSPResponse, element; empty: absent */
	size_t cert_count; /* how many stand there */
	const struct lint_certificate
	    *certificates[OCSP_CERTS_MAX];              /* readable */
	struct lint_certificate *owned[OCSP_CERTS_MAX]; /* or NULL: `known` */
	size_t certificate_count;
	const struct lint_certificate
	    *known;              /* see lint_ocsp_open(); or NULL */
	OCSP_RESPONSE *response; /* NULL: OpenSSL cannot read it */
	OCSP_BASICRESP *basicresp;
	/* What basicresp was read from: `basic`, or it without `known`. */
	struct der decoded;
	unsigned char *stripped; /* its octets then; or NULL */
	/*
	 * Whose certificate the responder's identifier belongs to: one of
	 * `certificates`, or the issuer's (which is not owned); NULL: none.
	 */
	const struct lint_certificate *signer;
	bool signer_is_issuer;
};

/*
 * Take a response apart; issuer may be NULL, and so may `known`: a certificate
 * that is not opened again where it is enclosed, and must outlive the state.  CA_R_INPUT, with the octet,
 * where its frame is not that of RFC 6960, section 4.2.1.
 */
int lint_ocsp_open(struct der der, const struct lint_certificate *issuer,
    const struct lint_certificate *known,
    struct lint_ocsp_state **ret_state) MUST_USE;
void lint_ocsp_state_free(struct lint_ocsp_state *state);
CLEANUP_DEFINE_PTR(lint_ocsp_state);

/*
 * Does the response's signature verify with this key?  1 yes, 0 no, -1 where
 * its algorithm is none of the table's.
 */
int lint_ocsp_verify(
    const struct lint_ocsp_state *state, const struct lint_key *key);

/* Are the statuses about CA certificates, or about subscribers'? */
bool lint_ocsp_about_ca(const struct lint_run *run);
bool lint_ocsp_about_ee(const struct lint_run *run);

/* Checks of rows, in ocsp-signer.c and ocsp-single.c. */
lint_check lint_ocsp_sigalg, lint_ocsp_signer, lint_ocsp_certs,
    lint_ocsp_recheck, lint_ocsp_until_certs, lint_ocsp_until_signer;
lint_check lint_ocsp_certid, lint_ocsp_certid_params, lint_ocsp_one,
    lint_ocsp_next_update, lint_ocsp_interval_ee, lint_ocsp_interval_ca,
    lint_ocsp_reason_ca, lint_ocsp_reason_set, lint_ocsp_single_ext,
    lint_ocsp_unknown, lint_ocsp_root_status, lint_ocsp_no_ee;

#endif
