# cmake -DEXPECT=REGEX -P must_fail.cmake -- COMMAND...
# Succeeds where COMMAND fails and what it says matches REGEX.
set(command)
set(seen_dashes FALSE)
math(EXPR last "${CMAKE_ARGC} - 1")
foreach(i RANGE ${last})
  if(seen_dashes)
    list(APPEND command "${CMAKE_ARGV${i}}")
  elseif("${CMAKE_ARGV${i}}" STREQUAL "--")
    set(seen_dashes TRUE)
  endif()
endforeach()

execute_process(COMMAND ${command} RESULT_VARIABLE code OUTPUT_VARIABLE said ERROR_VARIABLE said)
if(code EQUAL 0)
  message(FATAL_ERROR "It should have failed.")
elseif(NOT said MATCHES "${EXPECT}")
  message(FATAL_ERROR "It failed, but for another reason than \"${EXPECT}\":\n${said}")
endif()
