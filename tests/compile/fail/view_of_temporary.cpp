// expect: the matrix is a temporary
#include <tapegrad/core/view.hpp>

void look() { (void)tapegrad::view(Eigen::VectorXf(3)); }
