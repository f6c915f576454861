#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

#include "at_the_edge.hpp"
#include "catch.hpp"
#include "core/simd_isas.hpp"
#include "tapegrad/gemm/gemm.hpp"
#include "threads.hpp"

namespace tg = tapegrad;
using tg::GemmStart;
using tg::Index;
using tg::Scalar;

namespace {

/// Sets the instruction set and the number of threads, and puts both back.
struct Setting {
  Setting(tg::Isa isa, int threads) : use(isa), with(threads) {}
  UseIsa use;
  Threads with;
};

#if defined(__x86_64__)
#define WITH_FMA [[gnu::target("fma")]]  // std::fma is an instruction then, and not a call
#else
#define WITH_FMA
#endif

/// Multiplies when the main thread's thread_locals are gone already, as a model does that is saved or judged at the
/// end.
struct MultipliesLast {
  ~MultipliesLast() {
    const std::vector<Scalar> ones(300 * 300, 1);
    std::vector<Scalar> c(300 * 300);
    tg::gemm({ones.data(), 300, 300, 1, 300}, {ones.data(), 300, 300, 300}, {c.data(), 300, 300, 300});
    if (std::ranges::count(c, Scalar(300)) != 300 * 300) std::abort();
  }
} const multiplies_last;

enum class Layout { rows, columns, neither, rows_far_apart, last_row_first, one_row };  // which are contiguous

struct Matrix {
  static constexpr Index far = 4000;

  Matrix(Index rows, Index cols, Layout layout, Index padding, std::mt19937& random)
      : numbers(static_cast<std::size_t>(
            layout == Layout::rows_far_apart ? rows * far : 2 * (rows + padding) * (cols + padding) + 1)) {
    std::uniform_real_distribution<Scalar> uniform(-1, 1);
    for (Scalar& x : numbers) x = uniform(random);
    view = {numbers.data(), rows, cols, cols + padding, 1};
    if (layout == Layout::columns) view = {numbers.data(), rows, cols, 1, rows + padding};
    if (layout == Layout::rows_far_apart) view.row_stride = far;
    if (layout == Layout::neither) view = {numbers.data(), rows, cols, 2 * (cols + padding), 2};
    if (layout == Layout::last_row_first) {
      view.data += (rows - 1) * view.row_stride;
      view.row_stride = -view.row_stride;
    }
    if (layout == Layout::one_row) view.row_stride = 0;
  }
  tg::ConstStridedMatrix read() const { return {view.data, view.rows, view.cols, view.row_stride, view.col_stride}; }
  Scalar at(Index i, Index j) const { return view.data[i * view.row_stride + j * view.col_stride]; }

  std::vector<Scalar> numbers;
  tg::StridedMatrix view;
};

/// What defines the bits: one chain over k.
WITH_FMA Scalar fused_chain(const Matrix& a, const Matrix& b, Index i, Index j, Scalar sum) {
  for (Index p = 0; p < a.view.cols; ++p) sum = std::fma(a.at(i, p), b.at(p, j), sum);
  return sum;
}
/// The portable kernel rounds twice where the processor has no fused multiply-add in the compiler's flags.
Scalar rounded_chain(const Matrix& a, const Matrix& b, Index i, Index j, Scalar sum) {
  for (Index p = 0; p < a.view.cols; ++p) {
    volatile Scalar product = a.at(i, p) * b.at(p, j);
    sum = product + sum;
  }
  return sum;
}

/// Compares the whole buffer of C with the reference's, so that a write outside of C would show too.
void check(Index m, Index n, Index k, Layout a_layout, Layout b_layout, GemmStart::From from, Index padding,
           std::initializer_list<int> thread_counts = {tg::num_threads()}) {
  INFO("m " << m << " n " << n << " k " << k << " layouts " << int(a_layout) << int(b_layout) << " from " << int(from)
            << " padding " << padding << " isa " << tg::name(tg::simd::isa()));
  std::mt19937 random(static_cast<unsigned>(m * 10007 + n * 101 + k));
  const Matrix a(m, k, a_layout, padding, random);
  const Matrix b(k, n, b_layout, padding, random);
  Matrix c(m, n, Layout::rows, padding, random);
  const Matrix bias(1, n, Layout::rows, 0, random);
  const std::vector<Scalar> before = c.numbers;
  std::vector<Scalar> expected = before;
  const bool fused = tg::simd::fuses();
  for (Index i = 0; i < m; ++i) {
    for (Index j = 0; j < n; ++j) {
      Scalar& sum = expected[static_cast<std::size_t>(i * c.view.row_stride + j)];
      if (from == GemmStart::From::zero) sum = 0;
      if (from == GemmStart::From::bias) sum = bias.at(0, j);
      sum = fused ? fused_chain(a, b, i, j, sum) : rounded_chain(a, b, i, j, sum);
    }
  }
  for (int threads : thread_counts) {
    tg::set_num_threads(threads);
    std::copy(before.begin(), before.end(), c.numbers.begin());
    tg::gemm(a.read(), b.read(), c.view, GemmStart{from, bias.numbers.data()});
    INFO("threads " << threads);
    REQUIRE(std::memcmp(c.numbers.data(), expected.data(), expected.size() * sizeof(Scalar)) == 0);
  }
}

constexpr GemmStart::From starts[] = {GemmStart::From::zero, GemmStart::From::bias, GemmStart::From::c};
constexpr Layout layouts[] = {Layout::rows, Layout::columns};

}  // namespace

TEST_CASE("gemm: every small size, layout and start has the bits of the fma chain") {
  for (tg::Isa isa : machine_isas()) {
    const Setting setting(isa, 1);
    const Index sizes[] = {1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 31, 33, 47, 48, 49, 67};
    int turn = 0;
    for (Index m : {1, 3, 4, 5, 8, 9, 67})
      for (Index n : sizes)
        for (Index k : sizes)
          for (Layout a : layouts)
            for (Layout b : layouts) {
              ++turn;
              check(m, n, k, a, b, starts[turn % 3], turn % 4 == 0 ? 3 : 0);
            }
  }
}

TEST_CASE("gemm: larger sizes, on any number of threads") {
  for (tg::Isa isa : machine_isas()) {
    const Setting setting(isa, 1);
    const auto check_threads = [](auto... problem) { check(problem..., {1, 2, 3, 4, 7}); };
    for (GemmStart::From from : starts)
      for (Layout a : layouts)
        for (Layout b : layouts) {
          check_threads(128, 100, 197, a, b, from, 0);
          check_threads(20, 200, 391, a, b, from, 5);
          check_threads(203, 66, 193, a, b, from, 1);
          check_threads(300, 10, 130, a, b, from, 0);
          check_threads(298, 3, 391, a, b, from, 0);    // a single panel, of two depths
          check_threads(602, 15, 100, a, b, from, 0);   // another, of a C that is fetched
          check_threads(602, 15, 40, a, b, from, 0);    // and where rows of A that lie side by side are not packed
          check_threads(135, 150, 197, a, b, from, 1);  // strips are packed, the last one in part
          check_threads(130, 520, 70, a, b, from, 0);   // C is large for its depth: it is fetched too
          check_threads(380, 150, 272, a, b, from, 0);  // A is more than goes into a cache: rows in two goes
        }
  }
}

TEST_CASE("gemm: any strides") {
  for (tg::Isa isa : machine_isas()) {
    const Setting setting(isa, 2);
    for (GemmStart::From from : starts) {
      check(137, 1000, 70, Layout::rows_far_apart, Layout::columns, from, 0, {1, 2});  // strips are packed
      for (Index size : {1, 19, 70, 200}) {
        check(size, size + 1, size + 2, Layout::neither, Layout::neither, from, 1);
        check(size, size, size, Layout::rows, Layout::neither, from, 0);
        check(size, size, size, Layout::neither, Layout::columns, from, 0);
        check(size, size, size, Layout::last_row_first, Layout::one_row, from, 0);
        check(size, size, size, Layout::one_row, Layout::last_row_first, from, 0);
      }
    }
  }
}

TEST_CASE("gemm: empty sizes") {
  for (tg::Isa isa : machine_isas()) {
    const Setting setting(isa, 2);
    for (GemmStart::From from : starts) {
      check(0, 5, 3, Layout::rows, Layout::rows, from, 0);
      check(5, 0, 3, Layout::rows, Layout::rows, from, 0);
      check(5, 70, 0, Layout::rows, Layout::columns, from, 0);  // C is what it starts at
      check(0, 0, 0, Layout::rows, Layout::rows, from, 0);
    }
    const std::vector<Scalar> a(6);
    CHECK_NOTHROW(tg::gemm({a.data(), 2, 3, 3}, {nullptr, 3, 0, 0}, {nullptr, 2, 0, 0}, GemmStart::bias(nullptr)));
  }
}

TEST_CASE("gemm: NaN and infinity go where IEEE 754 says") {
  const Scalar nan = std::numeric_limits<Scalar>::quiet_NaN(), infinity = std::numeric_limits<Scalar>::infinity();
  for (tg::Isa isa : machine_isas()) {
    const Setting setting(isa, 1);
    const Scalar a[] = {0, 0, infinity, 1}, b[] = {nan, infinity, 1, 1};
    Scalar c[4];
    tg::gemm({a, 2, 2, 2}, {b, 2, 2, 2}, {c, 2, 2, 2});
    CHECK(std::isnan(c[0]));
    CHECK(std::isnan(c[1]));
    CHECK(std::isnan(c[2]));
    CHECK(c[3] == infinity);
  }
}

TEST_CASE("gemm: sizes that do not agree are refused") {
  std::vector<Scalar> numbers(100);
  const tg::ConstStridedMatrix a{numbers.data(), 2, 3, 3}, b{numbers.data(), 4, 5, 5};
  REQUIRE_THROWS_WITH(tg::gemm(a, b, {numbers.data(), 2, 5, 5}),
                      ContainsSubstring("gemm: A is 2x3, B is 4x5, C is 2x5; they must be m x k, k x n and m x n"));
  REQUIRE_THROWS_AS(tg::gemm(a, b, {numbers.data(), 2, 5, 5}), tg::ShapeError);
  const tg::ConstStridedMatrix fitting{numbers.data(), 3, 5, 5};
  REQUIRE_THROWS_AS(tg::gemm(a, fitting, {numbers.data(), 4, 5, 5}), tg::ShapeError);
  REQUIRE_THROWS_AS(tg::gemm(a, fitting, {numbers.data(), 2, 4, 4}), tg::ShapeError);
}

TEST_CASE("gemm: a bias that is not there is refused") {
  std::vector<Scalar> numbers(16);
  const tg::ConstStridedMatrix x{numbers.data(), 4, 4, 4};
  REQUIRE_THROWS_WITH(tg::gemm(x, x, {numbers.data(), 4, 4, 4}, GemmStart::bias(nullptr)),
                      "gemm: C starts at a bias, which is a null pointer; it is a row of 4 numbers");
}

TEST_CASE("gemm: nothing beyond the ends of A, B, C and the bias is read") {
  for (tg::Isa isa : machine_isas()) {
    const Setting setting(isa, 1);
    for (auto [m, n, k] : {std::array<Index, 3>{3, 5, 7}, {9, 49, 33}, {67, 50, 70}, {135, 201, 197}, {70, 200, 67}}) {
      const AtTheEdge<Scalar> a(m * k), b(k * n), c(m * n), bias(n);
      for (bool a_rows : {true, false})
        for (bool b_rows : {true, false})
          for (GemmStart start : {GemmStart::zero(), GemmStart::bias(bias.data()), GemmStart::c()})
            tg::gemm({a.data(), m, k, a_rows ? k : 1, a_rows ? 1 : m}, {b.data(), k, n, b_rows ? n : 1, b_rows ? 1 : k},
                     {c.data(), m, n, n}, start);
    }
    for (Index n : {3, 17, 33, 50}) {  // neither rows nor columns of B are contiguous
      const AtTheEdge<Scalar> a(5 * 7), b(2 * 7 * n - 1), c(5 * n);
      tg::gemm({a.data(), 5, 7, 7}, {b.data(), 7, n, 2 * n, 2}, {c.data(), 5, n, n});
    }
  }
}

TEST_CASE("gemm: strips of A are packed from the least depth on that is worth it") {
  for (tg::Isa isa : machine_isas()) {
    const Setting setting(isa, 1);
    check(67, 300, tg::gemm_detail::min_strip_depth, Layout::columns, Layout::rows, GemmStart::From::zero, 0);
  }
}

TEST_CASE("gemm: packed strips of A fit their room") {  // AddressSanitizer sees it: 501 x 204 fit, in whole strips not
  for (tg::Isa isa : machine_isas()) {
    const Setting setting(isa, 1);
    const Index m = 501, k = 204, n = 1000;
    const AtTheEdge<Scalar> a(m * k), b(k * n), c(m * n);
    tg::gemm({a.data(), m, k, 1, m}, {b.data(), k, n, n}, {c.data(), m, n, n});
  }
}

TEST_CASE("gemm: two threads' blocks are nearly equal, also where a block ends within a vector") {
  for (tg::Isa isa : machine_isas()) {
    const Setting setting(isa, 2);
    for (auto [m, n] : {std::array<Index, 2>{500, 50}, {500, 26}, {50, 500}, {128, 784}}) {
      const std::vector<Scalar> ones(static_cast<std::size_t>(1024 * std::max(m, n)), 1);
      std::vector<Scalar> numbers(static_cast<std::size_t>(m * n));
      const tg::ConstStridedMatrix a{ones.data(), m, 1024, 1024}, b{ones.data(), 1024, n, n};
      const tg::StridedMatrix c{numbers.data(), m, n, n};
      const tg::GemmTask task{a, b, c, {}};
      const tg::gemm_detail::Product product(task);
      REQUIRE(product.blocks() == 2);
      std::vector<Scalar> room(static_cast<std::size_t>(2 * tg::gemm_detail::max_part));
      product.compute(0, 2, room.data());
      INFO(m << "x" << n << " by " << tg::name(isa));
      CHECK(std::abs(static_cast<double>(std::ranges::count(numbers, 1024)) / static_cast<double>(m * n) - 0.5) < 0.05);
    }
  }
}

TEST_CASE("gemm: two products at once are what they are alone") {
  std::mt19937 random(5);
  const auto same_bits = [](const Matrix& x, const Matrix& y) {
    const auto count = static_cast<std::size_t>(x.view.rows * x.view.cols);
    return count == 0 || std::memcmp(x.view.data, y.view.data, count * sizeof(Scalar)) == 0;
  };
  const auto on_fresh_thread = [](const auto& body) { std::thread(body).join(); };  // without room for packed strips
  for (const int threads : {1, 2, 3}) {
    const Setting setting(tg::simd::isa(), threads);
    // Beside one whose strips are packed: another such, one of a single block, one without numbers, one without steps.
    for (const auto& [m, k, n] : {std::array<Index, 3>{128, 300, 200}, {8, 20, 30}, {0, 20, 30}, {90, 0, 30}}) {
      INFO(m << "x" << k << "x" << n << ", threads " << threads);
      const Matrix a(128, 100, Layout::rows, 0, random), b(100, 400, Layout::columns, 0, random);
      const Matrix d(m, k, Layout::columns, 0, random), e(k, n, Layout::rows, 0, random);
      Matrix ab(128, 400, Layout::rows, 0, random), de(m, n, Layout::rows, 0, random);
      Matrix ab_alone(128, 400, Layout::rows, 0, random), de_alone(m, n, Layout::rows, 0, random);
      tg::gemm(a.read(), b.read(), ab_alone.view);
      tg::gemm(d.read(), e.read(), de_alone.view);
      on_fresh_thread([&] { tg::gemm({a.read(), b.read(), ab.view, {}}, {d.read(), e.read(), de.view, {}}); });
      CHECK(same_bits(ab, ab_alone));
      CHECK(same_bits(de, de_alone));
      on_fresh_thread([&] {
        tg::gemm({d.read(), e.read(), de.view, {}}, {a.read(), b.read(), ab.view, GemmStart::c()});
      });
      tg::gemm(a.read(), b.read(), ab_alone.view, GemmStart::c());
      CHECK(same_bits(ab, ab_alone));
      CHECK(same_bits(de, de_alone));
    }
  }
}

TEST_CASE("gemm: two products at once may have the same C") {
  std::mt19937 random(6);
  for (const int threads : {1, 2, 3}) {
    const Setting setting(tg::simd::isa(), threads);
    const Matrix a(128, 128, Layout::rows, 0, random), b(128, 128, Layout::columns, 0, random);
    Matrix at_once(128, 128, Layout::rows, 0, random), alone(128, 128, Layout::rows, 0, random);
    tg::gemm({a.read(), b.read(), at_once.view, {}}, {b.read(), a.read(), at_once.view, GemmStart::c()});
    tg::gemm(a.read(), b.read(), alone.view);
    tg::gemm(b.read(), a.read(), alone.view, GemmStart::c());
    INFO("threads " << threads);
    CHECK(std::memcmp(at_once.view.data, alone.view.data, 128 * 128 * sizeof(Scalar)) == 0);
  }
}

TEST_CASE("gemm: a transposed C is refused") {
  std::vector<Scalar> a(6), b(9), c(6);
  const tg::StridedMatrix by_rows{c.data(), 3, 2, 2};
  REQUIRE_THROWS_WITH(tg::gemm({a.data(), 2, 3, 3}, {b.data(), 3, 3, 3}, by_rows.transposed()),
                      ContainsSubstring("gemm: C's columns are 2 apart; its rows must be contiguous"));
}

TEST_CASE("gemm: two of the user's threads at once") {
  const Setting setting(tg::simd::isa(), 2);
  std::mt19937 random(1);
  const Matrix a(128, 300, Layout::rows, 0, random), b(300, 200, Layout::columns, 0, random);
  Matrix expected(128, 200, Layout::rows, 0, random);
  tg::gemm(a.read(), b.read(), expected.view);
  bool equal[2] = {true, true};
  const auto work = [&](bool& all_equal, unsigned seed) {
    std::mt19937 own(seed);
    Matrix c(128, 200, Layout::rows, 0, own);
    for (int i = 0; i < 50; ++i) {
      tg::gemm(a.read(), b.read(), c.view);
      all_equal = all_equal && std::memcmp(c.view.data, expected.view.data, 128 * 200 * sizeof(Scalar)) == 0;
    }
  };
  std::thread other(work, std::ref(equal[0]), 2);
  work(equal[1], 3);
  other.join();
  CHECK(equal[0]);
  CHECK(equal[1]);
}
