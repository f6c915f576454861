#pragma once
// Ops of two inputs that are broadcast (broadcast_axes.hpp says how). The gradient of an input that was broadcast is
// the sum over the axes along which it was.

#include <algorithm>
#include <array>

#include "../autodiff/apply.hpp"
#include "../core/simd/simd.hpp"
#include "blocks.hpp"
#include "broadcast_axes.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::detail {

/// n elements of an input in a row: where they lie, or the one that is repeated, written n times to `scratch`.
inline const Scalar* run_of(const ConstTensorView& input, Index offset, bool repeats, Index n, Block& scratch) {
  if (!repeats) return input.data() + offset;
  std::fill_n(scratch.data, n, input.data()[offset]);
  return scratch.data;
}

/// Elements in a row of the inputs, the result and its gradient; of `y` and `dy` where there are any.
struct Run {
  Index n;
  const Scalar* a;
  const Scalar* b;
  const Scalar* y = nullptr;
  const Scalar* dy = nullptr;
};

/// y of an op of two inputs that are broadcast: value(run, to) computes each run of it.
inline void broadcast(const ConstTensorView& a, const ConstTensorView& b, const TensorView& y,
                      void (*value)(const Run&, Scalar* to)) {
  if (a.shape() == b.shape()) {
    parallel_for(y.size(), chunk_size, [&](Index begin, Index end) {
      value({end - begin, a.data() + begin, b.data() + begin}, y.data() + begin);
    });
    return;
  }
  const Axes axes(y.shape(), a.shape(), b.shape());
  parallel_for(y.size(), chunk_size, [&](Index begin, Index end) {
    Block a_scratch, b_scratch;
    axes.runs(begin, end, {}, [&](const Offsets& at, Index n) {
      value({n, run_of(a, at.in[0], axes.repeats(0), n, a_scratch), run_of(b, at.in[1], axes.repeats(1), n, b_scratch)},
            y.data() + at.y);
    });
  });
}

/// The gradient of one input of such an op: slope(run, first, to) computes it along a run of y; runs that share
/// elements of the input are then summed.
class BroadcastGradient {
 public:
  using Slope = void (*)(const Run&, bool first, Scalar* to);

  BroadcastGradient(const ConstTensorView& a, const ConstTensorView& b, const ConstTensorView& y,
                    const ConstTensorView& dy, std::size_t input, Slope slope)
      : a_(a), b_(b), y_(y), dy_(dy), input_(input), slope_(slope) {}

  void add_to(const Gradient& gradient) const {
    const Gradient::Target to = gradient.target();
    if (a_.shape() == b_.shape()) {
      parallel_for(y_.size(), chunk_size, [&](Index begin, Index end) {
        slope_({end - begin, a_.data() + begin, b_.data() + begin, y_.data() + begin, dy_.data() + begin}, to.first,
               to.view.data() + begin);
      });
      return;
    }
    const Axes axes(y_.shape(), a_.shape(), b_.shape());
    const Axes summed = axes.along(input_, true);
    if (summed.size() != 1) {
      add_sums(to, axes, summed);
      return;
    }
    parallel_for(axes.size(), chunk_size, [&](Index begin, Index end) {  // not broadcast after all
      axes.runs(begin, end, {},
                [&](const Offsets& at, Index n) { put_run(axes, at, n, to.view.data() + at.in[input_], to.first); });
    });
  }

 private:
  static constexpr Index width = 128;  // columns that are summed together
  static constexpr Index parts = 16;   // into which a long sum is cut, for threads
  using Sums = std::array<double, width>;

  /// to (+)= the gradient along one run of the result
  void put_run(const Axes& axes, const Offsets& at, Index n, Scalar* to, bool first) const {
    Block a_scratch, b_scratch;
    slope_({n, run_of(a_, at.in[0], axes.repeats(0), n, a_scratch), run_of(b_, at.in[1], axes.repeats(1), n, b_scratch),
            y_.data() + at.y, dy_.data() + at.y},
           first, to);
  }

  void add_sums(const Gradient::Target& to, const Axes& axes, const Axes& summed) const {
    // Runs lie along what is summed, and each gives one number; or across it, and are added up side by side.
    const Axes kept = axes.along(input_, false);
    const bool along = axes.repeats(input_);
    const auto add_up = [&](const Offsets& base, Index n, Index begin, Index end, Sums& sums) {
      Block scratch;
      std::fill_n(sums.begin(), n, 0.0);
      if (along) {
        summed.runs(begin, end, base, [&](const Offsets& at, Index count) {
          put_run(axes, at, count, scratch.data, true);
          sums[0] += simd::sum(scratch.data, count);
        });
      } else {
        for (Index i = begin; i < end; ++i) {
          put_run(axes, summed.at(i, 0, base), n, scratch.data, true);
          add_numbers(sums.data(), scratch.data, n);
        }
      }
    };
    const Index step = along ? 1 : std::clamp<Index>(kept.inner(), 1, width);
    const Index strips = along ? 1 : (kept.inner() + step - 1) / step;
    const Index tasks = strips * (along ? kept.size() : kept.size(1));
    const Index count = summed.size();
    using SumTask = FunctionRef<void(const Offsets& base, Index n, Sums& sums)>;
    const auto finish = [&](Index task, SumTask sum_task) {
      const Index begin = task % strips * step;
      const Offsets base = along ? kept.at(task) : kept.at(begin, 0, kept.at(task / strips, 1));
      const Index n = along ? 1 : std::min(step, kept.inner() - begin);
      Sums sums;
      sum_task(base, n, sums);
      Scalar* const target = to.view.data() + base.in[input_];
      for (Index j = 0; j < n; ++j) {
        const auto sum = static_cast<Scalar>(sums[static_cast<std::size_t>(j)]);
        target[j] = to.first ? sum : target[j] + sum;
      }
    };

    if (tasks < 4 && count * step >= 2 * chunk_size) {  // few and long: threads share each
      std::array<Sums, parts> partial;
      const Index grain = (count + parts - 1) / parts;
      for (Index task = 0; task < tasks; ++task) {
        finish(task, [&](const Offsets& base, Index n, Sums& sums) {
          parallel_for(count, grain, [&](Index begin, Index end) {
            add_up(base, n, begin, end, partial[static_cast<std::size_t>(begin / grain)]);
          });
          std::fill_n(sums.begin(), n, 0.0);
          for (Index part = 0; part * grain < count; ++part)
            for (std::size_t j = 0; j < static_cast<std::size_t>(n); ++j)
              sums[j] += partial[static_cast<std::size_t>(part)][j];
        });
      }
    } else {
      parallel_for(tasks, std::max<Index>(1, chunk_size / (1 + count * step)), [&](Index begin, Index end) {
        for (Index task = begin; task < end; ++task)
          finish(task, [&](const Offsets& base, Index n, Sums& sums) { add_up(base, n, 0, count, sums); });
      });
    }
  }

  static void add_numbers(double* sums, const Scalar* numbers, Index n) {
    using Doubles = simd::Vec<double, 2>;
    using Numbers = simd::Vec<Scalar, 2>;
    Index i = 0;
    for (; i + 2 <= n; i += 2)
      (Doubles::load(sums + i) + simd::convert<double>(Numbers::load(numbers + i))).store(sums + i);
    for (; i < n; ++i) sums[i] += double{numbers[i]};
  }

  const ConstTensorView& a_;
  const ConstTensorView& b_;
  const ConstTensorView& y_;
  const ConstTensorView& dy_;
  std::size_t input_;
  Slope slope_;
};

/// An op of two inputs that are broadcast. `Op` says what it does with numbers: value(a, b), and the gradients
/// da(a, b, y, dy) and db(a, b, y, dy) before any sum.
template <class Op>
struct Broadcasting {
  Shape shape(const Shape& a, const Shape& b) const { return broadcast_shape(Op::name, a, b); }

  void forward(const ConstTensorView& a, const ConstTensorView& b, const TensorView& y) const {
    broadcast(a, b, y, [](const Run& run, Scalar* to) {
      each(
          to, run.n, [](const Four& u, const Four& v) { return Op::value(u, v); }, run.a, run.b);
    });
  }
  void backward(const ConstTensorView& a, const ConstTensorView& b, const ConstTensorView& y, const ConstTensorView& dy,
                const Gradient& da, const Gradient& db) const {
    if (da) {
      const auto slope = [](const Run& run, bool first, Scalar* to) {
        put(
            to, run.n, first, [](const auto&... numbers) { return Op::da(numbers...); }, run.a, run.b, run.y, run.dy);
      };
      BroadcastGradient(a, b, y, dy, 0, slope).add_to(da);
    }
    if (db) {
      const auto slope = [](const Run& run, bool first, Scalar* to) {
        put(
            to, run.n, first, [](const auto&... numbers) { return Op::db(numbers...); }, run.a, run.b, run.y, run.dy);
      };
      BroadcastGradient(a, b, y, dy, 1, slope).add_to(db);
    }
  }
};

}  // namespace tapegrad::inline TAPEGRAD_ABI::detail
