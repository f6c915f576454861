# This machine's Eigen, under the version ANOTHER_EIGEN.
add_library(Eigen3::Eigen INTERFACE IMPORTED)
target_include_directories(Eigen3::Eigen INTERFACE ${ANOTHER_EIGEN_INCLUDE})
