# The warnings of our own programs: never part of what a user of the library gets.
add_library(tapegrad_warnings INTERFACE)
target_compile_options(tapegrad_warnings INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow)

# Each new compiler brings new warnings, and a stranger's first build should not stop at one:
# they are errors only with the compilers that we test with.
string(REGEX MATCH "^[0-9]+" major "${CMAKE_CXX_COMPILER_VERSION}")
if("${CMAKE_CXX_COMPILER_ID} ${major}" MATCHES "^(GNU 12|Clang 14)$")
  set(tested ON)
else()
  set(tested OFF)
endif()
option(TAPEGRAD_WERROR "Make warnings errors in tests, examples and benchmarks" ${tested})
if(TAPEGRAD_WERROR)
  target_compile_options(tapegrad_warnings INTERFACE -Werror)
endif()
