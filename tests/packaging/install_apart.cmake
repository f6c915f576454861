# Installs with a folder of headers that is given by an absolute path, and looks where the package says that they are.
set(headers /opt/tapegrad/include)
file(REMOVE_RECURSE ${FOLDER})
execute_process(COMMAND ${CMAKE_COMMAND} -S ${SOURCE} -B ${FOLDER}/build -G ${GENERATOR} -DTAPEGRAD_TESTS=OFF
    -DTAPEGRAD_EXAMPLES=OFF -DCMAKE_INSTALL_PREFIX=/usr -DCMAKE_INSTALL_INCLUDEDIR=${headers}
  OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
set(ENV{DESTDIR} ${FOLDER}/root)
execute_process(COMMAND ${CMAKE_COMMAND} --install ${FOLDER}/build OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)

function(expect file line)
  file(READ ${FOLDER}/root/${file} text)
  string(FIND "${text}" "${line}" found)
  if(found EQUAL -1)
    message(FATAL_ERROR "${file} does not say ${line}:\n${text}")
  endif()
endfunction()
expect(usr/share/pkgconfig/tapegrad.pc "\nincludedir=${headers}\n")
expect(usr/share/cmake/tapegrad/tapegradConfig.cmake "\"${headers}/tapegrad/compiled\"")
expect(usr/share/cmake/tapegrad/tapegradTargets.cmake "\"${headers}\"")
expect(${headers}/tapegrad/tapegrad.hpp "#pragma once")
