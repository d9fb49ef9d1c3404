/*
 * What the phases of a run share: run.c (order and resume), approve.c, spool.c
 * (lists), confirm.c, batch.c (OCSP responses), sign.c (windows), publish.c
 * (files and close), transcript.c.
 */
#ifndef CA_CEREMONY_RUN_PRIVATE_H
#define CA_CEREMONY_RUN_PRIVATE_H

#include "ceremony/authority-private.h"
#include "ceremony/clock.h"
#include "ceremony/linters.h"
#include "ceremony/operators.h"
#include "ceremony/plan-private.h"
#include "ceremony/run.h"
#include "ceremony/statements.h"

enum { LIST_MAX_BYTES = 256 << 20 };

struct run {
	struct authority *authority;
	const struct room *room;
	struct findings *findings;
	struct plan *plan; /* as kept in its directory; the run's own */
	char nonce[2 * NONCE_LEN + 1];
	int fd;      /* ceremonies/DIRECTORY */
	int64_t now; /* of the build */
	struct clock_reading clock;
	bool resumed;
	uint64_t first; /* no entry of the run stands before this one */
	struct build build;
	struct earlier_object *earlier;
	size_t earlier_count;
	unsigned lists;        /* journalled so far; the next one's number */
	unsigned *object_list; /* the list in which each object stands */
	bool acts_done;
	unsigned ocsp_windows; /* intended so far; the next one's number */
	/* Batches as the newest list has them. */
	struct listed_batch *listed_batches;
	size_t listed_batch_count;
	/* The set that the manifest names, and who of it is in the room. */
	struct quorum_set *set;
	struct operators operators;
	struct statements approvals;
	struct inputs late;            /* requests for steps with `csr: late` */
	const struct special *special; /* or NULL */
	char *abandons; /* abandon: nonce of the run that it closes; or NULL */
	/* recover-journal: what the token holds; what receipts show */
	char *token_head;
	bool receipts_clash;
	/* The newest list, as it is on disk and in the journal. */
	unsigned char *list;
	size_t list_len;
	/* Outside linters, once they are asked for; what the list's lint said. */
	struct linters *linters;
	char *lint_report;
	int64_t listed;     /* when it was built */
	char **listed_acts; /* SHA-256 of each act's text */
	size_t listed_act_count;
	struct run_summary summary;
};

static inline struct journal *
journal_of_run(const struct run *run)
{
	return authority_journal(run->authority);
}

/*
 * A plan whose only step mends or changes the authority itself instead of
 * signing something: reshare and the ways out.  A row of the table in
 * special.c; each replaces the check that it mends by one of its own.
 */
struct special {
	const char *step;    /* name of the step's kind */
	bool other_run_open; /* abandon: begins while another run is open */
	bool config_changed; /* adopt-config: authority.yaml may differ */
	bool clock_wrong;    /* correct-clock: the floor is not looked at */
	bool other_token;    /* adopt-token: not the token of the journal */
	bool journal_lost;   /* recover-journal: the token's head is not ours */
	/*
	 * Before the plan is opened in the journal, and before anybody is
	 * asked for anything: is it needed, and can it be done?  Refuses where
	 * it is not.  With other_token: instead of the login, which it does.
	 */
	int (*check)(struct run *run);
	/*
	 * Instead of `sign`, after the confirmation.  Done again from the
	 * beginning by a resume: looks at the journal for what is done already.
	 */
	int (*perform)(struct run *run);
};

/* NULL: an ordinary plan. */
const struct special *special_of_plan(const struct plan *plan);

/* ---- reshare.c -------------------------------------------------------- */

int reshare_check(struct run *run) MUST_USE;
int reshare_perform(struct run *run) MUST_USE;
/*
 * The login of a resumed reshare: which set's shares open the token depends on
 * how far it came (design.md section 5).  Refuses the other set, and says why.
 */
int reshare_login(struct run *run) MUST_USE;

/* ---- special.c -------------------------------------------------------- */

/* The login of recover-journal: the token's head may be ahead. */
int recover_login(struct run *run) MUST_USE;

/*
 * Say how far it is, and see whether somebody asked to stop: then
 * CA_R_INTERRUPTED.  Between two pieces of work, before signing.
 */
int run_look(const struct run *run, const char *what, size_t done,
    size_t total) MUST_USE;

void run_clear(struct run *run);
CLEANUP_DEFINE_STRUCT(run);

/* A build that was made for a run, with its descriptor of public/. */
void run_drop_build(struct build *build);

/* ---- run-late.c ------------------------------------------------------- */

/*
 * The requests for all steps that say `csr: late`, each given once: read,
 * kept in the run's directory, and the plan built with their keys before
 * anything is done.
 */
int run_take_late(
    struct run *run, const struct late_csr *late, size_t count) MUST_USE;

/* Those that a resumed run began with; any other octets are refused. */
int run_reload_late(struct run *run) MUST_USE;

/* ---- spool.c ---------------------------------------------------------- */

/*
 * Write list and spool number run->lists with every object that is not signed
 * and every act, and journal it.  Objects taken from an earlier list stand in
 * the new one too.
 */
int spool_write(struct run *run) MUST_USE;

/* Show the list to the room, every line of it or -1. */
int spool_show(const struct run *run) MUST_USE;

/* Show all that there is about line `item` of the list (from 1). */
int spool_show_item(const struct run *run, size_t item) MUST_USE;

/* How many lines it has. */
size_t spool_items(const struct run *run);

/* ---- spool-load.c ----------------------------------------------------- */

/*
 * `len` octets of the spool `fd` from `offset` on, into a tbs that has kind and
 * alg, with their SHA-256: of CRLs and OCSP responses in the file, of anything
 * else in memory.  *ret_there is false where the spool does not have them.
 */
int spool_cut(int fd, uint64_t offset, uint64_t len, struct tbs *tbs,
    bool *ret_there) MUST_USE;

/* Are the acts of this build those of the newest list? */
bool spool_has_acts(const struct run *run, const struct build *build);

/* What the newest list and the journal say of each object of the run. */
int spool_load_earlier(struct run *run) MUST_USE;

/* ---- showing ---------------------------------------------------------- */

/* Lines, each with `indent` before it; NULL is -1. */
int room_lines(
    const struct room *room, const char *indent, const char *text) MUST_USE;

/* What built_lint_text() gave, each line as a warning. */
int room_lint(const struct room *room, const char *text) MUST_USE;

/* "label", the digest, and its words, in lines of their own. */
int room_digest(
    const struct room *room, const char *label, const char *sha256) MUST_USE;

/* ---- approve.c -------------------------------------------------------- */

/*
 * The room's receipt, where it brought one: the journal must have grown from
 * it.
 */
int approve_check_receipt(
    struct authority *authority, const struct room *room) MUST_USE;

/*
 * The valid approvals in `dirfd`, where `plan` is kept, and those that
 * operators in the room give until there are as many as the set wants.
 * CA_R_QUORUM says who approved and how many are missing.
 */
int approve_collect(struct authority *authority, struct plan *plan, int dirfd,
    struct operators *operators, struct findings *findings,
    struct statements *ret_approvals) MUST_USE;

/* ---- left-out.c ------------------------------------------------------- */

/*
 * The requests that certificates steps have left out, and why: for the room, and
 * in full in the file left-out-N beside list N.  They stand in the lint report,
 * too, which the list binds.  Nothing to do where there are none.
 */
int left_out_show(const struct run *run) MUST_USE;

/* ---- confirm.c -------------------------------------------------------- */

/*
 * The newest list, confirmed by M operators and journalled, or -1.  *ret_no:
 * somebody said no.
 */
int confirm_list(struct run *run, bool *ret_no) MUST_USE;

/*
 * What a confirmation is a signature over: the exact octets of list-N, whose
 * files begin with `prefix`.
 */
void confirmation_of(const unsigned char *list, size_t len, const char *prefix,
    struct statement_kind *ret_kind);

/* ---- lint.c ----------------------------------------------------------- */

/*
 * Read the outside linters, once for the whole run; CA_R_POLICY where one is not
 * what authority.yaml says.
 */
int lint_open(struct run *run) MUST_USE;

/*
 * Let the outside linters look at everything that is to be signed, with a
 * constant for its signature; what they say is added to the run's findings.
 * run->lint_report is then what the list's entry keeps as evidence.
 */
int lint_before(struct run *run) MUST_USE;

/* A signed object: in memory, or where it is large, in a file. */
struct lint_signed {
	struct der der;
	const struct tbs_file *file; /* NULL: in memory */
	uint64_t len;                /* in the file */
	bool own;                    /* by the program's own lints, too */
};

/*
 * The program's lints and the outside linters over a signed object.  CA_R_VERIFY
 * where one refuses it.  *ret_report: JSON for the evidence, also then, or NULL
 * where the list's report says it all.  Behind lint_open() on any thread.
 */
int lint_after(struct run *run, const struct built_object *object,
    const struct lint_signed *object_signed, char **ret_report) MUST_USE;

/*
 * The same for a response of a batch.  The program's own lints saw each before
 * it was signed, with a constant for its signature; as whoever calls this has
 * compared every other octet, they look again at the `first` of a window only.
 * Outside linters see all.
 */
int lint_response(struct run *run, const struct built_batch *batch,
    struct der der, bool first) MUST_USE;

/* ---- sign.c ----------------------------------------------------------- */

/*
 * Sign everything in the list that is not signed, in windows: intents
 * committed, C_Sign, verification, results committed.
 */
int sign_all(struct run *run) MUST_USE;

/* Intents without results: spend their serials and numbers. */
int sign_settle_intents(struct run *run) MUST_USE;

/*
 * Would the journal take every act and intent?  Appended, and rolled back: what
 * it refuses must be known before the run has done anything.
 */
int sign_rehearse(struct run *run) MUST_USE;

/* ---- publish.c -------------------------------------------------------- */

/*
 * Is there space for all that is to be signed and published?  Before the first
 * signature: what is signed and cannot be published lies there, valid.
 */
int publish_space(struct run *run) MUST_USE;

/* Write the files of all that the run signed or took in, and close it. */
int publish_and_close(struct run *run, const char *outcome) MUST_USE;

/* The checkpoint and the receipt of a run whose close is journalled. */
int publish_receipt(struct run *run) MUST_USE;

/* The same, and its files, for a run that was cut off after its close. */
int publish_again(struct run *run) MUST_USE;

/* ---- transcript.c ----------------------------------------------------- */

/* Write transcript.txt; its SHA-256 in hex goes into the close entry. */
int transcript_write(struct run *run, char ret_sha256[HASH_HEX_SIZE]) MUST_USE;

#endif
