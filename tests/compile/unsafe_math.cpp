#include <cstdio>
#include <exception>
#include <tapegrad/core/simd/simd.hpp>

namespace tg = tapegrad;

int main() {
  try {
    const tg::Scalar x = 1;
    tg::Scalar y = 0;
    tg::simd::exp(&x, &y, 1);
    std::printf("e is %g\n", static_cast<double>(y));
  } catch (const std::exception& error) {
    std::puts(error.what());
    return 1;
  }
}
