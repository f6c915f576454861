// expect: stored column by column; make a Tensor of it
#include <tapegrad/core/view.hpp>

void look() {
  Eigen::MatrixXf columns(2, 3);
  (void)tapegrad::view(columns);
}
