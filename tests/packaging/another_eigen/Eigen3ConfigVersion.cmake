# Compatible within a major version, as Eigen 5's own.
set(PACKAGE_VERSION ${ANOTHER_EIGEN})
if(ANOTHER_EIGEN MATCHES "^${PACKAGE_FIND_VERSION_MAJOR}[.]")
  set(PACKAGE_VERSION_COMPATIBLE TRUE)
endif()
