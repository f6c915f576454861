#include "tapegrad/core/build_info.hpp"

#include "catch.hpp"
#include "core/simd_isas.hpp"
#include "threads.hpp"

namespace tg = tapegrad;

TEST_CASE("build_info says in one line what bits depend on") {
  const Threads guard(2);
  CHECK_THAT(tg::build_info(), ContainsSubstring("tapegrad " TAPEGRAD_VERSION ", float, "));
  CHECK_THAT(tg::build_info(), ContainsSubstring(" kernels"));
  CHECK_THAT(tg::build_info(), ContainsSubstring(", 2 threads, Eigen "));
  CHECK_THAT(tg::build_info(), ContainsSubstring(", g++ ") || ContainsSubstring(", clang "));
  CHECK(tg::build_info().back() != ' ');
#if defined(_OPENMP)
  CHECK_THAT(tg::build_info(), ContainsSubstring(", OpenMP, "));
#endif
  tg::set_num_threads(1);
  CHECK_THAT(tg::build_info(), ContainsSubstring(", 1 thread, "));
}

TEST_CASE("build_info says where kernels round products before they add them") {
  for (tg::Isa isa : machine_isas()) {
    const UseIsa use(isa);
    INFO(tg::build_info());
    CHECK((tg::build_info().find("portable kernels that round products, ") == std::string::npos) == tg::simd::fuses());
  }
}
