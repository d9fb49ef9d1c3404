# Ceremonies on real tokens: refusals, swaps, resumes, faults.
foreach(name check revoke resume adopt keys rules faults)
  ca_cli_test(ceremony-${name}
    ${BATS} ${CMAKE_CURRENT_SOURCE_DIR}/ceremony-${name}.bats)
  set_tests_properties(cli.ceremony-${name} PROPERTIES TIMEOUT 1200)
endforeach()
