# Headers only, so the package goes to share/ and serves every architecture.
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_DATADIR}/cmake/tapegrad)
set(pkgconfig_dir ${CMAKE_INSTALL_DATADIR}/pkgconfig)

install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/tapegrad DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})

install(DIRECTORY ${PROJECT_SOURCE_DIR}/debuggers/ DESTINATION ${CMAKE_INSTALL_DATADIR}/tapegrad)

# Two export files: tapegrad::io is loaded only by those who ask for the component.
install(TARGETS tapegrad EXPORT tapegradTargets)
install(TARGETS tapegrad_io EXPORT tapegradIoTargets)
install(EXPORT tapegradTargets NAMESPACE tapegrad:: DESTINATION ${package_dir})
install(EXPORT tapegradIoTargets NAMESPACE tapegrad:: DESTINATION ${package_dir})

configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/tapegradConfig.cmake.in tapegradConfig.cmake
  INSTALL_DESTINATION ${package_dir} PATH_VARS CMAKE_INSTALL_INCLUDEDIR NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(tapegradConfigVersion.cmake COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES
  ${PROJECT_SOURCE_DIR}/cmake/tapegradCompiled.cmake
  ${PROJECT_SOURCE_DIR}/cmake/tapegradIoLibraries.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/tapegradConfig.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/tapegradConfigVersion.cmake
  DESTINATION ${package_dir})

# The .pc files say where they are relative to themselves, so the prefix can be moved; an absolute folder of headers stays.
file(RELATIVE_PATH pkgconfig_to_prefix ${CMAKE_INSTALL_FULL_DATADIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
set(pkgconfig_includedir ${CMAKE_INSTALL_INCLUDEDIR})
if(NOT IS_ABSOLUTE ${CMAKE_INSTALL_INCLUDEDIR})
  string(PREPEND pkgconfig_includedir "\${prefix}/")
endif()
foreach(package tapegrad tapegrad-io)
  configure_file(${PROJECT_SOURCE_DIR}/cmake/${package}.pc.in ${package}.pc @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${package}.pc DESTINATION ${pkgconfig_dir})
endforeach()

install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

# A Debian package: cmake --workflow --preset deb
if(PROJECT_IS_TOP_LEVEL)
  set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON)  # headers need no build
  set(CPACK_PACKAGE_VENDOR "tapegrad")
  set(CPACK_PACKAGE_CONTACT "tapegrad authors")
  set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
  set(CPACK_DEBIAN_PACKAGE_NAME libtapegrad-dev)
  set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE all)
  set(CPACK_DEBIAN_PACKAGE_SECTION libdevel)
  set(CPACK_DEBIAN_PACKAGE_DEPENDS "libeigen3-dev (>= 3.4)")
  set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "zlib1g-dev, libpng-dev, nlohmann-json3-dev")  # what the io component needs
  set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
  include(CPack)
endif()
