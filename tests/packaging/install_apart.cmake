# Installs to FOLDER/lib, the headers to FOLDER/include, and looks at what pkg-config is told of them.
file(REMOVE_RECURSE ${FOLDER})
execute_process(COMMAND ${CMAKE_COMMAND} -S ${SOURCE} -B ${FOLDER}/build -G ${GENERATOR} -DTAPEGRAD_TESTS=OFF
    -DTAPEGRAD_EXAMPLES=OFF -DCMAKE_INSTALL_INCLUDEDIR=${FOLDER}/include
  OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_COMMAND} --install ${FOLDER}/build --prefix ${FOLDER}/lib
  OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
file(STRINGS ${FOLDER}/lib/share/pkgconfig/tapegrad.pc includedir REGEX "^includedir=")
if(NOT includedir STREQUAL "includedir=${FOLDER}/include")
  message(FATAL_ERROR "tapegrad.pc says ${includedir}")
endif()
