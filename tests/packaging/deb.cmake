# Makes the Debian package by its workflow, in a copy of the sources, and unpacks it as dpkg would, but into a folder.
set(folder "${BUILD}/tests/packaging/deb")
file(REMOVE_RECURSE "${folder}")
file(MAKE_DIRECTORY "${folder}/root")
foreach(part CMakeLists.txt CMakePresets.json LICENSE cmake debuggers include)
  file(COPY ${SOURCE}/${part} DESTINATION ${folder}/source)
endforeach()
execute_process(COMMAND ${CMAKE_COMMAND} --workflow --preset deb WORKING_DIRECTORY ${folder}/source
  OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
file(GLOB package "${folder}/source/build/deb/libtapegrad-dev_*_all.deb")
execute_process(COMMAND ${CMAKE_COMMAND} -E tar xf ${package} WORKING_DIRECTORY ${folder} COMMAND_ERROR_IS_FATAL ANY)
file(GLOB data "${folder}/data.tar.*")
execute_process(COMMAND ${CMAKE_COMMAND} -E tar xf ${data} WORKING_DIRECTORY ${folder}/root COMMAND_ERROR_IS_FATAL ANY)

# What dpkg is told: it is not run here, as it would install to this machine.
find_program(dpkg_deb dpkg-deb)
if(dpkg_deb)
  execute_process(COMMAND ${dpkg_deb} --field ${package} Package Architecture Depends
    OUTPUT_VARIABLE told COMMAND_ERROR_IS_FATAL ANY)
  foreach(field "Package: libtapegrad-dev" "Architecture: all" "Depends: [^\n]*libeigen3-dev")
    if(NOT told MATCHES "${field}")
      message(FATAL_ERROR "the package's control file has no \"${field}\":\n${told}")
    endif()
  endforeach()
endif()
