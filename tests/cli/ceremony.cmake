# Ceremonies on real tokens: refusals, swaps, resumes, faults.
foreach(name check revoke resume adopt keys rules leaves faults)
  ca_cli_test(ceremony-${name}
    ${BATS} ${CMAKE_CURRENT_SOURCE_DIR}/ceremony-${name}.bats)
endforeach()

# Batches: certificates for the requests of a directory or a bundle.
ca_cli_test(certificates ${BATS} ${CMAKE_CURRENT_SOURCE_DIR}/certificates.bats)

# Revocations by query and list, upgrades, what was issued elsewhere.
ca_cli_test(revocation ${BATS} ${CMAKE_CURRENT_SOURCE_DIR}/revocation.bats)
# What they need behind them: CRLs that can say it, OCSP responses that agree.
ca_cli_test(revoke-after ${BATS} ${CMAKE_CURRENT_SOURCE_DIR}/revoke-after.bats)

# CRLs: sessions, partitions, the last one.
ca_cli_test(crl ${BATS} ${CMAKE_CURRENT_SOURCE_DIR}/crl.bats)
# Whom they are about, and what is due of them.
ca_cli_test(crl-scope ${BATS} ${CMAKE_CURRENT_SOURCE_DIR}/crl-scope.bats)

# OCSP responses: a session, refusals, a cut.
ca_cli_test(ocsp ${BATS} ${CMAKE_CURRENT_SOURCE_DIR}/ocsp.bats)
ca_cli_test(batch-run ${BATS} ${CMAKE_CURRENT_SOURCE_DIR}/batch-run.bats)

# Two of three operators: who can do what; what is forged; ways out; linters;
# and what went wrong elsewhere.
foreach(name quorum card reshare ways-out lint-ceremony incidents)
  ca_cli_test(${name} ${BATS} ${CMAKE_CURRENT_SOURCE_DIR}/${name}.bats)
endforeach()
# Skipped (77) where it is not root's: it reads another process's memory.
ca_cli_test(secrets ${Python3_EXECUTABLE}
  ${CMAKE_CURRENT_SOURCE_DIR}/secrets.py $<TARGET_FILE:ca-tool>)
set_tests_properties(cli.secrets PROPERTIES SKIP_RETURN_CODE 77)

# Plans that are written for people, and how CRLs grow.
foreach(name plan-new plan-new-run crl-forecast)
  ca_cli_test(${name} ${BATS} ${CMAKE_CURRENT_SOURCE_DIR}/${name}.bats)
endforeach()

# The journal: its commands, its head on the token, a second clock.
foreach(name clock cosign event export head objects prove reindex show verify)
  ca_cli_test(journal-${name}
    ${BATS} ${CMAKE_CURRENT_SOURCE_DIR}/journal-${name}.bats)
endforeach()
