/*
 * TLS server certificates: the checks of leaf-subject.c and precert.c, which
 * stand in leaf.c's table.
 */
#ifndef CA_LINT_LEAF_PRIVATE_H
#define CA_LINT_LEAF_PRIVATE_H

#include "profiles/lint/lint-private.h"

/* The reserved policies of BR 7.1.6.1. */
#define POLICY_DV "2.23.140.1.2.1"
#define POLICY_OV "2.23.140.1.2.2"
#define POLICY_IV "2.23.140.1.2.3"
#define POLICY_EV "2.23.140.1.1"
#define OID_PRECERT_SIGNING "1.3.6.1.4.1.11129.2.4.4"

/* LEAF-DV-SUBJECT and so on; LEAF-NO-OU, LEAF-CN-SAN, LEAF-META */
void leaf_check_dv(struct lint_run *run);
void leaf_check_ov(struct lint_run *run);
void leaf_check_iv(struct lint_run *run);
void leaf_check_ev(struct lint_run *run);
void leaf_check_no_ou(struct lint_run *run);
void leaf_check_common_name(struct lint_run *run);
void leaf_check_metadata(struct lint_run *run);

/* LEAF-SCT, PRE-POISON, PRE-MATCH, PRE-DIRECT */
void precert_check_scts(struct lint_run *run);
void precert_check_poison(struct lint_run *run);
void precert_check_match(struct lint_run *run);
void precert_check_direct(struct lint_run *run);

#endif
