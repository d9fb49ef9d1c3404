#include "ca-tool/command.h"

#include <limits.h>
#include <string.h>

#include "base/error.h"
#include "base/secret.h"
#include "ca-tool/interrupt.h"
#include "ca-tool/print.h"
#include "ca-tool/session.h"

/* An enum is an int, and has no room for so many bits. */
#define TAKES_CHAT                                            \
	(OPTION_BIT(OPT_VERBOSE) | OPTION_BIT(OPT_NO_COLOR) | \
	    OPTION_BIT(OPT_HELP))
#define TAKES_REPORT (TAKES_CHAT | OPTION_BIT(OPT_JSON))
#define TAKES_AUTHORITY (TAKES_REPORT | OPTION_BIT(OPT_AUTHORITY))
#define TAKES_PEOPLE (OPTION_BIT(OPT_OPERATOR) | OPTION_BIT(OPT_PASSPHRASE_FD))
#define TAKES_TOKEN (TAKES_AUTHORITY | TAKES_PEOPLE | OPTION_BIT(OPT_PIN_FD))

static const struct command command_table[] = {
	{ "init", cmd_init, "DIR", 1, 1,
	    TAKES_REPORT | OPTION_BIT(OPT_ID) | OPTION_BIT(OPT_TITLE) |
		OPTION_BIT(OPT_MODULE) | OPTION_BIT(OPT_TOKEN) |
		OPTION_BIT(OPT_TOKEN_SERIAL) | OPTION_BIT(OPT_CRL_URL) |
		OPTION_BIT(OPT_CA_ISSUERS_URL) | OPTION_BIT(OPT_OCSP_URL) |
		TAKES_PEOPLE | OPTION_BIT(OPT_OPERATORS) |
		OPTION_BIT(OPT_LOGIN) | OPTION_BIT(OPT_PIN_FORMAT) |
		OPTION_BIT(OPT_PIN_LENGTH) | OPTION_BIT(OPT_ALLOW_SHORT_PIN) |
		OPTION_BIT(OPT_UNATTENDED) | OPTION_BIT(OPT_PROFILES) |
		OPTION_BIT(OPT_PIN_FD) | OPTION_BIT(OPT_SO_PIN_FD),
	    "make an authority: its operators, token and journal",
	    "Shares a secret among the operators whom the set file names "
	    "(--operators): each opens and checks a share and signs for it. "
	    "Then a blank token is initialised, never one that holds "
	    "something, with PINs that the secret gives; the journal is "
	    "opened; last, all operators sign the anchor, public/anchor/, "
	    "which auditors keep. --id and --operators are needed. An init "
	    "that was cut off goes on when it is given again with the same "
	    "options.\n"
	    "Operators who take part are named with --operator NAME=KEY, or "
	    "asked for. KEY is file:PATH or a pkcs11: URI.\n"
	    "With --login prompt the two PINs are chosen and typed: the SO "
	    "PIN first, then the user PIN. With adopted or protected-path the "
	    "token was initialised by its maker's tool." },
	{ "operator new", cmd_operator_new, "NAME", 1, 1,
	    TAKES_REPORT | OPTION_BIT(OPT_TYPE) | OPTION_BIT(OPT_CARD) |
		OPTION_BIT(OPT_SIGN_ONLY) | OPTION_BIT(OPT_PASSPHRASE_FD),
	    "make an operator's two keys and their certificates",
	    "In the working directory: NAME.key with a key to sign and a key "
	    "to decrypt, under a passphrase, and their certificates "
	    "NAME.sign.crt and NAME.decrypt.crt. With --card the keys are "
	    "made on the card and never leave it. Whoever prepares the "
	    "ceremony needs the certificates alone.\n"
	    "Keep the key file and the passphrase apart. There is no other "
	    "way to your share." },
	{ "share check", cmd_share_check, "NAME", 1, 1,
	    TAKES_AUTHORITY | TAKES_PEOPLE | OPTION_BIT(OPT_SET),
	    "test that an operator's share opens and is whole",
	    "Needs no token and nobody else: opens the share of NAME, checks "
	    "it against the commitments and the set, and forgets it. An "
	    "operator can do this on any day, on a copy of the authority's "
	    "directory." },
	{ "plan new", cmd_plan_new, "[KIND [NAME]]", 0, 2,
	    TAKES_AUTHORITY | OPTION_BIT(OPT_OUT) | OPTION_BIT(OPT_LIST),
	    "write the plan for a common job, with today's values",
	    "Needs no token. Reads the journal and the profiles, and writes a "
	    "plan with comments for the person who reads it aloud, to the "
	    "terminal or to --out. What only people know stands in it as "
	    "<what it is>: plan check refuses the plan until that is filled "
	    "in.\n"
	    "NAME says what it is about: an issuer, a new CA, a key. Where it "
	    "is left out, the only one there is, or all of them, are taken. "
	    "--list shows every KIND, and what its NAME is." },
	{ "plan check", cmd_plan_check, "PLAN", 1, 1, TAKES_AUTHORITY,
	    "find everything that is wrong with a plan, and keep it",
	    "Needs no token. Reads the plan and every file that it names, "
	    "checks all of it, and lists all that is wrong at once. A plan "
	    "without errors is copied, with its inputs, to ceremonies/ in the "
	    "authority: run that copy, and nothing can be swapped in "
	    "between." },
	{ "plan show", cmd_plan_show, "PLAN", 1, 1, TAKES_AUTHORITY,
	    "say in plain words what a plan would do",
	    "Needs no token and writes nothing. Shows each step as a "
	    "sentence, and a preview of each object that would be signed. "
	    "PLAN is a file, or the directory where plan check kept it." },
	{ "plan approve", cmd_plan_approve, "PLAN", 1, 1,
	    TAKES_AUTHORITY | TAKES_PEOPLE | OPTION_BIT(OPT_RECEIPT) |
		OPTION_BIT(OPT_YES),
	    "sign a plan as an operator, before it is run",
	    "Needs no token. Shows the plan in plain words with digests to be "
	    "read aloud; each operator who takes part signs its manifest: the "
	    "SHA-256 of every input. Any change voids approvals. PLAN is a "
	    "file, or the directory where plan check kept it." },
	{ "plan status", cmd_plan_status, "PLAN", 1, 1, TAKES_AUTHORITY,
	    "say who has approved a plan, and what is missing",
	    "Needs no token and writes nothing. Also names approvals of the "
	    "same plan that became void, and what was changed." },
	{ "plan run", cmd_plan_run, "[PLAN]", 0, 1,
	    TAKES_TOKEN | OPTION_BIT(OPT_RESUME) | OPTION_BIT(OPT_YES) |
		OPTION_BIT(OPT_RECEIPT) | OPTION_BIT(OPT_CLOCK) |
		OPTION_BIT(OPT_CSR),
	    "do what a plan says, or go on with a run that was cut off",
	    "Checks the plan again, collects the approvals that are missing, "
	    "takes the operators' shares, makes keys, builds every object and "
	    "shows the list. Operators look at any object of it, and sign the "
	    "list; then all of it is signed, verified and published. Nothing "
	    "is signed before everything is known to be good. A plan runs "
	    "once.\n"
	    "Ctrl-C stops between two objects. A run that was cut off goes on "
	    "with: ca-tool plan run --resume" },
	{ "plan confirm", cmd_plan_confirm, "DIR", 1, 1,
	    TAKES_REPORT | TAKES_PEOPLE | OPTION_BIT(OPT_QUORUM) |
		OPTION_BIT(OPT_YES),
	    "look at a list and sign it, on a second machine",
	    "Needs no token, journal or authority. DIR is a copy of a "
	    "ceremony's directory, whose run waits for confirmations; "
	    "--quorum is a copy of quorum/SETID. Every object is decoded from "
	    "the bytes that will be signed. Signatures go to DIR/confirmations: "
	    "copy them back, and go on with plan run --resume." },
	{ "profile show", cmd_profile_show, "PROFILE", 1, 1, TAKES_AUTHORITY,
	    "say in plain words what a profile lets be signed",
	    "Needs no token. PROFILE is a file, or the name of a profile of "
	    "the authority, or of one that came with this program. Warnings of "
	    "its ruleset, and findings that it acknowledges, are shown too." },
	{ "profile check", cmd_profile_check, "FILE...", 1, UINT_MAX,
	    TAKES_REPORT, "find everything that is wrong with profiles",
	    "Needs neither an authority nor a token. Compiles each file as "
	    "init does, and lists all that is wrong with it, each with its "
	    "place, the rule and its source. With errors, the exit status is "
	    "3." },
	{ "profile diff", cmd_profile_diff, "PROFILE PROFILE", 2, 2,
	    TAKES_AUTHORITY, "say in what two profiles differ",
	    "Needs no token. Each PROFILE is a file or a name, as for profile "
	    "show. What both say alike is left out; comments and the order of "
	    "keys in the file do not count. The exit status is 0 whether they "
	    "differ or not." },
	{ "ca list", cmd_ca_list, "", 0, 0, TAKES_AUTHORITY,
	    "list the CAs: their states, what they issued, what is due",
	    "Needs no token. For each CA, that is for each key of purpose "
	    "'ca': active, retiring (signs only CRLs and what OCSP needs), "
	    "retired (signs nothing) or destroyed; its certificates and when "
	    "they end; how many certificates it issued, are in force, and are "
	    "revoked; its newest CRLs; and what is to be done." },
	{ "key list", cmd_key_list, "", 0, 0, TAKES_TOKEN,
	    "list the keys, and whether the token calls them fit for use",
	    "Logs in to the token and compares it with the journal. With -v "
	    "or --json, what the token says of each key is shown: that is the "
	    "module's own statement, not a proof. A key with a fault makes "
	    "the exit status 4." },
	{ "journal show", cmd_journal_show, "[N]", 0, 1,
	    TAKES_AUTHORITY | OPTION_BIT(OPT_KIND) | OPTION_BIT(OPT_FROM) |
		OPTION_BIT(OPT_LAST) | OPTION_BIT(OPT_SINCE) |
		OPTION_BIT(OPT_UNTIL) | OPTION_BIT(OPT_SERIAL) |
		OPTION_BIT(OPT_PLAN),
	    "print what was done: the entries of the journal",
	    "Needs no token. One entry a line: number, time, kind, a sentence, "
	    "and who made it. Filters can be combined; --last counts what they "
	    "leave. With N, one entry in full. With --json, the exact bytes of "
	    "each entry, as they are hashed.\n"
	    "--plan shows the run of a plan, with its logins and the "
	    "checkpoint that covers it; --serial what became of a "
	    "certificate." },
	{ "journal verify", cmd_journal_verify, "[DIR]", 0, 1,
	    TAKES_REPORT | OPTION_BIT(OPT_ANCHOR) | OPTION_BIT(OPT_WITNESSES) |
		OPTION_BIT(OPT_WORK),
	    "check again everything that the journal claims",
	    "Needs no token and no secret. DIR is an authority's directory, a "
	    "copy of it, a journal.db by its own name, or an export. It is "
	    "copied first (--work); nothing is written there.\n"
	    "Everything is checked from the bytes: entries, tree, checkpoints, "
	    "heads, approvals and confirmations, keys, certificates, CRLs, "
	    "evidence, published files. All that is wrong is said, each with "
	    "its entry; docs/journal.md explains the ids.\n"
	    "Only --anchor, which you keep outside, says that it is the "
	    "journal of this authority: without it, the exit status is 3 even "
	    "where all fits. It is 3 also where something is wrong. "
	    "--witnesses: cosignatures of these keys must be right." },
	{ "journal prove", cmd_journal_prove, "", 0, 0,
	    TAKES_AUTHORITY | OPTION_BIT(OPT_ENTRY) | OPTION_BIT(OPT_OBJECT) |
		OPTION_BIT(OPT_OLD) | OPTION_BIT(OPT_CHECKPOINT) |
		OPTION_BIT(OPT_OUT),
	    "prove that something is in the journal, or that it only grew",
	    "Needs the journal alone. With --object, that this certificate, "
	    "CRL or request is in the journal; with --entry, an entry; the "
	    "proof has the entry in it. With --old, that the journal grew "
	    "from an older checkpoint, or from its first N entries: what "
	    "witnesses ask for. The proof leads to a checkpoint, which must "
	    "be this journal's: that in public/journal, or --checkpoint. "
	    "Whoever gets it checks it with 'journal check'. It goes to --out, "
	    "or to standard output." },
	{ "journal check", cmd_journal_check, "PROOF", 1, 1,
	    TAKES_REPORT | OPTION_BIT(OPT_ANCHOR) | OPTION_BIT(OPT_OBJECT) |
		OPTION_BIT(OPT_OLD) | OPTION_BIT(OPT_CHECKPOINT) |
		OPTION_BIT(OPT_WITNESSES),
	    "check a proof, or a receipt, without the journal",
	    "Needs no authority: this is for whoever holds a certificate and "
	    "the anchor. PROOF is what 'journal prove' wrote, a .tlog-proof "
	    "that was published, or a checkpoint that was taken home. The "
	    "signature is checked with the key beside --anchor; without it "
	    "nothing is proved, and the exit status is 3. With --object, the "
	    "entry must be about this very file.\n"
	    "--checkpoint: one that you trust; it must be the same. --old: "
	    "the older one, for the proof that a journal grew. --witnesses: "
	    "each of them must have cosigned." },
	{ "journal export", cmd_journal_export, "DIR", 1, 1, TAKES_AUTHORITY,
	    "write the journal as files that auditors can take away",
	    "Needs no token. Everything below the newest checkpoint goes to "
	    "DIR, outside of the authority: entries and hashes as "
	    "transparency logs publish them (C2SP tlog-tiles), evidence, "
	    "checkpoints, and a copy of public/. Given again, later, only "
	    "what is new is written; what is there and equal stays, what "
	    "differs is refused. An export that was cut off goes on when it "
	    "is repeated. 'journal verify DIR' checks it." },
	{ "journal cosign", cmd_journal_cosign, "FILE", 1, 1,
	    TAKES_REPORT | OPTION_BIT(OPT_KEY) | OPTION_BIT(OPT_NAME) |
		OPTION_BIT(OPT_STATE) | OPTION_BIT(OPT_ANCHOR) |
		OPTION_BIT(OPT_PASSPHRASE_FD) | OPTION_BIT(OPT_OUT),
	    "sign as a witness that a checkpoint grew from the last one",
	    "Needs neither the authority nor its token: a witness does this on "
	    "a machine of their own. FILE is what 'journal prove --old' wrote, "
	    "or for the first time the checkpoint itself. The journal's "
	    "signature is checked with the key beside the anchor, and what "
	    "FILE proves with what this witness saw last, which --state "
	    "keeps; a journal that was rolled back or forked is refused. Only "
	    "when the new state is on disk, the checkpoint is signed. It goes "
	    "to --out, or to standard output.\n"
	    "--key, --name, --state and --anchor are needed. The key is "
	    "Ed25519: openssl genpkey -algorithm ed25519 -aes256 -out FILE. "
	    "Its passphrase is asked for, or read with --passphrase-fd NAME=N, "
	    "where NAME is what stands behind the last slash of --name." },
	{ "journal event", cmd_journal_event, "FILE", 1, 1,
	    TAKES_AUTHORITY | TAKES_PEOPLE | OPTION_BIT(OPT_YES),
	    "enter what happened outside of a run, signed by a person",
	    "Needs no token and nobody else: copies of a token, HSMs that "
	    "come, move and go, people, deviations. FILE says what happened "
	    "(see ca-tool-event(5)); one operator or witness, named with "
	    "--operator or asked for, looks at it and signs. It can be done "
	    "between ceremonies, and while a run waits to be resumed." },
	{ "journal reindex", cmd_journal_reindex, "", 0, 0, TAKES_AUTHORITY,
	    "make all tables anew that are derived from the entries",
	    "Needs the journal alone. Checks each entry and each hash of the "
	    "tree, then derives every other table from the entries, and says "
	    "which rows were not as they should be. Entries that are damaged, "
	    "or contradict each other, are refused, and nothing is changed: "
	    "put a backup in their place." },
	{ "crl diff", cmd_crl_diff, "OLD NEW", 2, 2, TAKES_REPORT,
	    "show in full what changed from one CRL to another",
	    "Needs no token and no authority. OLD and NEW are CRLs of one "
	    "issuer and one scope, in DER or PEM. A line for each entry that "
	    "is new, gone or changed, by serial number, and how many there "
	    "are. Their signatures are not looked at: see ca-tool lint." },
	{ "crl forecast", cmd_crl_forecast, "ISSUER [CRL...]", 1, UINT_MAX,
	    TAKES_AUTHORITY | OPTION_BIT(OPT_BUDGET),
	    "say when an issuer's CRL grows too large, and what then",
	    "Needs no token. Shows how large the CRL is today, by partition, "
	    "how it grows, on which day it crosses the budget of bytes, and by "
	    "when a successor must have taken over so that it never does: that "
	    "day less the life of the longest-lived certificate. Growth is "
	    "read from the journal, or, where older CRLs of the issuer are "
	    "given as files, from these.\n"
	    "--budget is in bytes, or such as 500kB or 2MB. What follows from "
	    "the answer is: ca-tool plan new rollover ISSUER" },
	{ "lint", cmd_lint, "[FILE...]", 0, UINT_MAX,
	    TAKES_REPORT | OPTION_BIT(OPT_ISSUER) | OPTION_BIT(OPT_PREVIOUS) |
		OPTION_BIT(OPT_EXISTING) | OPTION_BIT(OPT_RULESET) |
		OPTION_BIT(OPT_KIND) | OPTION_BIT(OPT_AT) |
		OPTION_BIT(OPT_BLOCKLIST) | OPTION_BIT(OPT_SIGNING) |
		OPTION_BIT(OPT_LIST),
	    "check certificates, CRLs, OCSP responses and requests",
	    "Needs neither an authority nor a token. FILE is DER or PEM, also "
	    "with many blocks, a directory with all below it, or - for "
	    "standard input. Everything that breaks a rule of RFC 5280, the "
	    "CA/Browser Forum or a root programme is listed with the octet and "
	    "the clause. With errors, the exit status is 3.\n"
	    "--ruleset: rfc5280, private, cabf-tls, cabf-smime or cabf-cs, "
	    "also several with commas; otherwise, what the policies of a "
	    "certificate claim. --kind says what an object is, such as root, "
	    "leaf or crl-ca, where its octets do not. --issuer: where several "
	    "certificates are given, each object is held to the one whose "
	    "name and key identifier it states. --signing makes warnings "
	    "errors. --list shows every rule that is checked." },
	{ "version", cmd_version, "", 0, 0,
	    TAKES_AUTHORITY | OPTION_BIT(OPT_MODULE),
	    "versions of the program, libraries and the PKCS#11 module",
	    "The SHA-256 of the program is what the journal records at each "
	    "login. The module is shown with -d or --module." },
	{ "help", cmd_help, "[COMMAND]", 0, 2,
	    TAKES_CHAT | OPTION_BIT(OPT_LIST),
	    "explain ca-tool, or one of its commands", "" },
};
enum { COMMANDS = sizeof(command_table) / sizeof(command_table[0]) };

const struct command *
command_at(size_t i)
{
	return i < COMMANDS ? &command_table[i] : NULL;
}

/* How many of the words are this command's name; 0: another command. */
static int
words_match(const struct command *command, int count, char **words)
{
	const char *rest = command->name;
	int used = 0;

	while (*rest != '\0') {
		size_t len = strcspn(rest, " ");

		if (used == count || strlen(words[used]) != len ||
		    memcmp(words[used], rest, len) != 0)
			return 0;
		rest += len;
		rest += strspn(rest, " ");
		used++;
	}
	return used;
}

bool
command_is_group(const char *word)
{
	size_t len = strlen(word);

	for (size_t i = 0; i < COMMANDS; i++)
		if (strncmp(command_table[i].name, word, len) == 0 &&
		    command_table[i].name[len] == ' ')
			return len > 0;
	return false;
}

static size_t
min3(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

enum { WORD_MAX = 40 };

/* Levenshtein's distance; what is longer than a command's name is far away. */
static size_t
distance(const char *a, const char *b)
{
	size_t row[WORD_MAX + 1], m = strlen(a), n = strlen(b);

	if (m > WORD_MAX || n > WORD_MAX)
		return WORD_MAX;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; i <= m; i++) {
		size_t corner = row[0];

		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t cost = a[i - 1] == b[j - 1] ? 0 : 1;
			size_t best =
			    min3(row[j] + 1, row[j - 1] + 1, corner + cost);

			corner = row[j];
			row[j] = best;
		}
	}
	return row[n];
}

/* The command that was meant, or NULL where none is near. */
static const char *
nearest(const char *typed)
{
	const char *best = NULL;
	size_t best_distance = 3;

	for (size_t i = 0; i < COMMANDS; i++) {
		size_t d = distance(typed, command_table[i].name);

		if (d < best_distance && d < strlen(typed)) {
			best_distance = d;
			best = command_table[i].name;
		}
	}
	return best;
}

/* "plan chekc": the two words where the first is a group's, else the first. */
static int
refuse_words(int count, char **words)
{
	char typed[2 * WORD_MAX + 2];
	bool group = command_is_group(words[0]);
	const char *meant;

	if (group && count < 2)
		return ca_error(CA_R_USAGE,
		    "'%s' needs one more word; 'ca-tool %s --help' lists its "
		    "commands",
		    words[0], words[0]);
	(void)snprintf(typed, sizeof(typed), "%.*s%s%.*s", WORD_MAX, words[0],
	    count > 1 ? " " : "", WORD_MAX, count > 1 ? words[1] : "");
	meant = nearest(typed);
	if (meant == NULL)
		meant = nearest(words[0]);
	if (meant == NULL)
		return ca_error(CA_R_USAGE,
		    "unknown command '%s'; 'ca-tool %s%s--help' lists those "
		    "there are",
		    group ? typed : words[0], group ? words[0] : "",
		    group ? " " : "");
	return ca_error(CA_R_USAGE, "unknown command '%s'; did you mean '%s'?",
	    group ? typed : words[0], meant);
}

int
command_find(
    int count, char **words, const struct command **ret_command, int *ret_used)
{
	if (count == 0)
		return ca_error(CA_R_USAGE,
		    "a command is missing; 'ca-tool --help' lists them");
	if (words[0][0] == '-')
		return ca_error(CA_R_USAGE,
		    "'%s' stands before the command; options come behind it",
		    words[0]);
	for (size_t i = 0; i < COMMANDS; i++) {
		int used = words_match(&command_table[i], count, words);

		if (used > 0) {
			*ret_command = &command_table[i];
			*ret_used = used;
			return 0;
		}
	}
	return refuse_words(count, words);
}

/* ---- help ------------------------------------------------------------- */

/* Does the name begin with `group` and a blank?  NULL: all do. */
static bool
is_in_group(const struct command *command, const char *group)
{
	size_t len = group != NULL ? strlen(group) : 0;

	return group == NULL ||
	    (strncmp(command->name, group, len) == 0 &&
		command->name[len] == ' ');
}

static void
list_commands(const char *group, FILE *out)
{
	size_t width = 0;

	for (size_t i = 0; i < COMMANDS; i++)
		if (is_in_group(&command_table[i], group) &&
		    strlen(command_table[i].name) > width)
			width = strlen(command_table[i].name);
	for (size_t i = 0; i < COMMANDS; i++)
		if (is_in_group(&command_table[i], group))
			fprintf(out, "  %-*s  %s\n", (int)width,
			    command_table[i].name, command_table[i].summary);
}

static void
help_all(FILE *out)
{
	fputs("ca-tool runs an offline root or issuing CA. Its keys live in "
	      "an HSM and never\n"
	      "leave it. Nothing is signed except by running a plan.\n\n"
	      "Usage: ca-tool COMMAND [OPTION...]\n\n",
	    out);
	list_commands(NULL, out);
	fputs("\n'ca-tool COMMAND --help' explains a command; 'man ca-tool' "
	      "all of them.\n"
	      "\nExit status: 0 done, 1 failed, 2 wrong arguments, 3 refused, "
	      "4 token or PIN.\n",
	    out);
}

static void
help_group(const char *group, FILE *out)
{
	fprintf(out, "Usage: ca-tool %s COMMAND [OPTION...]\n\n", group);
	list_commands(group, out);
	fprintf(out, "\n'ca-tool %s COMMAND --help' explains one of them.\n",
	    group);
}

static int
help_command(const struct command *command, FILE *out)
{
	fprintf(out, "ca-tool %s: ", command->name);
	print_wrapped(out, strlen(command->name) + 10, 4, command->summary);
	fputs("\n", out);
	if (options_print_help(command, out) != 0)
		return -1;
	if (command->help[0] != '\0') {
		fputs("\n", out);
		print_wrapped(out, 0, 0, command->help);
	}
	return 0;
}

int
command_help(int count, char **words, FILE *out)
{
	const struct command *command;
	int used;

	if (count == 0) {
		help_all(out);
		return 0;
	}
	if (count == 1 && command_is_group(words[0])) {
		help_group(words[0], out);
		return 0;
	}
	if (command_find(count, words, &command, &used) != 0)
		return -1;
	if (used < count)
		return ca_error(CA_R_USAGE,
		    "'%s' is one word too many; try 'ca-tool %s --help'",
		    words[used], command->name);
	return help_command(command, out);
}

/* ---- dispatch --------------------------------------------------------- */

static bool
is_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static int
run_words(int count, char **words, struct session *session)
{
	const struct command *command;
	int used;

	if (count > 0 && strcmp(words[0], "--version") == 0)
		words[0] += strlen("--"); /* the command of that name */
	if (count == 1 && is_help(words[0]))
		return command_help(0, words, stdout);
	if (count == 2 && is_help(words[1]) && command_is_group(words[0]))
		return command_help(1, words, stdout);
	if (command_find(count, words, &command, &used) != 0)
		return -1;
	if (options_parse(
		command, count - used, words + used, &session->options) != 0)
		return -1;
	if (session->options.given[OPT_HELP])
		return help_command(command, stdout);
	return command->run(session);
}

int
command_main(int argc, char **argv)
{
	AUTO_STRUCT(session) session = { 0 };
	int ret;

	if (process_harden() != 0)
		return print_outcome(&session, -1);
	interrupt_install();
	ret = run_words(argc > 0 ? argc - 1 : 0, argv + 1, &session);
	return print_outcome(&session, ret);
}
