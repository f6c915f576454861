# tapegrad::compiled and tapegrad::io_compiled: as tapegrad::tapegrad and tapegrad::io, but the kernels and all that
# handles files are compiled once, with the flags of the project that links them, and not with each of its files.
# Read by tapegrad's own CMakeLists.txt and by the installed package.

# tapegrad_add_compiled(NAME SOURCE LIBRARIES...)
function(tapegrad_add_compiled name source)
  if(TARGET ${name})
    return()
  endif()
  add_library(${name} STATIC EXCLUDE_FROM_ALL "${source}")
  string(REPLACE tapegrad_ tapegrad:: alias ${name})
  add_library(${alias} ALIAS ${name})
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_compile_definitions(${name} PUBLIC TAPEGRAD_COMPILED)
  target_link_libraries(${name} PUBLIC ${ARGN})
endfunction()
