# What every target of ours is compiled with.
add_library(ca_warnings INTERFACE)
target_compile_options(ca_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes
  -Wmissing-prototypes -Wwrite-strings -Wcast-qual -Wvla -Wundef -Wformat=2
  -fno-common -fstack-protector-strong
  # no path of the building machine in messages
  -fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=
  $<$<BOOL:${CA_TOOL_WERROR}>:-Werror>)
target_compile_definitions(ca_warnings INTERFACE _GNU_SOURCE)
target_include_directories(ca_warnings INTERFACE ${PROJECT_SOURCE_DIR})
if(CA_TOOL_SANITIZE)
  target_compile_options(ca_warnings INTERFACE
    -fsanitize=${CA_TOOL_SANITIZE} -fno-sanitize-recover=all
    -fno-omit-frame-pointer)
  target_link_options(ca_warnings INTERFACE -fsanitize=${CA_TOOL_SANITIZE})
else()
  target_compile_options(ca_warnings INTERFACE
    $<$<CONFIG:Release,RelWithDebInfo>:-U_FORTIFY_SOURCE>
    $<$<CONFIG:Release,RelWithDebInfo>:-D_FORTIFY_SOURCE=2>)
  target_link_options(ca_warnings INTERFACE -Wl,-z,relro,-z,now)
endif()

# The deprecated API of OpenSSL is out of reach everywhere but where libp11.h,
# which does not compile without it, is included: pkcs11/ (see there).
add_library(ca_modern_openssl INTERFACE)
target_compile_definitions(ca_modern_openssl INTERFACE OPENSSL_NO_DEPRECATED)

# ca_floor(NAME SOURCES... ): a static library with the rules above.
function(ca_floor name)
  add_library(${name} STATIC ${ARGN})
  # Hidden: a library that we load must never call a function of ours because
  # it has the same name (libyaml and yaml_free).
  set_target_properties(${name} PROPERTIES
    POSITION_INDEPENDENT_CODE ON C_VISIBILITY_PRESET hidden)
  target_link_libraries(${name} PRIVATE ca_warnings)
endfunction()
