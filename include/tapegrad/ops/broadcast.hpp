#pragma once
// NumPy's broadcasting, for ops of two inputs: axes are compared from the last; lengths must be equal, or one of them 1
// or missing. The gradient of an input that was broadcast is the sum over the axes along which it was.

#include <algorithm>
#include <array>
#include <utility>

#include "../autodiff/apply.hpp"
#include "../core/simd/simd.hpp"
#include "blocks.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::detail {

/// The shape that two shapes broadcast to. Throws ShapeError, in the name of an op, if there is none.
inline Shape broadcast_shape(const char* op, const Shape& a, const Shape& b) {
  if (a == b) return a;
  Shape result = a.rank() >= b.rank() ? a : b;
  const Shape& other = a.rank() >= b.rank() ? b : a;
  for (int axis = -1; axis >= -other.rank(); --axis) {
    if (result[axis] == other[axis] || other[axis] == 1) continue;
    require<ShapeError>(result[axis] == 1, op, ": the inputs are ", a, " and ", b, "; axis ", axis, " (", a[axis],
                        " and ", b[axis], ") must be equal or 1 to be broadcast");
    result = result.with(axis, other[axis]);
  }
  return result;
}

/// Where an element of the result is, and the elements of the inputs that it comes from.
struct Offsets {
  Index y = 0;
  std::array<Index, 2> in{};
};

/// Axes of the result, the innermost first, and how far apart their elements are in it and in the inputs: 0 apart in an
/// input that is broadcast along an axis. The innermost of a result's axes is contiguous, or 0 apart.
class Axes {
 public:
  Axes() = default;
  /// All axes of the result, those merged into one along which both inputs go on alike.
  Axes(const Shape& y, const Shape& a, const Shape& b) {
    Offsets stride{1, {1, 1}};
    const auto step = [](Index& stride_in, const Shape& shape, int axis) {
      const Index length = axis >= -shape.rank() ? shape[axis] : 1;
      return length == 1 ? 0 : std::exchange(stride_in, stride_in * length);
    };
    for (int axis = -1; axis >= -y.rank(); --axis) {
      if (y[axis] == 1) continue;
      append({y[axis], {step(stride.y, y, axis), {step(stride.in[0], a, axis), step(stride.in[1], b, axis)}}});
    }
  }

  /// The product of the lengths from axis `first` on.
  Index size(std::size_t first = 0) const {
    Index product = 1;
    for (std::size_t i = first; i < count_; ++i) product *= axes_[i].length;
    return product;
  }
  /// The length of the innermost axis.
  Index inner() const { return count_ == 0 ? 1 : axes_[0].length; }

  /// Where position `index` of the axes from `first` on lies, relative to `base`.
  Offsets at(Index index, std::size_t first = 0, Offsets base = {}) const {
    for (std::size_t i = first; i + 1 < count_; ++i) {
      base = moved(base, i, index % axes_[i].length);
      index /= axes_[i].length;
    }
    return first < count_ ? moved(base, count_ - 1, index) : base;
  }

  /// Calls body(offsets, n) for the positions begin .. end - 1 in order: runs of up to a block along the innermost
  /// axis.
  void runs(Index begin, Index end, Offsets base, FunctionRef<void(const Offsets&, Index)> body) const {
    while (begin < end) {
      const Index along = begin % inner();
      const Index n = std::min({inner() - along, end - begin, Block::size});
      body(at(begin, 0, base), n);
      begin += n;
    }
  }

  /// Those axes along which that input is broadcast, or those along which it is not.
  Axes along(std::size_t input, bool broadcast) const {
    Axes result;
    for (std::size_t i = 0; i < count_; ++i)
      if ((axes_[i].stride.in[input] == 0) == broadcast) result.axes_[result.count_++] = axes_[i];
    return result;
  }
  /// Whether that input is broadcast along the innermost axis.
  bool repeats(std::size_t input) const { return count_ > 0 && axes_[0].stride.in[input] == 0; }

 private:
  struct Axis {
    Index length;
    Offsets stride;
  };

  void append(const Axis& outer) {
    if (count_ > 0) {
      Axis& last = axes_[count_ - 1];
      const Offsets past = moved({}, count_ - 1, last.length);
      if (past.y == outer.stride.y && past.in == outer.stride.in) {
        last.length *= outer.length;
        return;
      }
    }
    axes_[count_++] = outer;
  }
  Offsets moved(Offsets from, std::size_t axis, Index steps) const {
    const Offsets& stride = axes_[axis].stride;
    return {from.y + steps * stride.y, {from.in[0] + steps * stride.in[0], from.in[1] + steps * stride.in[1]}};
  }

  std::array<Axis, Shape::max_rank> axes_{};
  std::size_t count_ = 0;
};

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
