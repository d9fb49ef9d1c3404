/* The extension matrix, rules.md 0.4, for the kinds that there are. */
#include "profiles/extension.h"

#define BR(section) "TLS BR, section " section
#define RFC(section) "RFC 5280, section " section

static const struct extension_rule root_rules[EXT_COUNT] = {
	[EXT_BASIC_CONSTRAINTS] = { MARK_MUST, "ROOT-BC", RFC("4.2.1.9"),
	    true },
	[EXT_KEY_USAGE] = { MARK_MUST, "ROOT-KU", RFC("4.2.1.3"), true },
	[EXT_EXTENDED_KEY_USAGE] = { MARK_MUST_NOT, "ROOT-NO-EKU",
	    BR("7.1.2.1.2"), false },
	[EXT_CERTIFICATE_POLICIES] = { MARK_SHOULD_NOT, "ROOT-NO-CP",
	    BR("7.1.2.1.2"), false },
	[EXT_CRL_DISTRIBUTION_POINTS] = { MARK_SHOULD_NOT, "ROOT-NO-CRLDP",
	    BR("7.1.2.11.2"), false },
	[EXT_AUTHORITY_INFORMATION_ACCESS] = { MARK_SHOULD_NOT, "ROOT-NO-OTHER",
	    BR("7.1.2.1.2"), false },
	[EXT_OCSP_NOCHECK] = { MARK_MUST_NOT, "SUB-NO-NOCHECK",
	    "RFC 6960, section 4.2.2.2.1", true },
	[EXT_SUBJECT_KEY_IDENTIFIER] = { MARK_MUST, "ROOT-SKI", RFC("4.2.1.2"),
	    true },
	[EXT_AUTHORITY_KEY_IDENTIFIER] = { MARK_SHOULD, "ROOT-AKI",
	    BR("7.1.2.1.3"), false },
	[EXT_CRL_NUMBER] = { MARK_MUST_NOT, "EXT-OTHER-PUBLIC", RFC("5.2.3"),
	    true },
};

static const struct extension_rule subordinate_rules[EXT_COUNT] = {
	[EXT_BASIC_CONSTRAINTS] = { MARK_MUST, "SUB-BC", RFC("4.2.1.9"), true },
	[EXT_KEY_USAGE] = { MARK_MUST, "SUB-KU", RFC("4.2.1.3"), true },
	[EXT_EXTENDED_KEY_USAGE] = { MARK_SHOULD, "SUB-EKU-PRESENT",
	    BR("7.1.2.10.6"), false },
	[EXT_CERTIFICATE_POLICIES] = { MARK_MAY, "TLSSUB-CP", BR("7.1.2.10.5"),
	    false },
	[EXT_CRL_DISTRIBUTION_POINTS] = { MARK_SHOULD, "SUB-CRLDP",
	    BR("7.1.2.11.2"), false },
	[EXT_AUTHORITY_INFORMATION_ACCESS] = { MARK_SHOULD, "SUB-AIA",
	    BR("7.1.2.10.3"), false },
	[EXT_OCSP_NOCHECK] = { MARK_MUST_NOT, "SUB-NO-NOCHECK",
	    "RFC 6960, section 4.2.2.2.1", true },
	[EXT_SUBJECT_KEY_IDENTIFIER] = { MARK_MUST, "SUB-SKI", RFC("4.2.1.2"),
	    true },
	[EXT_AUTHORITY_KEY_IDENTIFIER] = { MARK_MUST, "SUB-AKI", RFC("4.2.1.1"),
	    true },
	[EXT_CRL_NUMBER] = { MARK_MUST_NOT, "EXT-OTHER-PUBLIC", RFC("5.2.3"),
	    true },
};

static const struct extension_rule responder_rules[EXT_COUNT] = {
	[EXT_BASIC_CONSTRAINTS] = { MARK_MAY, "OCR-BC", BR("7.1.2.8.4"),
	    false },
	[EXT_KEY_USAGE] = { MARK_MUST, "OCR-KU", BR("7.1.2.8.7"), false },
	[EXT_EXTENDED_KEY_USAGE] = { MARK_MUST, "OCR-EKU",
	    "RFC 6960, section 4.2.2.2", true },
	[EXT_CERTIFICATE_POLICIES] = { MARK_SHOULD_NOT, "OCR-NO-CP",
	    BR("7.1.2.8.8"), false },
	[EXT_CRL_DISTRIBUTION_POINTS] = { MARK_MUST_NOT, "OCR-NO-CRLDP",
	    BR("7.1.2.11.2"), false },
	[EXT_AUTHORITY_INFORMATION_ACCESS] = { MARK_SHOULD_NOT, "OCR-NO-AIA",
	    BR("7.1.2.8.3"), false },
	[EXT_OCSP_NOCHECK] = { MARK_MUST, "OCR-NOCHECK", BR("7.1.2.8.6"),
	    false },
	[EXT_SUBJECT_KEY_IDENTIFIER] = { MARK_SHOULD, "OCR-SKI",
	    BR("7.1.2.8.2"), false },
	[EXT_AUTHORITY_KEY_IDENTIFIER] = { MARK_MUST, "OCR-AKI", RFC("4.2.1.1"),
	    true },
	[EXT_CRL_NUMBER] = { MARK_MUST_NOT, "EXT-OTHER-PUBLIC", RFC("5.2.3"),
	    true },
};

#define NOT_IN_CRL                                               \
	{                                                        \
		MARK_MUST_NOT, "CRL-EXT-OTHER", RFC("5.2"), true \
	}

static const struct extension_rule crl_rules[EXT_COUNT] = {
	[EXT_BASIC_CONSTRAINTS] = NOT_IN_CRL,
	[EXT_KEY_USAGE] = NOT_IN_CRL,
	[EXT_EXTENDED_KEY_USAGE] = NOT_IN_CRL,
	[EXT_CERTIFICATE_POLICIES] = NOT_IN_CRL,
	[EXT_CRL_DISTRIBUTION_POINTS] = NOT_IN_CRL,
	[EXT_AUTHORITY_INFORMATION_ACCESS] = NOT_IN_CRL,
	[EXT_OCSP_NOCHECK] = NOT_IN_CRL,
	[EXT_SUBJECT_KEY_IDENTIFIER] = NOT_IN_CRL,
	[EXT_AUTHORITY_KEY_IDENTIFIER] = { MARK_MUST, "CRL-AKI", RFC("5.2.1"),
	    true },
	[EXT_CRL_NUMBER] = { MARK_MUST, "CRL-NUMBER", RFC("5.2.3"), true },
};

const struct extension_rule *
extension_rule(enum profile_kind kind, enum extension_id id)
{
	static const struct extension_rule *const by_kind[] = {
		[PROFILE_ROOT] = root_rules,
		[PROFILE_SUBORDINATE] = subordinate_rules,
		[PROFILE_OCSP_RESPONDER] = responder_rules,
		[PROFILE_CRL] = crl_rules,
	};

	return &by_kind[kind][id];
}
